/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the token of the null and delay modules answers, told by the columns of calls.def: every
 * output has 32 bytes, every handle is a new number, there is one slot, no object is found. Every
 * mechanism that is listed can do everything. */
#ifndef P11PROF_TESTS_ANSWERS_H
#define P11PROF_TESTS_ANSWERS_H

#include "p11prof/calls.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-value"

enum { ANSWER_BYTES = 32 };

static inline CK_ULONG answer_handle(CK_ULONG *handle)
{
    static _Atomic(CK_ULONG) last;
    CK_ULONG made = atomic_fetch_add(&last, 1) + 1;
    if (handle)
        *handle = made;
    return made;
}

static const CK_ULONG answer_slots[] = {0};
static const CK_ULONG answer_mechanisms[] = {CKM_RSA_PKCS_KEY_PAIR_GEN,
                                             CKM_RSA_PKCS,
                                             CKM_SHA256_RSA_PKCS,
                                             CKM_EC_KEY_PAIR_GEN,
                                             CKM_ECDSA,
                                             CKM_AES_KEY_GEN,
                                             CKM_AES_CBC,
                                             CKM_AES_GCM,
                                             CKM_AES_CMAC,
                                             CKM_SHA256,
                                             CKM_SHA256_HMAC,
                                             CKM_GENERIC_SECRET_KEY_GEN};

/* The convention of functions with output (2.40 section 5.2): `count` units of `bytes`. */
static inline CK_RV answer_bytes(void *buffer, CK_ULONG *length, const void *answer, CK_ULONG count,
                                 size_t bytes)
{
    CK_ULONG room;
    if (!length)
        return CKR_ARGUMENTS_BAD;
    room = *length;
    *length = count;
    if (!buffer)
        return CKR_OK;
    if (room < count)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(buffer, answer, count * bytes);
    return CKR_OK;
}

static inline CK_RV answer_output(unsigned function, void *buffer, CK_ULONG *length)
{
    static const CK_BYTE output[ANSWER_BYTES] = {0x40, 0x40, 0x40};
    if (function == P11PROF_C_GetSlotList)
        return answer_bytes(buffer, length, answer_slots, 1, sizeof *answer_slots);
    if (function == P11PROF_C_GetMechanismList)
        return answer_bytes(buffer, length, answer_mechanisms,
                            sizeof answer_mechanisms / sizeof *answer_mechanisms,
                            sizeof *answer_mechanisms);
    return answer_bytes(buffer, length, output, ANSWER_BYTES, 1);
}

static inline void answer_text(CK_UTF8CHAR *field, size_t bytes, const char *text)
{
    memset(field, ' ', bytes);
    memcpy(field, text, strlen(text) < bytes ? strlen(text) : bytes);
}

static inline void answer_token(CK_TOKEN_INFO *info)
{
    if (!info)
        return;
    memset(info, 0, sizeof *info);
    answer_text(info->label, sizeof info->label, "test token");
    answer_text(info->manufacturerID, sizeof info->manufacturerID, "p11prof");
    answer_text(info->model, sizeof info->model, "null");
    answer_text(info->serialNumber, sizeof info->serialNumber, "1");
    info->flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_RNG;
    info->firmwareVersion.major = 1;
}

static inline void answer_library(CK_INFO *info)
{
    if (!info)
        return;
    memset(info, 0, sizeof *info);
    info->cryptokiVersion = (CK_VERSION){2, 40};
    answer_text(info->manufacturerID, sizeof info->manufacturerID, "p11prof");
    answer_text(info->libraryDescription, sizeof info->libraryDescription, "test module");
}

/* The functions that fill a structure no column tells of. */
static inline void answer_info(unsigned function, ...)
{
    va_list arguments;
    va_start(arguments, function);
    CK_ULONG first = va_arg(arguments, CK_ULONG);
    if (function == P11PROF_C_GetSlotInfo) {
        CK_SLOT_INFO *info = va_arg(arguments, CK_SLOT_INFO_PTR);
        memset(info, 0, sizeof *info);
        answer_text(info->slotDescription, sizeof info->slotDescription, "test slot");
        answer_text(info->manufacturerID, sizeof info->manufacturerID, "p11prof");
        info->flags = CKF_TOKEN_PRESENT;
    } else if (function == P11PROF_C_GetMechanismInfo) {
        (void)va_arg(arguments, CK_MECHANISM_TYPE);
        *va_arg(arguments, CK_MECHANISM_INFO_PTR) = (CK_MECHANISM_INFO){0, 16384, ~(CK_FLAGS)0};
    } else if (function == P11PROF_C_GetSessionInfo) {
        CK_SESSION_INFO info = {.state = first ? CKS_RW_USER_FUNCTIONS : 0,
                                .flags = CKF_SERIAL_SESSION | CKF_RW_SESSION};
        *va_arg(arguments, CK_SESSION_INFO_PTR) = info;
    }
    va_end(arguments);
}

static inline void answer_none_found(CK_ULONG *count)
{
    if (count)
        *count = 0;
}

/* The columns, as what a module does: `function` is the number, `rv` the result. */
#define NO_SESSION
#define HANDLE(p)                         answer_handle(p)
#define QUERY(buffer, length)             (rv = answer_output(function, buffer, length))
#define QUERY_ATTRIBUTES(template, count) 0
#define CANCELS(mechanism)                0
#define INTERACTIVE(pin)                  0
#define WAITS(flags)                      0
#define LAST(condition)                   0
#define NO_NOTES
#define OBJECT_MADE(handle, ...)                (void)(handle)
#define OBJECT_COPIED(handle, ...)              (void)(handle)
#define KEY_PAIR_MADE(first, t, n, second, ...) ((void)(first), (void)(second))
#define FIND_TEMPLATE(template, count)
#define LENGTH(p)                          (p)
#define OBJECTS_FOUND(handles, count, max) answer_none_found(count)
#define ATTRIBUTES_READ(object, template, count)
#define TOKEN(slot_id, info) answer_token(info)
#define LIBRARY(info)        answer_library(info)

#define ANSWER_UNPACK(...) __VA_ARGS__

/* The body of a function from its columns; handles only where the call succeeded. */
#define ANSWER(number, arguments, session, flags, notes)                                           \
    const unsigned function = (number);                                                            \
    CK_RV rv = CKR_OK;                                                                             \
    if (function == P11PROF_C_GetSlotInfo || function == P11PROF_C_GetMechanismInfo ||             \
        function == P11PROF_C_GetSessionInfo)                                                      \
        answer_info(function, ANSWER_UNPACK arguments);                                            \
    flags;                                                                                         \
    if (rv == CKR_OK) {                                                                            \
        session;                                                                                   \
        notes;                                                                                     \
    }

#endif
