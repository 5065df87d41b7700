/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "token_objects.h"

#include "../templates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOUND_AT_ONCE = 64, FOUND_MOST = 1 << 20, VALUE_BYTES = 64 };

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_OBJECT_CLASS class_data = CKO_DATA;
static CK_CERTIFICATE_TYPE x509 = CKC_X_509;
static CK_BYTE exponent[] = {1, 0, 1}, empty_name[] = {0x30, 0};

/* Which attributes let keys do what. */
static const struct use {
    unsigned operation;
    CK_ATTRIBUTE_TYPE private_use, public_use;
} uses[] = {
    {P11PROF_OPERATION_SIGN, CKA_SIGN, CKA_VERIFY},
    {P11PROF_OPERATION_VERIFY, CKA_SIGN, CKA_VERIFY},
    {P11PROF_OPERATION_MESSAGE_SIGN, CKA_SIGN, CKA_VERIFY},
    {P11PROF_OPERATION_MESSAGE_VERIFY, CKA_SIGN, CKA_VERIFY},
    {P11PROF_OPERATION_ENCRYPT, CKA_DECRYPT, CKA_ENCRYPT},
    {P11PROF_OPERATION_DECRYPT, CKA_DECRYPT, CKA_ENCRYPT},
    {P11PROF_OPERATION_MESSAGE_ENCRYPT, CKA_DECRYPT, CKA_ENCRYPT},
    {P11PROF_OPERATION_MESSAGE_DECRYPT, CKA_DECRYPT, CKA_ENCRYPT},
    {P11PROF_OPERATION_WRAP, CKA_UNWRAP, CKA_WRAP},
    {P11PROF_OPERATION_UNWRAP, CKA_UNWRAP, CKA_WRAP},
    {P11PROF_OPERATION_SIGN_RECOVER, CKA_SIGN_RECOVER, CKA_VERIFY_RECOVER},
    {P11PROF_OPERATION_VERIFY_RECOVER, CKA_SIGN_RECOVER, CKA_VERIFY_RECOVER},
    {P11PROF_OPERATION_DERIVE, CKA_DERIVE, CKA_DERIVE},
};

static void add(CK_ATTRIBUTE *part, CK_ULONG *count, CK_ATTRIBUTE_TYPE type, void *value,
                CK_ULONG bytes)
{
    for (CK_ULONG i = 0; i < *count; i++)
        if (part[i].type == type)
            return;
    if (*count < LIKE_ATTRIBUTES_MOST)
        part[(*count)++] = (CK_ATTRIBUTE){type, value, bytes};
}

static void secret_add(struct like_template *out, CK_ATTRIBUTE_TYPE type, void *value,
                       CK_ULONG bytes)
{
    add(out->secret, &out->secret_count, type, value, bytes);
}

static void public_add(struct like_template *out, CK_ATTRIBUTE_TYPE type, void *value,
                       CK_ULONG bytes)
{
    add(out->public, &out->public_count, type, value, bytes);
}

static void uses_add(struct like_template *out, uint32_t wanted)
{
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        if (!(wanted & 1u << uses[i].operation))
            continue;
        secret_add(out, uses[i].private_use, &yes, sizeof yes);
        if (!out->pair)
            secret_add(out, uses[i].public_use, &yes, sizeof yes);
        else if (uses[i].public_use != CKA_DERIVE)
            public_add(out, uses[i].public_use, &yes, sizeof yes);
    }
}

static void places_add(struct like_template *out, const struct like_stage *stage, uint32_t object,
                       bool token, bool private)
{
    *out = (struct like_template){.token = token, .private = private};
    like_label(stage, object, out->label);
    secret_add(out, CKA_TOKEN, &out->token, sizeof out->token);
    secret_add(out, CKA_PRIVATE, &out->private, sizeof out->private);
    secret_add(out, CKA_LABEL, out->label, strlen(out->label));
    public_add(out, CKA_TOKEN, &out->token, sizeof out->token);
    public_add(out, CKA_PRIVATE, &no, sizeof no);
    public_add(out, CKA_LABEL, out->label, strlen(out->label));
}

static enum p11prof_bench_key_kind kind_of(CK_KEY_TYPE key_type)
{
    switch (key_type) {
    case CKK_RSA:
        return P11PROF_BENCH_KEY_RSA;
    case CKK_EC:
        return P11PROF_BENCH_KEY_EC;
    case CKK_EC_EDWARDS:
        return P11PROF_BENCH_KEY_EDWARDS;
    case CKK_AES:
        return P11PROF_BENCH_KEY_AES;
    default:
        return P11PROF_BENCH_KEY_GENERIC;
    }
}

/* Curve, modulus or length, and the mechanism, as the tests of bench have them. */
static bool size_add(struct like_template *out, const struct like_wish *wish)
{
    struct p11prof_bench_template like;
    const struct p11prof_bench_key_wish key = {
        .kind = kind_of(wish->key_type), .bits = wish->bits, .label = out->label};
    if (!p11prof_bench_template_make(&like, &key, 0))
        return false;
    out->mechanism.mechanism =
        wish->key_type == CKK_DES3 ? CKM_DES3_KEY_GEN : like.mechanism.mechanism;
    out->pair = like.pair;
    out->bits = wish->bits;
    out->value_bytes = wish->bits / 8;
    if (wish->key_type == CKK_RSA) {
        public_add(out, CKA_MODULUS_BITS, &out->bits, sizeof out->bits);
        public_add(out, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
    }
    for (CK_ULONG i = 0; i < like.public_count; i++)
        if (like.public_part[i].type == CKA_EC_PARAMS)
            out->public[out->public_count++] = like.public_part[i];
    if (!out->pair && wish->key_type != CKK_DES3)
        secret_add(out, CKA_VALUE_LEN, &out->value_bytes, sizeof out->value_bytes);
    return true;
}

bool like_template_generate(struct like_template *out, const struct like_stage *stage,
                            uint32_t object, bool token, bool private)
{
    const struct like_wish *wish = &stage->wishes[object - 1];
    places_add(out, stage, object, token, private);
    if (wish->key_type == CK_UNAVAILABLE_INFORMATION || !size_add(out, wish))
        return false;
    if (out->pair) {
        secret_add(out, CKA_ID, out->label, strlen(out->label));
        public_add(out, CKA_ID, out->label, strlen(out->label));
    }
    secret_add(out, CKA_SENSITIVE, &yes, sizeof yes);
    secret_add(out, CKA_EXTRACTABLE, &no, sizeof no);
    uses_add(out, wish->uses);
    return true;
}

void like_template_secret(struct like_template *out, const struct like_stage *stage,
                          uint32_t object, bool token)
{
    const struct like_wish *wish = &stage->wishes[object - 1];
    bool known = wish->key_type != CK_UNAVAILABLE_INFORMATION;
    places_add(out, stage, object, token, false);
    out->class = known ? wish->class : CKO_SECRET_KEY;
    out->key_type = known ? wish->key_type : CKK_GENERIC_SECRET;
    secret_add(out, CKA_CLASS, &out->class, sizeof out->class);
    secret_add(out, CKA_KEY_TYPE, &out->key_type, sizeof out->key_type);
    uses_add(out, wish->uses);
}

void like_template_create(struct like_template *out, const struct like_stage *stage,
                          uint32_t object, bool token, CK_BYTE *data)
{
    const struct like_wish *wish = &stage->wishes[object - 1];
    CK_ULONG bytes = wish->bits / 8 <= VALUE_BYTES ? wish->bits / 8 : VALUE_BYTES;
    if (wish->class == CKO_SECRET_KEY) {
        like_template_secret(out, stage, object, token);
        secret_add(out, CKA_VALUE, data, bytes);
        return;
    }
    places_add(out, stage, object, token, false);
    out->class = wish->class == CKO_CERTIFICATE ? CKO_CERTIFICATE : CKO_DATA;
    secret_add(out, CKA_CLASS, &out->class, sizeof out->class);
    if (wish->class == CKO_CERTIFICATE) {
        secret_add(out, CKA_CERTIFICATE_TYPE, &x509, sizeof x509);
        secret_add(out, CKA_SUBJECT, empty_name, sizeof empty_name);
    }
    secret_add(out, CKA_VALUE, data, VALUE_BYTES);
}

/* --- making --- */

static CK_RV key_make(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                      CK_SESSION_HANDLE session, uint32_t object, bool private,
                      const char **function)
{
    struct like_template template;
    CK_OBJECT_HANDLE first = CK_INVALID_HANDLE, second = CK_INVALID_HANDLE;
    const struct like_wish *wish = &stage->wishes[object - 1];
    uint32_t pair = stage->script->objects[object - 1].pair;
    *function = "C_GenerateKey";
    if (!like_template_generate(&template, stage, object, true, private))
        return CKR_CURVE_NOT_SUPPORTED;
    if (!template.pair) {
        CK_RV rv = module->C_GenerateKey(session, &template.mechanism, template.secret,
                                         template.secret_count, &first);
        stage->handles[object - 1] = first;
        return rv;
    }
    *function = "C_GenerateKeyPair";
    CK_RV rv = module->C_GenerateKeyPair(session, &template.mechanism, template.public,
                                         template.public_count, template.secret,
                                         template.secret_count, &second, &first);
    stage->handles[object - 1] = wish->class == CKO_PUBLIC_KEY ? second : first;
    if (pair > 0 && pair <= stage->script->object_count)
        stage->handles[pair - 1] = wish->class == CKO_PUBLIC_KEY ? first : second;
    return rv;
}

/* A token that takes no such certificate still has something to find and to read. */
static CK_RV other_make(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                        CK_SESSION_HANDLE session, uint32_t object)
{
    struct like_template template;
    CK_OBJECT_HANDLE *handle = &stage->handles[object - 1];
    like_template_create(&template, stage, object, true, stage->data);
    CK_RV rv = module->C_CreateObject(session, template.secret, template.secret_count, handle);
    if (rv == CKR_OK || template.class != CKO_CERTIFICATE)
        return rv;
    CK_ATTRIBUTE data[] = {{CKA_CLASS, &class_data, sizeof class_data},
                           {CKA_TOKEN, &yes, sizeof yes},
                           {CKA_PRIVATE, &no, sizeof no},
                           {CKA_LABEL, template.label, strlen(template.label)},
                           {CKA_VALUE, stage->data, VALUE_BYTES}};
    return module->C_CreateObject(session, data, sizeof data / sizeof data[0], handle);
}

static enum p11prof_status failed(const struct like_stage *stage, uint32_t object,
                                  const char *function, CK_RV rv, struct p11prof_error *error)
{
    char text[32];
    const struct like_wish *wish = &stage->wishes[object - 1];
    const char *name = wish->key_type == CK_UNAVAILABLE_INFORMATION
                           ? "data"
                           : p11prof_key_type_name(wish->key_type);
    return p11prof_error_set(error, P11PROF_FAILED,
                             "object %u of the script (%s, %u bits) cannot be made on this token: "
                             "%s answered %s; nothing was played",
                             object, name ? name : "a key of a vendor's own type", wish->bits,
                             function, p11prof_rv_text(rv, text));
}

static CK_RV wrapped_make(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                          CK_SESSION_HANDLE session)
{
    char label[LIKE_LABEL_BYTES];
    CK_ULONG bytes = stage->wrapped_bits / 8;
    CK_MECHANISM mechanism = {.mechanism = CKM_AES_KEY_GEN};
    like_label(stage, 0, label);
    CK_ATTRIBUTE attributes[] = {
        {CKA_TOKEN, &yes, sizeof yes},       {CKA_PRIVATE, &no, sizeof no},
        {CKA_LABEL, label, strlen(label)},   {CKA_VALUE_LEN, &bytes, sizeof bytes},
        {CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_SENSITIVE, &no, sizeof no},
        {CKA_ENCRYPT, &yes, sizeof yes}};
    return module->C_GenerateKey(session, &mechanism, attributes,
                                 sizeof attributes / sizeof attributes[0], &stage->shared->wrapped);
}

enum p11prof_status like_token_objects_make(const struct like_stage *stage,
                                            CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                            bool logged_in, const _Atomic(uint32_t) *stop,
                                            struct p11prof_error *error)
{
    for (uint32_t object = 1; object <= stage->script->object_count && !atomic_load(stop);
         object++) {
        const struct like_wish *wish = &stage->wishes[object - 1];
        bool is_key = wish->key_type != CK_UNAVAILABLE_INFORMATION &&
                      wish->class != CKO_CERTIFICATE && wish->class != CKO_DATA;
        const char *function = "C_CreateObject";
        if (stage->script->objects[object - 1].made || stage->handles[object - 1])
            continue;
        CK_RV rv = is_key ? key_make(stage, module, session, object, logged_in && stage->logs_in,
                                     &function)
                          : other_make(stage, module, session, object);
        if (rv != CKR_OK)
            return failed(stage, object, function, rv, error);
    }
    if (stage->wrapped_bits > 0)
        wrapped_make(stage, module, session);
    return P11PROF_OK;
}

/* --- finding --- */

static CK_OBJECT_HANDLE find_first(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                   CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    CK_ULONG found = 0;
    if (module->C_FindObjectsInit(session, attributes, count) != CKR_OK)
        return CK_INVALID_HANDLE;
    if (module->C_FindObjects(session, &handle, 1, &found) != CKR_OK || found == 0)
        handle = CK_INVALID_HANDLE;
    module->C_FindObjectsFinal(session);
    return handle;
}

static CK_OBJECT_HANDLE find_of_class(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                                      CK_SESSION_HANDLE session, uint32_t object,
                                      CK_OBJECT_CLASS class)
{
    char label[LIKE_LABEL_BYTES];
    like_label(stage, object, label);
    CK_ATTRIBUTE attributes[] = {{CKA_LABEL, label, strlen(label)},
                                 {CKA_CLASS, &class, sizeof class}};
    return find_first(module, session, attributes, 2);
}

CK_OBJECT_HANDLE like_token_object_find(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                                        CK_SESSION_HANDLE session, uint32_t object)
{
    CK_OBJECT_CLASS class = stage->wishes[object - 1].class;
    CK_OBJECT_HANDLE handle = find_of_class(stage, module, session, object, class);
    return handle != CK_INVALID_HANDLE || class != CKO_CERTIFICATE
               ? handle
               : find_of_class(stage, module, session, object, CKO_DATA);
}

CK_OBJECT_HANDLE like_other_half(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                                 CK_SESSION_HANDLE session, uint32_t object)
{
    CK_OBJECT_CLASS class = stage->wishes[object - 1].class;
    if (class != CKO_PUBLIC_KEY && class != CKO_PRIVATE_KEY)
        return stage->handles[object - 1];
    return find_of_class(stage, module, session, object,
                         class == CKO_PUBLIC_KEY ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY);
}

CK_OBJECT_HANDLE like_wrapped_find(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                                   CK_SESSION_HANDLE session)
{
    char label[LIKE_LABEL_BYTES];
    like_label(stage, 0, label);
    CK_ATTRIBUTE attribute = {CKA_LABEL, label, strlen(label)};
    return find_first(module, session, &attribute, 1);
}

static bool is_ours(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    char label[256];
    CK_ATTRIBUTE attribute = {CKA_LABEL, label, sizeof label};
    size_t bytes = strlen(stage->label);
    return module->C_GetAttributeValue(session, object, &attribute, 1) == CKR_OK &&
           attribute.ulValueLen <= sizeof label && attribute.ulValueLen > bytes &&
           memcmp(label, stage->label, bytes) == 0 && label[bytes] == '-';
}

/* All token objects that can be seen. */
static CK_OBJECT_HANDLE *find_all(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                  size_t *count)
{
    CK_ATTRIBUTE attribute = {CKA_TOKEN, &yes, sizeof yes};
    CK_OBJECT_HANDLE *handles = NULL;
    CK_ULONG found = 1;
    *count = 0;
    if (module->C_FindObjectsInit(session, &attribute, 1) != CKR_OK)
        return NULL;
    while (found > 0 && *count < FOUND_MOST) {
        void *more = realloc(handles, (*count + FOUND_AT_ONCE) * sizeof *handles);
        if (!more)
            break;
        handles = more;
        if (module->C_FindObjects(session, handles + *count, FOUND_AT_ONCE, &found) != CKR_OK ||
            found > FOUND_AT_ONCE)
            found = 0;
        *count += found;
    }
    module->C_FindObjectsFinal(session);
    return handles;
}

size_t like_token_objects_destroy(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                                  CK_SESSION_HANDLE session)
{
    size_t count, left = 0;
    CK_OBJECT_HANDLE *handles = find_all(module, session, &count);
    for (size_t i = 0; i < count; i++)
        if (is_ours(stage, module, session, handles[i]))
            left += module->C_DestroyObject(session, handles[i]) != CKR_OK;
    free(handles);
    return left;
}
