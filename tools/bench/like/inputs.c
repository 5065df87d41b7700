/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "inputs.h"

#include <stdlib.h>
#include <string.h>

enum { CURVE_BYTES = 64, GCM_TAG_BYTES = 16, BLOCK_BYTES = 16, WRAP_BYTES = 8 };

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void mechanism_for(struct like_mechanism *out, const struct like_input *input,
                          uint64_t data_bytes)
{
    like_mechanism_make(out, input->mechanism, input->iv, data_bytes, NULL, 0);
}

/* --- signatures --- */

static CK_RV signature_in_parts(const struct like_input_place *place,
                                const struct like_input *input, CK_BYTE *value, CK_ULONG *bytes)
{
    CK_RV rv = CKR_OK;
    for (unsigned i = 0; i < input->part_count; i++)
        for (uint64_t j = 0; rv == CKR_OK && j < input->parts[i].count; j++)
            rv = place->module->C_SignUpdate(place->session, place->stage->data,
                                             input->parts[i].bytes);
    CK_RV last = place->module->C_SignFinal(place->session, value, bytes);
    return rv == CKR_OK ? last : rv;
}

static CK_RV signature_make(struct like_input *input, CK_BYTE *value,
                            const struct like_input_place *place)
{
    struct like_mechanism mechanism;
    CK_ULONG bytes = input->capacity;
    mechanism_for(&mechanism, input, input->parts[0].bytes);
    CK_RV rv = place->module->C_SignInit(place->session, &mechanism.mechanism, place->other);
    if (rv == CKR_OK && input->part_count == 1 && input->parts[0].count == 1)
        rv = place->module->C_Sign(place->session, place->stage->data, input->parts[0].bytes, value,
                                   &bytes);
    else if (rv == CKR_OK)
        rv = signature_in_parts(place, input, value, &bytes);
    if (rv == CKR_OK)
        input->bytes = (uint32_t)bytes;
    return rv;
}

/* --- ciphertexts --- */

static CK_RV encrypt(const struct like_input_place *place, const struct like_input *input,
                     CK_BYTE *plain, CK_ULONG plain_bytes, CK_BYTE *out, CK_ULONG *bytes)
{
    struct like_mechanism mechanism;
    mechanism_for(&mechanism, input, plain_bytes);
    CK_RV rv = place->module->C_EncryptInit(place->session, &mechanism.mechanism, place->other);
    if (rv == CKR_OK)
        rv = place->module->C_Encrypt(place->session, plain, plain_bytes, out, bytes);
    return rv;
}

/* Of many parts, it may be longer than the data that one call gets. NULL: no memory. */
static CK_BYTE *plaintext_make(const struct like_stage *stage, size_t bytes)
{
    CK_BYTE *plain = malloc(bytes);
    for (size_t at = 0; plain && at < bytes; at += stage->data_bytes)
        memcpy(plain + at, stage->data,
               bytes - at < stage->data_bytes ? bytes - at : stage->data_bytes);
    return plain;
}

/* Plaintexts that may have a ciphertext of that length: as recorded, as long, without padding or
 * tag, short ones of RSA. */
static CK_RV ciphertext_make(struct like_input *input, CK_BYTE *value,
                             const struct like_input_place *place)
{
    const uint64_t all = input->parts[0].bytes;
    const uint64_t lengths[] = {
        input->out_bytes,      all, all > GCM_TAG_BYTES ? all - GCM_TAG_BYTES : 0,
        all > 0 ? all - 1 : 0, 32,  BLOCK_BYTES};
    size_t room = all + 1024;
    CK_BYTE *out = malloc(room), *plain = plaintext_make(place->stage, room);
    CK_RV rv = out && plain ? CKR_DATA_LEN_RANGE : CKR_HOST_MEMORY;
    for (size_t i = 0; out && plain && i < sizeof lengths / sizeof lengths[0]; i++) {
        CK_ULONG bytes = room;
        if (lengths[i] == 0 || lengths[i] > room)
            continue;
        CK_RV answer = encrypt(place, input, plain, lengths[i], out, &bytes);
        if (answer == CKR_OK && bytes == all) {
            memcpy(value, out, bytes);
            input->bytes = (uint32_t)bytes;
            rv = CKR_OK;
            break;
        }
        rv = answer == CKR_OK ? rv : answer;
    }
    free(out);
    free(plain);
    return rv;
}

/* --- wrapped keys --- */

static CK_RV wrapped_of(const struct like_input_place *place, const struct like_input *input,
                        CK_ULONG key_bytes, CK_BYTE *out, CK_ULONG *bytes)
{
    struct like_mechanism mechanism;
    CK_MECHANISM generator = {.mechanism = CKM_GENERIC_SECRET_KEY_GEN};
    CK_OBJECT_HANDLE key;
    CK_ATTRIBUTE attributes[] = {{CKA_VALUE_LEN, &key_bytes, sizeof key_bytes},
                                 {CKA_EXTRACTABLE, &yes, sizeof yes},
                                 {CKA_SENSITIVE, &no, sizeof no},
                                 {CKA_TOKEN, &no, sizeof no},
                                 {CKA_PRIVATE, &no, sizeof no}};
    CK_RV rv = place->module->C_GenerateKey(place->session, &generator, attributes, 5, &key);
    if (rv != CKR_OK)
        return rv;
    mechanism_for(&mechanism, input, key_bytes);
    rv = place->module->C_WrapKey(place->session, &mechanism.mechanism, place->other, key, out,
                                  bytes);
    place->module->C_DestroyObject(place->session, key);
    return rv;
}

static CK_RV wrapped_make(struct like_input *input, CK_BYTE *value,
                          const struct like_input_place *place)
{
    const uint64_t all = input->parts[0].bytes;
    const uint64_t lengths[] = {all > WRAP_BYTES ? all - WRAP_BYTES : 0, all,
                                all > BLOCK_BYTES ? all - BLOCK_BYTES : 0, 32, BLOCK_BYTES};
    CK_BYTE out[4096];
    CK_RV rv = CKR_KEY_SIZE_RANGE;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        CK_ULONG bytes = sizeof out;
        if (lengths[i] == 0 || lengths[i] > sizeof out)
            continue;
        CK_RV answer = wrapped_of(place, input, lengths[i], out, &bytes);
        if (answer == CKR_OK && bytes == all) {
            memcpy(value, out, bytes);
            input->bytes = (uint32_t)bytes;
            return CKR_OK;
        }
        rv = answer == CKR_OK ? rv : answer;
    }
    return rv;
}

/* --- points --- */

/* The bare point of a peer of the same curve: CKA_EC_POINT without its DER. */
static CK_RV point_read(struct like_input *input, CK_BYTE *value,
                        const struct like_input_place *place, CK_OBJECT_HANDLE peer)
{
    CK_ATTRIBUTE attribute = {CKA_EC_POINT, value, input->capacity};
    CK_RV rv = place->module->C_GetAttributeValue(place->session, peer, &attribute, 1);
    if (rv != CKR_OK || attribute.ulValueLen < 3 || attribute.ulValueLen > input->capacity)
        return rv == CKR_OK ? CKR_ATTRIBUTE_VALUE_INVALID : rv;
    CK_ULONG bytes = attribute.ulValueLen, head = value[1] & 0x80 ? 3 : 2;
    if (value[0] == 4 && value[head - 1] == bytes - head) {
        memmove(value, value + head, bytes - head);
        bytes -= head;
    }
    input->bytes = (uint32_t)bytes;
    return CKR_OK;
}

static CK_RV point_make(struct like_input *input, CK_BYTE *value,
                        const struct like_input_place *place)
{
    CK_BYTE curve[CURVE_BYTES];
    CK_OBJECT_HANDLE public_key, private_key;
    CK_MECHANISM generator = {.mechanism = CKM_EC_KEY_PAIR_GEN};
    CK_ATTRIBUTE parameters = {CKA_EC_PARAMS, curve, sizeof curve};
    CK_RV rv = place->module->C_GetAttributeValue(place->session, place->key, &parameters, 1);
    if (rv != CKR_OK)
        rv = place->module->C_GetAttributeValue(place->session, place->other, &parameters, 1);
    if (rv != CKR_OK)
        return rv;
    CK_ATTRIBUTE public[] = {parameters, {CKA_TOKEN, &no, sizeof no}};
    CK_ATTRIBUTE private[] = {
        {CKA_TOKEN, &no, sizeof no}, {CKA_PRIVATE, &no, sizeof no}, {CKA_DERIVE, &yes, sizeof yes}};
    rv = place->module->C_GenerateKeyPair(place->session, &generator, public, 2, private, 3,
                                          &public_key, &private_key);
    if (rv != CKR_OK)
        return rv;
    rv = point_read(input, value, place, public_key);
    place->module->C_DestroyObject(place->session, public_key);
    place->module->C_DestroyObject(place->session, private_key);
    return rv;
}

CK_RV like_input_make(struct like_input *input, CK_BYTE *value,
                      const struct like_input_place *place)
{
    input->bytes = 0;
    switch (input->operation) {
    case P11PROF_OPERATION_VERIFY:
        return signature_make(input, value, place);
    case P11PROF_OPERATION_DECRYPT:
        return ciphertext_make(input, value, place);
    case P11PROF_OPERATION_UNWRAP:
        return wrapped_make(input, value, place);
    default:
        return point_make(input, value, place);
    }
}
