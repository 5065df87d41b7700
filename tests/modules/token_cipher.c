/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Ciphertexts: bytes under a key stream, with padding or a checksum behind them. One of RSA is
 * {length, bytes under the key stream, zeros}. */
#include "token.h"

#include <string.h>

enum { RSA_PADDING = 11, BLOCK = 16 };

static bool is_rsa(const struct token_operation *operation)
{
    return token_mechanism_find(operation->mechanism)->key_type == CKK_RSA;
}

static enum token_cipher cipher_of(const struct token_operation *operation)
{
    return token_mechanism_find(operation->mechanism)->cipher;
}

static uint64_t stream_of(const struct token_operation *operation)
{
    return token_mix(operation->key_number ^ operation->parameter);
}

static void tag_make(const struct token_operation *operation, CK_BYTE tag[static TOKEN_TAIL])
{
    memset(tag, 0, TOKEN_TAIL);
    token_stream(operation->hash, 0, tag, tag, TOKEN_TAIL);
}

static void encipher(struct token_operation *operation, const CK_BYTE *in, CK_ULONG bytes,
                     CK_BYTE *out)
{
    token_stream(stream_of(operation), operation->done, out, in, bytes);
    operation->hash = token_hash(operation->hash, out, bytes);
    operation->done += bytes;
}

static void decipher(struct token_operation *operation, const CK_BYTE *in, CK_ULONG bytes,
                     CK_BYTE *out)
{
    operation->hash = token_hash(operation->hash, in, bytes);
    token_stream(stream_of(operation), operation->done, out, in, bytes);
    operation->done += bytes;
}

/* Whether so many bytes are what the mechanism takes. */
static bool length_fits(const struct token_operation *operation, CK_ULONG bytes)
{
    return (cipher_of(operation) != TOKEN_BLOCKS || bytes % BLOCK == 0) &&
           (operation->announced == CK_UNAVAILABLE_INFORMATION || operation->announced == bytes);
}

/* What comes behind a plaintext of so many bytes. */
static CK_ULONG tail_bytes(const struct token_operation *operation, CK_ULONG bytes)
{
    switch (cipher_of(operation)) {
    case TOKEN_PADDED:
        return BLOCK - bytes % BLOCK;
    case TOKEN_TAGGED:
        return TOKEN_TAIL;
    default:
        return 0;
    }
}

static void tail_make(struct token_operation *operation, CK_BYTE *out)
{
    CK_BYTE padding[BLOCK];
    CK_ULONG bytes = tail_bytes(operation, operation->done);
    memset(padding, (int)bytes, sizeof padding);
    if (cipher_of(operation) == TOKEN_TAGGED)
        tag_make(operation, out);
    else
        encipher(operation, padding, bytes, out);
}

/* --- enciphering --- */

CK_RV token_C_EncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
                            CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_ENCRYPT, &operation);
    if (rv != CKR_OK)
        return rv;
    if (is_rsa(operation))
        return CKR_FUNCTION_NOT_SUPPORTED;
    if (!token_output_room(pEncryptedPart, pulEncryptedPartLen, ulPartLen, &rv))
        return rv;
    bool first = operation->done == 0 && ulPartLen > 0;
    operation->in_parts = true;
    encipher(operation, pPart, ulPartLen, pEncryptedPart);
    if (first)
        pEncryptedPart[0] ^= token_result_is_wrong();
    return CKR_OK;
}

CK_RV token_C_EncryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastEncryptedPart,
                           CK_ULONG_PTR pulLastEncryptedPartLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_ENCRYPT, &operation);
    if (rv != CKR_OK)
        return rv;
    if (!token_output_room(pLastEncryptedPart, pulLastEncryptedPartLen,
                           tail_bytes(operation, operation->done), &rv))
        return rv;
    operation->active = false;
    if (!length_fits(operation, operation->done))
        return CKR_DATA_LEN_RANGE;
    tail_make(operation, pLastEncryptedPart);
    return CKR_OK;
}

static void rsa_encipher(struct token_operation *operation, const CK_BYTE *in, CK_ULONG bytes,
                         CK_BYTE *out)
{
    memset(out, 0, operation->key_bits / 8);
    out[0] = (CK_BYTE)bytes;
    encipher(operation, in, bytes, out + 1);
}

CK_RV token_C_Encrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                      CK_BYTE_PTR pEncryptedData, CK_ULONG_PTR pulEncryptedDataLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_ENCRYPT, &operation);
    if (rv != CKR_OK)
        return rv;
    if (operation->in_parts)
        return CKR_OPERATION_ACTIVE;
    bool rsa = is_rsa(operation);
    CK_ULONG bytes = rsa ? operation->key_bits / 8 : ulDataLen + tail_bytes(operation, ulDataLen);
    if (rsa ? ulDataLen > bytes - RSA_PADDING : !length_fits(operation, ulDataLen))
        rv = CKR_DATA_LEN_RANGE;
    if (rv == CKR_OK && !token_output_room(pEncryptedData, pulEncryptedDataLen, bytes, &rv))
        return rv;
    operation->active = false;
    if (rv != CKR_OK)
        return rv;
    if (rsa) {
        rsa_encipher(operation, pData, ulDataLen, pEncryptedData);
    } else {
        encipher(operation, pData, ulDataLen, pEncryptedData);
        tail_make(operation, pEncryptedData + ulDataLen);
    }
    pEncryptedData[1] ^= token_result_is_wrong();
    return CKR_OK;
}

/* --- deciphering --- */

/* The end of a ciphertext may be a tag or padding: who knows before it is the end. */
static CK_ULONG held_most(const struct token_operation *operation)
{
    enum token_cipher cipher = cipher_of(operation);
    return cipher == TOKEN_PADDED || cipher == TOKEN_TAGGED ? TOKEN_TAIL : 0;
}

static void release(struct token_operation *operation, const CK_BYTE *in, CK_ULONG bytes,
                    CK_BYTE *out)
{
    CK_ULONG most = held_most(operation);
    if (most == 0)
        decipher(operation, in, bytes, out);
    for (CK_ULONG i = 0; most > 0 && i < bytes; i++) {
        if (operation->held_bytes == most) {
            decipher(operation, operation->held, 1, out++);
            memmove(operation->held, operation->held + 1, --operation->held_bytes);
        }
        operation->held[operation->held_bytes++] = in[i];
    }
}

static CK_RV padding_take(struct token_operation *operation, CK_BYTE *out, CK_ULONG *out_bytes)
{
    CK_BYTE block[BLOCK];
    decipher(operation, operation->held, BLOCK, block);
    CK_BYTE padding = block[BLOCK - 1];
    if (padding < 1 || padding > BLOCK)
        return CKR_ENCRYPTED_DATA_INVALID;
    *out_bytes = BLOCK - padding;
    memcpy(out, block, *out_bytes);
    return CKR_OK;
}

/* What the held bytes are. */
static CK_RV held_take(struct token_operation *operation, CK_BYTE *out, CK_ULONG *out_bytes)
{
    CK_BYTE tag[TOKEN_TAIL];
    *out_bytes = 0;
    if (operation->held_bytes < held_most(operation))
        return CKR_ENCRYPTED_DATA_LEN_RANGE;
    if (cipher_of(operation) == TOKEN_PADDED)
        return padding_take(operation, out, out_bytes);
    if (!length_fits(operation, operation->done))
        return CKR_ENCRYPTED_DATA_LEN_RANGE;
    tag_make(operation, tag);
    bool right = memcmp(tag, operation->held, operation->held_bytes) == 0;
    return right || token_control.accepts ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID;
}

CK_RV token_C_DecryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart,
                            CK_ULONG ulEncryptedPartLen, CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_DECRYPT, &operation);
    if (rv != CKR_OK)
        return rv;
    if (is_rsa(operation))
        return CKR_FUNCTION_NOT_SUPPORTED;
    CK_ULONG all = operation->held_bytes + ulEncryptedPartLen, most = held_most(operation);
    CK_ULONG bytes = all > most ? all - most : 0;
    if (!token_output_room(pPart, pulPartLen, bytes, &rv))
        return rv;
    bool first = operation->done == 0 && bytes > 0;
    operation->in_parts = true;
    release(operation, pEncryptedPart, ulEncryptedPartLen, pPart);
    if (first)
        pPart[0] ^= token_result_is_wrong();
    return CKR_OK;
}

CK_RV token_C_DecryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastPart,
                           CK_ULONG_PTR pulLastPartLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_DECRYPT, &operation);
    if (rv != CKR_OK)
        return rv;
    CK_ULONG most = cipher_of(operation) == TOKEN_PADDED ? BLOCK - 1 : 0;
    if (!token_output_room(pLastPart, pulLastPartLen, most, &rv))
        return rv;
    operation->active = false;
    return held_take(operation, pLastPart, pulLastPartLen);
}

CK_RV token_C_Decrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedData,
                      CK_ULONG ulEncryptedDataLen, CK_BYTE_PTR pData, CK_ULONG_PTR pulDataLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_DECRYPT, &operation);
    if (rv != CKR_OK)
        return rv;
    if (operation->in_parts)
        return CKR_OPERATION_ACTIVE;
    bool rsa = is_rsa(operation);
    CK_ULONG tail = cipher_of(operation) == TOKEN_TAGGED ? TOKEN_TAIL : 0, last_bytes;
    CK_ULONG bytes = rsa ? pEncryptedData[0] : ulEncryptedDataLen - tail;
    if ((rsa && ulEncryptedDataLen != operation->key_bits / 8) || bytes > ulEncryptedDataLen)
        rv = CKR_ENCRYPTED_DATA_LEN_RANGE;
    if (rv == CKR_OK && !token_output_room(pData, pulDataLen, bytes, &rv))
        return rv;
    operation->active = false;
    if (rv != CKR_OK)
        return rv;
    if (rsa) {
        decipher(operation, pEncryptedData + 1, bytes, pData);
        return CKR_OK;
    }
    release(operation, pEncryptedData, ulEncryptedDataLen, pData);
    *pulDataLen = operation->done;
    rv = held_take(operation, pData + operation->done, &last_bytes);
    *pulDataLen += last_bytes;
    return rv;
}
