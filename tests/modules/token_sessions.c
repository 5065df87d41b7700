/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The library, its slot, sessions and login. */
#include "token.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct token_state token_state;

static void text(CK_UTF8CHAR *field, size_t bytes, const char *value)
{
    memset(field, ' ', bytes);
    memcpy(field, value, strlen(value));
}

/* --- library and slot --- */

CK_RV token_C_Initialize(CK_VOID_PTR pInitArgs)
{
    (void)pInitArgs;
    if (token_state.initialized)
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    token_state.initialized = token_state.used = true;
    return CKR_OK;
}

CK_RV token_C_Finalize(CK_VOID_PTR pReserved)
{
    (void)pReserved;
    if (!token_state.initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    token_log("finalize");
    token_C_CloseAllSessions(0);
    token_state.initialized = false;
    return CKR_OK;
}

CK_RV token_C_GetInfo(CK_INFO_PTR pInfo)
{
    memset(pInfo, 0, sizeof *pInfo);
    pInfo->cryptokiVersion = (CK_VERSION){(CK_BYTE)(token_control.interface / 100),
                                          (CK_BYTE)(token_control.interface % 100)};
    text(pInfo->manufacturerID, sizeof pInfo->manufacturerID, "p11prof");
    text(pInfo->libraryDescription, sizeof pInfo->libraryDescription, "fake token");
    return CKR_OK;
}

CK_RV token_C_GetSlotList(CK_BBOOL tokenPresent, CK_SLOT_ID_PTR pSlotList, CK_ULONG_PTR pulCount)
{
    CK_RV rv;
    (void)tokenPresent;
    if (!token_state.initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (token_output_room(pSlotList, pulCount, 1, &rv))
        *pSlotList = 0;
    return rv;
}

CK_RV token_C_GetSlotInfo(CK_SLOT_ID slotID, CK_SLOT_INFO_PTR pInfo)
{
    if (slotID != 0)
        return CKR_SLOT_ID_INVALID;
    memset(pInfo, 0, sizeof *pInfo);
    text(pInfo->slotDescription, sizeof pInfo->slotDescription, "fake slot");
    text(pInfo->manufacturerID, sizeof pInfo->manufacturerID, "p11prof");
    pInfo->flags = CKF_TOKEN_PRESENT;
    return CKR_OK;
}

CK_RV token_C_GetTokenInfo(CK_SLOT_ID slotID, CK_TOKEN_INFO_PTR pInfo)
{
    if (slotID != 0)
        return CKR_SLOT_ID_INVALID;
    memset(pInfo, 0, sizeof *pInfo);
    text(pInfo->label, sizeof pInfo->label, "fake");
    text(pInfo->manufacturerID, sizeof pInfo->manufacturerID, "p11prof");
    text(pInfo->model, sizeof pInfo->model, "fake");
    text(pInfo->serialNumber, sizeof pInfo->serialNumber, "42");
    pInfo->flags = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED |
                   token_control.flags;
    pInfo->ulMaxSessionCount = token_control.sessions;
    pInfo->ulSessionCount = token_state.session_count;
    return CKR_OK;
}

/* --- sessions --- */

struct token_session *token_session_find(CK_SESSION_HANDLE handle)
{
    for (unsigned i = 0; i < TOKEN_SESSIONS; i++)
        if (handle != CK_INVALID_HANDLE && token_state.sessions[i].handle == handle)
            return &token_state.sessions[i];
    return NULL;
}

CK_RV token_C_OpenSession(CK_SLOT_ID slotID, CK_FLAGS flags, CK_VOID_PTR pApplication,
                          CK_NOTIFY Notify, CK_SESSION_HANDLE_PTR phSession)
{
    CK_ULONG limit = token_control.sessions ? token_control.sessions : TOKEN_SESSIONS;
    struct token_session *session = token_state.sessions;
    (void)pApplication;
    (void)Notify;
    if (!token_state.initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (slotID != 0)
        return CKR_SLOT_ID_INVALID;
    if (!(flags & CKF_SERIAL_SESSION))
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if (token_state.session_count >= limit)
        return CKR_SESSION_COUNT;
    while (session->handle != CK_INVALID_HANDLE)
        session++;
    *session = (struct token_session){.handle = ++token_state.last_handle, .flags = flags};
    token_state.session_count++;
    *phSession = session->handle;
    return CKR_OK;
}

static void session_end(struct token_session *session)
{
    token_session_objects_remove(session->handle);
    EVP_MD_CTX_free(session->operations[TOKEN_DIGEST].digest);
    free(session->found);
    *session = (struct token_session){0};
    if (--token_state.session_count == 0) {
        token_private_objects_hide();
        token_state.logged_in = false;
    }
}

CK_RV token_C_CloseSession(CK_SESSION_HANDLE hSession)
{
    struct token_session *session = token_session_find(hSession);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    session_end(session);
    return CKR_OK;
}

CK_RV token_C_CloseAllSessions(CK_SLOT_ID slotID)
{
    if (slotID != 0)
        return CKR_SLOT_ID_INVALID;
    for (unsigned i = 0; i < TOKEN_SESSIONS; i++)
        if (token_state.sessions[i].handle != CK_INVALID_HANDLE)
            session_end(&token_state.sessions[i]);
    return CKR_OK;
}

CK_RV token_C_GetSessionInfo(CK_SESSION_HANDLE hSession, CK_SESSION_INFO_PTR pInfo)
{
    const struct token_session *session = token_session_find(hSession);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    bool writes = session->flags & CKF_RW_SESSION;
    *pInfo = (CK_SESSION_INFO){.flags = session->flags};
    if (token_state.logged_in)
        pInfo->state = writes ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    else
        pInfo->state = writes ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
    return CKR_OK;
}

/* --- login --- */

CK_RV token_C_Login(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin,
                    CK_ULONG ulPinLen)
{
    token_log("login");
    if (!token_session_find(hSession))
        return CKR_SESSION_HANDLE_INVALID;
    if (userType != CKU_USER)
        return CKR_USER_TYPE_INVALID;
    if (token_state.logged_in)
        return CKR_USER_ALREADY_LOGGED_IN;
    if (token_control.flags & CKF_USER_PIN_LOCKED)
        return CKR_PIN_LOCKED;
    if (ulPinLen != 4 || memcmp(pPin, "1234", 4) != 0)
        return CKR_PIN_INCORRECT;
    token_state.logged_in = true;
    return CKR_OK;
}

CK_RV token_C_Logout(CK_SESSION_HANDLE hSession)
{
    if (!token_session_find(hSession))
        return CKR_SESSION_HANDLE_INVALID;
    if (!token_state.logged_in)
        return CKR_USER_NOT_LOGGED_IN;
    token_private_objects_hide();
    token_state.logged_in = false;
    return CKR_OK;
}
