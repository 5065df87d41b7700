/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "calls.h"

#include <string.h>

/* Functions with the same parameters are called in the same way; each shape is one of these. */
typedef CK_RV (*shape)(like_function function, struct like_arguments *a);

static CK_RV initialize(like_function function, struct like_arguments *a)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    (void)a;
    return ((CK_RV(*)(CK_VOID_PTR))function)(&arguments);
}

static CK_RV finalize(like_function function, struct like_arguments *a)
{
    (void)a;
    return ((CK_RV(*)(CK_VOID_PTR))function)(NULL);
}

static CK_RV library_info(like_function function, struct like_arguments *a)
{
    CK_INFO info;
    (void)a;
    return ((CK_RV(*)(CK_INFO_PTR))function)(&info);
}

static CK_RV function_list(like_function function, struct like_arguments *a)
{
    CK_FUNCTION_LIST_PTR list;
    (void)a;
    return ((CK_RV(*)(CK_FUNCTION_LIST_PTR_PTR))function)(&list);
}

static CK_RV slot_list(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_BBOOL, CK_SLOT_ID_PTR, CK_ULONG_PTR))function)(
        CK_TRUE, (CK_SLOT_ID_PTR)(void *)a->out, &a->count);
}

static CK_RV slot_info(like_function function, struct like_arguments *a)
{
    CK_SLOT_INFO info;
    return ((CK_RV(*)(CK_SLOT_ID, CK_SLOT_INFO_PTR))function)(a->slot, &info);
}

static CK_RV token_info(like_function function, struct like_arguments *a)
{
    CK_TOKEN_INFO info;
    return ((CK_RV(*)(CK_SLOT_ID, CK_TOKEN_INFO_PTR))function)(a->slot, &info);
}

static CK_RV mechanism_list(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SLOT_ID, CK_MECHANISM_TYPE_PTR, CK_ULONG_PTR))function)(
        a->slot, (CK_MECHANISM_TYPE_PTR)(void *)a->out, &a->count);
}

static CK_RV mechanism_info(like_function function, struct like_arguments *a)
{
    CK_MECHANISM_INFO info;
    return ((CK_RV(*)(CK_SLOT_ID, CK_MECHANISM_TYPE, CK_MECHANISM_INFO_PTR))function)(
        a->slot, a->mechanism.mechanism.mechanism, &info);
}

static CK_RV open_session(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SLOT_ID, CK_FLAGS, CK_VOID_PTR, CK_NOTIFY,
                      CK_SESSION_HANDLE_PTR))function)(a->slot, a->flags, NULL, NULL, &a->opened);
}

static CK_RV of_session(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE))function)(a->session);
}

static CK_RV close_all(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SLOT_ID))function)(a->slot);
}

static CK_RV session_info(like_function function, struct like_arguments *a)
{
    CK_SESSION_INFO info;
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_SESSION_INFO_PTR))function)(a->session, &info);
}

static CK_RV out_only(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR))function)(a->session, a->out,
                                                                              &a->out_bytes);
}

static CK_RV set_state(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_OBJECT_HANDLE,
                      CK_OBJECT_HANDLE))function)(a->session, a->in, a->in_bytes, a->object, 0);
}

static CK_RV login(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_USER_TYPE, CK_UTF8CHAR_PTR, CK_ULONG))function)(
        a->session, a->user, a->pin, a->pin_bytes);
}

static CK_RV login_user(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_USER_TYPE, CK_UTF8CHAR_PTR, CK_ULONG, CK_UTF8CHAR_PTR,
                      CK_ULONG))function)(a->session, a->user, a->pin, a->pin_bytes, NULL, 0);
}

static CK_RV create_object(like_function function, struct like_arguments *a)
{
    return (
        (CK_RV(*)(CK_SESSION_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR))function)(
        a->session, a->template.secret, a->template.secret_count, &a->made[0]);
}

static CK_RV copy_object(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG,
                      CK_OBJECT_HANDLE_PTR))function)(a->session, a->object, a->attributes,
                                                      a->attribute_count, &a->made[0]);
}

static CK_RV of_object(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE))function)(a->session, a->object);
}

static CK_RV object_size(like_function function, struct like_arguments *a)
{
    CK_ULONG bytes;
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ULONG_PTR))function)(
        a->session, a->object, &bytes);
}

static CK_RV attribute_values(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG))function)(
        a->session, a->object, a->attributes, a->attribute_count);
}

static CK_RV find_init(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG))function)(
        a->session, a->attributes, a->attribute_count);
}

static CK_RV find(like_function function, struct like_arguments *a)
{
    CK_ULONG found = 0;
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE_PTR, CK_ULONG, CK_ULONG_PTR))function)(
        a->session, (CK_OBJECT_HANDLE_PTR)(void *)a->out, a->count, &found);
}

static CK_RV init(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE))function)(
        a->session, &a->mechanism.mechanism, a->object);
}

static CK_RV digest_init(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR))function)(a->session,
                                                                     &a->mechanism.mechanism);
}

static CK_RV in_and_out(like_function function, struct like_arguments *a)
{
    return (
        (CK_RV(*)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR))function)(
        a->session, a->in, a->in_bytes, a->out, &a->out_bytes);
}

static CK_RV in_only(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG))function)(a->session, a->in,
                                                                          a->in_bytes);
}

static CK_RV signature_only(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG))function)(a->session, a->signature,
                                                                          a->signature_bytes);
}

static CK_RV random_out(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG))function)(a->session, a->out,
                                                                          a->out_bytes);
}

static CK_RV verify(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG))function)(
        a->session, a->in, a->in_bytes, a->signature, a->signature_bytes);
}

static CK_RV generate_key(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_ATTRIBUTE_PTR, CK_ULONG,
                      CK_OBJECT_HANDLE_PTR))function)(a->session, &a->mechanism.mechanism,
                                                      a->template.secret, a->template.secret_count,
                                                      &a->made[0]);
}

static CK_RV generate_pair(like_function function, struct like_arguments *a)
{
    return (
        (CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_ATTRIBUTE_PTR, CK_ULONG, CK_ATTRIBUTE_PTR,
                  CK_ULONG, CK_OBJECT_HANDLE_PTR, CK_OBJECT_HANDLE_PTR))function)(
        a->session, &a->mechanism.mechanism, a->template.public, a->template.public_count,
        a->template.secret, a->template.secret_count, &a->made[1], &a->made[0]);
}

static CK_RV wrap(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE,
                      CK_BYTE_PTR, CK_ULONG_PTR))function)(
        a->session, &a->mechanism.mechanism, a->object, a->other, a->out, &a->out_bytes);
}

static CK_RV wrap_authenticated(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE,
                      CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR))function)(
        a->session, &a->mechanism.mechanism, a->object, a->other, NULL, 0, a->out, &a->out_bytes);
}

static CK_RV unwrap(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_BYTE_PTR, CK_ULONG,
                      CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR))function)(
        a->session, &a->mechanism.mechanism, a->object, a->in, a->in_bytes, a->template.secret,
        a->template.secret_count, &a->made[0]);
}

static CK_RV unwrap_authenticated(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_BYTE_PTR, CK_ULONG,
                      CK_ATTRIBUTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG,
                      CK_OBJECT_HANDLE_PTR))function)(
        a->session, &a->mechanism.mechanism, a->object, a->in, a->in_bytes, a->template.secret,
        a->template.secret_count, NULL, 0, &a->made[0]);
}

static CK_RV derive(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR,
                      CK_ULONG, CK_OBJECT_HANDLE_PTR))function)(
        a->session, &a->mechanism.mechanism, a->object, a->template.secret,
        a->template.secret_count, &a->made[0]);
}

static CK_RV encapsulate(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR,
                      CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR, CK_OBJECT_HANDLE_PTR))function)(
        a->session, &a->mechanism.mechanism, a->object, a->template.secret,
        a->template.secret_count, a->out, &a->out_bytes, &a->made[0]);
}

static CK_RV decapsulate(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR,
                      CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR))function)(
        a->session, &a->mechanism.mechanism, a->object, a->template.secret,
        a->template.secret_count, a->in, a->in_bytes, &a->made[0]);
}

/* A thread that waited here would never come back. */
static CK_RV slot_event(like_function function, struct like_arguments *a)
{
    CK_SLOT_ID slot = a->slot;
    return ((CK_RV(*)(CK_FLAGS, CK_SLOT_ID_PTR, CK_VOID_PTR))function)(CKF_DONT_BLOCK, &slot, NULL);
}

static CK_RV interface_list(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_INTERFACE_PTR, CK_ULONG_PTR))function)((CK_INTERFACE_PTR)(void *)a->out,
                                                                &a->count);
}

static CK_RV interface_get(like_function function, struct like_arguments *a)
{
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_INTERFACE_PTR interface = NULL;
    (void)a;
    return ((CK_RV(*)(CK_UTF8CHAR_PTR, CK_VERSION_PTR, CK_INTERFACE_PTR_PTR, CK_FLAGS))function)(
        name, NULL, &interface, 0);
}

static CK_RV session_cancel(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_FLAGS))function)(a->session, a->flags);
}

/* The parameter of a message, where its mechanism has one, is that of the mechanism. */
static CK_RV message(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
                      CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR))function)(
        a->session, NULL, 0, NULL, 0, a->in, a->in_bytes, a->out, &a->out_bytes);
}

static CK_RV message_begin(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG))function)(
        a->session, NULL, 0, NULL, 0);
}

static CK_RV message_next(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
                      CK_ULONG_PTR, CK_FLAGS))function)(a->session, NULL, 0, a->in, a->in_bytes,
                                                        a->out, &a->out_bytes, CKF_END_OF_MESSAGE);
}

static CK_RV sign_message(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
                      CK_ULONG_PTR))function)(a->session, NULL, 0, a->in, a->in_bytes, a->out,
                                              &a->out_bytes);
}

static CK_RV signature_begin(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG))function)(a->session, NULL, 0);
}

static CK_RV verify_message(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
                      CK_ULONG))function)(a->session, NULL, 0, a->in, a->in_bytes, a->signature,
                                          a->signature_bytes);
}

static CK_RV verify_signature_init(like_function function, struct like_arguments *a)
{
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_BYTE_PTR,
                      CK_ULONG))function)(a->session, &a->mechanism.mechanism, a->object,
                                          a->signature, a->signature_bytes);
}

static CK_RV validation_flags(like_function function, struct like_arguments *a)
{
    CK_FLAGS flags = 0;
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_SESSION_VALIDATION_FLAGS_TYPE, CK_FLAGS_PTR))function)(
        a->session, CKS_LAST_VALIDATION_OK, &flags);
}

static CK_RV async_complete(like_function function, struct like_arguments *a)
{
    CK_UTF8CHAR name[] = "C_Sign";
    CK_ASYNC_DATA data = {.ulVersion = 0};
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_UTF8CHAR_PTR, CK_ASYNC_DATA_PTR))function)(a->session,
                                                                                       name, &data);
}

static CK_RV async_id(like_function function, struct like_arguments *a)
{
    CK_UTF8CHAR name[] = "C_Sign";
    CK_ULONG id = 0;
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_UTF8CHAR_PTR, CK_ULONG_PTR))function)(a->session, name,
                                                                                  &id);
}

static CK_RV async_join(like_function function, struct like_arguments *a)
{
    CK_UTF8CHAR name[] = "C_Sign";
    return ((CK_RV(*)(CK_SESSION_HANDLE, CK_UTF8CHAR_PTR, CK_ULONG, CK_BYTE_PTR,
                      CK_ULONG))function)(a->session, name, 0, a->in, a->in_bytes);
}

/* C_InitToken, C_InitPIN and C_SetPIN stand in none of these: they change a token for good. */
static const shape shapes[P11PROF_CALLS + 1] = {
    [P11PROF_C_Initialize] = initialize,
    [P11PROF_C_Finalize] = finalize,
    [P11PROF_C_GetInfo] = library_info,
    [P11PROF_C_GetFunctionList] = function_list,
    [P11PROF_C_GetSlotList] = slot_list,
    [P11PROF_C_GetSlotInfo] = slot_info,
    [P11PROF_C_GetTokenInfo] = token_info,
    [P11PROF_C_GetMechanismList] = mechanism_list,
    [P11PROF_C_GetMechanismInfo] = mechanism_info,
    [P11PROF_C_OpenSession] = open_session,
    [P11PROF_C_CloseSession] = of_session,
    [P11PROF_C_CloseAllSessions] = close_all,
    [P11PROF_C_GetSessionInfo] = session_info,
    [P11PROF_C_GetOperationState] = out_only,
    [P11PROF_C_SetOperationState] = set_state,
    [P11PROF_C_Login] = login,
    [P11PROF_C_Logout] = of_session,
    [P11PROF_C_CreateObject] = create_object,
    [P11PROF_C_CopyObject] = copy_object,
    [P11PROF_C_DestroyObject] = of_object,
    [P11PROF_C_GetObjectSize] = object_size,
    [P11PROF_C_GetAttributeValue] = attribute_values,
    [P11PROF_C_SetAttributeValue] = attribute_values,
    [P11PROF_C_FindObjectsInit] = find_init,
    [P11PROF_C_FindObjects] = find,
    [P11PROF_C_FindObjectsFinal] = of_session,
    [P11PROF_C_EncryptInit] = init,
    [P11PROF_C_Encrypt] = in_and_out,
    [P11PROF_C_EncryptUpdate] = in_and_out,
    [P11PROF_C_EncryptFinal] = out_only,
    [P11PROF_C_DecryptInit] = init,
    [P11PROF_C_Decrypt] = in_and_out,
    [P11PROF_C_DecryptUpdate] = in_and_out,
    [P11PROF_C_DecryptFinal] = out_only,
    [P11PROF_C_DigestInit] = digest_init,
    [P11PROF_C_Digest] = in_and_out,
    [P11PROF_C_DigestUpdate] = in_only,
    [P11PROF_C_DigestKey] = of_object,
    [P11PROF_C_DigestFinal] = out_only,
    [P11PROF_C_SignInit] = init,
    [P11PROF_C_Sign] = in_and_out,
    [P11PROF_C_SignUpdate] = in_only,
    [P11PROF_C_SignFinal] = out_only,
    [P11PROF_C_SignRecoverInit] = init,
    [P11PROF_C_SignRecover] = in_and_out,
    [P11PROF_C_VerifyInit] = init,
    [P11PROF_C_Verify] = verify,
    [P11PROF_C_VerifyUpdate] = in_only,
    [P11PROF_C_VerifyFinal] = signature_only,
    [P11PROF_C_VerifyRecoverInit] = init,
    [P11PROF_C_VerifyRecover] = in_and_out,
    [P11PROF_C_DigestEncryptUpdate] = in_and_out,
    [P11PROF_C_DecryptDigestUpdate] = in_and_out,
    [P11PROF_C_SignEncryptUpdate] = in_and_out,
    [P11PROF_C_DecryptVerifyUpdate] = in_and_out,
    [P11PROF_C_GenerateKey] = generate_key,
    [P11PROF_C_GenerateKeyPair] = generate_pair,
    [P11PROF_C_WrapKey] = wrap,
    [P11PROF_C_UnwrapKey] = unwrap,
    [P11PROF_C_DeriveKey] = derive,
    [P11PROF_C_SeedRandom] = in_only,
    [P11PROF_C_GenerateRandom] = random_out,
    [P11PROF_C_GetFunctionStatus] = of_session,
    [P11PROF_C_CancelFunction] = of_session,
    [P11PROF_C_WaitForSlotEvent] = slot_event,
    [P11PROF_C_GetInterfaceList] = interface_list,
    [P11PROF_C_GetInterface] = interface_get,
    [P11PROF_C_LoginUser] = login_user,
    [P11PROF_C_SessionCancel] = session_cancel,
    [P11PROF_C_MessageEncryptInit] = init,
    [P11PROF_C_EncryptMessage] = message,
    [P11PROF_C_EncryptMessageBegin] = message_begin,
    [P11PROF_C_EncryptMessageNext] = message_next,
    [P11PROF_C_MessageEncryptFinal] = of_session,
    [P11PROF_C_MessageDecryptInit] = init,
    [P11PROF_C_DecryptMessage] = message,
    [P11PROF_C_DecryptMessageBegin] = message_begin,
    [P11PROF_C_DecryptMessageNext] = message_next,
    [P11PROF_C_MessageDecryptFinal] = of_session,
    [P11PROF_C_MessageSignInit] = init,
    [P11PROF_C_SignMessage] = sign_message,
    [P11PROF_C_SignMessageBegin] = signature_begin,
    [P11PROF_C_SignMessageNext] = sign_message,
    [P11PROF_C_MessageSignFinal] = of_session,
    [P11PROF_C_MessageVerifyInit] = init,
    [P11PROF_C_VerifyMessage] = verify_message,
    [P11PROF_C_VerifyMessageBegin] = signature_begin,
    [P11PROF_C_VerifyMessageNext] = verify_message,
    [P11PROF_C_MessageVerifyFinal] = of_session,
    [P11PROF_C_EncapsulateKey] = encapsulate,
    [P11PROF_C_DecapsulateKey] = decapsulate,
    [P11PROF_C_VerifySignatureInit] = verify_signature_init,
    [P11PROF_C_VerifySignature] = in_only,
    [P11PROF_C_VerifySignatureUpdate] = in_only,
    [P11PROF_C_VerifySignatureFinal] = of_session,
    [P11PROF_C_GetSessionValidationFlags] = validation_flags,
    [P11PROF_C_AsyncComplete] = async_complete,
    [P11PROF_C_AsyncGetID] = async_id,
    [P11PROF_C_AsyncJoin] = async_join,
    [P11PROF_C_WrapKeyAuthenticated] = wrap_authenticated,
    [P11PROF_C_UnwrapKeyAuthenticated] = unwrap_authenticated,
};

bool like_call_is_played(unsigned function)
{
    return function <= P11PROF_CALLS && shapes[function] != NULL;
}

bool like_call_make(const struct p11prof_function_list *list, unsigned function,
                    struct like_arguments *arguments, CK_RV *rv)
{
    like_function called = like_function_get(list, function);
    if (!called || !like_call_is_played(function))
        return false;
    *rv = shapes[function](called, arguments);
    return true;
}
