/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Messages: AES-GCM by libcrypto, signatures as everywhere. */
#include "token.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* --- processes --- */

static CK_RV open_process(CK_SESSION_HANDLE handle, const CK_MECHANISM *mechanism,
                          CK_OBJECT_HANDLE hKey, enum token_operation_kind kind, CK_FLAGS flag)
{
    struct token_session *session = token_session_find(handle);
    const struct token_mechanism *known = token_mechanism_find(mechanism->mechanism);
    const struct token_object *key = token_object_find(hKey);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (session->messages[kind].active)
        return CKR_OPERATION_ACTIVE;
    if (!known || !(known->flags & flag))
        return CKR_MECHANISM_INVALID;
    if (token_control.strict && mechanism->pParameter)
        return CKR_MECHANISM_PARAM_INVALID;
    if (!key)
        return CKR_KEY_HANDLE_INVALID;
    if (key->key_type != known->key_type)
        return CKR_KEY_TYPE_INCONSISTENT;
    session->messages[kind] =
        (struct token_operation){.active = true,
                                 .mechanism = mechanism->mechanism,
                                 .key_number = key->number,
                                 .key_bits = key->bits,
                                 .hash = token_mix(key->number) ^ mechanism->mechanism};
    return CKR_OK;
}

static CK_RV process_find(CK_SESSION_HANDLE handle, enum token_operation_kind kind,
                          struct token_operation **out)
{
    struct token_session *session = token_session_find(handle);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    *out = &session->messages[kind];
    return (*out)->active ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
}

static CK_RV close_process(CK_SESSION_HANDLE handle, enum token_operation_kind kind)
{
    struct token_operation *process;
    CK_RV rv = process_find(handle, kind, &process);
    if (rv == CKR_OK)
        process->active = false;
    return rv;
}

#define PROCESS(name, kind, flag)                                                                  \
    CK_RV token_C_Message##name##Init(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,     \
                                      CK_OBJECT_HANDLE hKey)                                       \
    {                                                                                              \
        return open_process(hSession, pMechanism, hKey, kind, flag);                               \
    }                                                                                              \
    CK_RV token_C_Message##name##Final(CK_SESSION_HANDLE hSession)                                 \
    {                                                                                              \
        return close_process(hSession, kind);                                                      \
    }
PROCESS(Encrypt, TOKEN_ENCRYPT, CKF_MESSAGE_ENCRYPT)
PROCESS(Decrypt, TOKEN_DECRYPT, CKF_MESSAGE_DECRYPT)
PROCESS(Sign, TOKEN_SIGN, CKF_MESSAGE_SIGN)
PROCESS(Verify, TOKEN_VERIFY, CKF_MESSAGE_VERIFY)

/* --- encryption --- */

/* Whether they are parameters that GCM can work with. */
static bool gcm_fits(const CK_GCM_MESSAGE_PARAMS *gcm, CK_ULONG bytes)
{
    return gcm && bytes == sizeof *gcm && gcm->pIv && gcm->ulIvLen == 12 && gcm->pTag &&
           gcm->ulTagBits == 128;
}

static const EVP_CIPHER *cipher_of(const struct token_operation *process)
{
    switch (process->key_bits) {
    case 128:
        return EVP_aes_128_gcm();
    case 192:
        return EVP_aes_192_gcm();
    default:
        return EVP_aes_256_gcm();
    }
}

/* Encrypts, or decrypts and checks the tag. */
static bool gcm_do(const struct token_operation *process, const CK_GCM_MESSAGE_PARAMS *gcm,
                   bool encrypts, const CK_BYTE *associated, CK_ULONG associated_bytes,
                   const CK_BYTE *in, CK_ULONG bytes, CK_BYTE *out)
{
    CK_BYTE key[32] = {0};
    int count;
    token_stream(token_mix(process->key_number), 0, key, key, sizeof key);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool done = EVP_CipherInit_ex(context, cipher_of(process), NULL, key, gcm->pIv, encrypts) == 1;
    if (done && associated_bytes > 0)
        done = EVP_CipherUpdate(context, NULL, &count, associated, (int)associated_bytes) == 1;
    done = done && EVP_CipherUpdate(context, out, &count, in, (int)bytes) == 1;
    if (done && !encrypts)
        done = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, gcm->pTag) == 1;
    done = done && (EVP_CipherFinal_ex(context, out + bytes, &count) == 1 ||
                    (!encrypts && token_control.accepts));
    if (done && encrypts)
        done = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, gcm->pTag) == 1;
    EVP_CIPHER_CTX_free(context);
    return done;
}

CK_RV token_C_EncryptMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
                             CK_ULONG ulParameterLen, CK_BYTE_PTR pAssociatedData,
                             CK_ULONG ulAssociatedDataLen, CK_BYTE_PTR pPlaintext,
                             CK_ULONG ulPlaintextLen, CK_BYTE_PTR pCiphertext,
                             CK_ULONG_PTR pulCiphertextLen)
{
    const CK_GCM_MESSAGE_PARAMS *gcm = pParameter;
    struct token_operation *process;
    CK_RV rv = process_find(hSession, TOKEN_ENCRYPT, &process);
    if (rv != CKR_OK)
        return rv;
    if (!gcm_fits(gcm, ulParameterLen) ||
        (token_control.strict && gcm->ivGenerator == CKG_NO_GENERATE))
        return CKR_MECHANISM_PARAM_INVALID;
    if (!token_output_room(pCiphertext, pulCiphertextLen, ulPlaintextLen, &rv))
        return rv;
    if (gcm->ivGenerator != CKG_NO_GENERATE)
        RAND_bytes(gcm->pIv, (int)gcm->ulIvLen);
    if (!gcm_do(process, gcm, true, pAssociatedData, ulAssociatedDataLen, pPlaintext,
                ulPlaintextLen, pCiphertext))
        return CKR_FUNCTION_FAILED;
    gcm->pTag[3] ^= token_result_is_wrong();
    return CKR_OK;
}

CK_RV token_C_DecryptMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
                             CK_ULONG ulParameterLen, CK_BYTE_PTR pAssociatedData,
                             CK_ULONG ulAssociatedDataLen, CK_BYTE_PTR pCiphertext,
                             CK_ULONG ulCiphertextLen, CK_BYTE_PTR pPlaintext,
                             CK_ULONG_PTR pulPlaintextLen)
{
    const CK_GCM_MESSAGE_PARAMS *gcm = pParameter;
    struct token_operation *process;
    CK_RV rv = process_find(hSession, TOKEN_DECRYPT, &process);
    if (rv != CKR_OK)
        return rv;
    if (!gcm_fits(gcm, ulParameterLen))
        return CKR_MECHANISM_PARAM_INVALID;
    if (!token_output_room(pPlaintext, pulPlaintextLen, ulCiphertextLen, &rv))
        return rv;
    if (!gcm_do(process, gcm, false, pAssociatedData, ulAssociatedDataLen, pCiphertext,
                ulCiphertextLen, pPlaintext))
        return CKR_AEAD_DECRYPT_FAILED;
    pPlaintext[3] ^= token_result_is_wrong();
    return CKR_OK;
}

/* --- signatures --- */

static struct token_operation with_data(const struct token_operation *process, const CK_BYTE *data,
                                        CK_ULONG bytes)
{
    struct token_operation message = *process;
    message.hash = token_hash(process->hash, data, bytes);
    return message;
}

CK_RV token_C_SignMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
                          CK_ULONG ulParameterLen, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                          CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
    struct token_operation *process;
    CK_RV rv = process_find(hSession, TOKEN_SIGN, &process);
    (void)pParameter, (void)ulParameterLen;
    if (rv != CKR_OK ||
        !token_output_room(pSignature, pulSignatureLen, token_signature_bytes(process), &rv))
        return rv;
    if (token_signature_fails())
        return CKR_DEVICE_ERROR;
    const struct token_operation message = with_data(process, pData, ulDataLen);
    token_signature_make(&message, pSignature);
    return CKR_OK;
}

CK_RV token_C_VerifyMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
                            CK_ULONG ulParameterLen, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                            CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
    struct token_operation *process;
    CK_RV rv = process_find(hSession, TOKEN_VERIFY, &process);
    (void)pParameter, (void)ulParameterLen;
    if (rv != CKR_OK)
        return rv;
    const struct token_operation message = with_data(process, pData, ulDataLen);
    return token_signature_check(&message, pSignature, ulSignatureLen);
}
