/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A module that logs what reaches it and answers what it is told to. Its lists stand at the end of
 * a page that cannot be written, before one that cannot be read. Variants, by definitions:
 *
 *   LOG_LIST        {version}, functions of C_GetFunctionList's list; not defined: there is none
 *   LOG_CHANGES     C_GetFunctionList gives another copy of its list each time
 *   LOG_FAILS_FIRST C_GetFunctionList answers CKR_DEVICE_ERROR the first time
 *   LOG_CALLERS_NAME  C_GetInterface: the name in the interface is the caller's own
 *   LOG_NULL        number of a function that all lists have as NULL
 *   LOG_INTERFACES  rows of C_GetInterfaceList: {name, {version}, functions, flags}
 *   LOG_ANSWER      C_GetInterface(List): the CK_RV it always returns, with a NULL interface
 *   LOG_PLAIN       200, 300: export the functions up to 2.x or 3.x by name; else the lists' only
 *   LOG_GLOBAL      the lists refer to the exported names, as modules not linked -Bsymbolic do */
#include "log_lists.h"

#include "p11prof/calls.h"
#include "words.h"

#include <string.h>

#ifndef LOG_PLAIN
#define LOG_PLAIN 0
#endif

#define EXPORTED __attribute__((visibility("default")))

EXPORTED extern struct log_control log_control;
struct log_control log_control;

/* --- functions --- */

static void call_log(unsigned list, unsigned function, const uint64_t *words, size_t word_count)
{
    struct log_call *call = &log_control.calls[log_control.count++ % LOG_CALLS];
    *call = (struct log_call){.function = function, .list = list};
    memcpy(call->words, words, word_count * sizeof *words);
}

static void write_bytes(void *output, size_t bytes)
{
    for (size_t i = 0; output && i < bytes; i++)
        ((unsigned char *)output)[i] = (unsigned char)(0xa0 + i);
}

static void write_byte(void *output)
{
    write_bytes(output, 1);
}

static void write_word(void *output)
{
    CK_ULONG word = 7;
    if (output)
        memcpy(output, &word, sizeof word);
}

static void write_attribute(void *output)
{
    if (output)
        ((CK_ATTRIBUTE *)output)->ulValueLen = 3;
}

static void write_nothing(void *output)
{
    (void)output;
}

#define WRITER(type)                                                                               \
    static void write_##type(void *output)                                                         \
    {                                                                                              \
        write_bytes(output, sizeof(type));                                                         \
    }
WRITER(CK_INFO)
WRITER(CK_SLOT_INFO)
WRITER(CK_TOKEN_INFO)
WRITER(CK_MECHANISM_INFO)
WRITER(CK_SESSION_INFO)
WRITER(CK_ASYNC_DATA)

#define WRITE(x)                                                                                   \
    _Generic((x), CK_ULONG *                                                                       \
             : write_word, CK_BYTE *                                                               \
             : write_byte, CK_ATTRIBUTE *                                                          \
             : write_attribute, CK_INFO *                                                          \
             : write_CK_INFO, CK_SLOT_INFO *                                                       \
             : write_CK_SLOT_INFO, CK_TOKEN_INFO *                                                 \
             : write_CK_TOKEN_INFO, CK_MECHANISM_INFO *                                            \
             : write_CK_MECHANISM_INFO, CK_SESSION_INFO *                                          \
             : write_CK_SESSION_INFO, CK_ASYNC_DATA *                                              \
             : write_CK_ASYNC_DATA, default                                                        \
             : write_nothing)((void *)(uintptr_t)(x))

#define WORD(x) (uint64_t)(uintptr_t)(x)

#define LOG(source, number, arguments)                                                             \
    const uint64_t words[] = {EACH(WORD, UNPACK arguments)};                                       \
    call_log(source, number, words, sizeof words / sizeof words[0])

#define FUNCTION(source, number, name, since, operation, role, parameters, arguments, ...)         \
    static CK_RV f##source##_##name parameters                                                     \
    {                                                                                              \
        LOG(source, number, arguments);                                                            \
        if (log_control.writes) {                                                                  \
            EACH(WRITE, UNPACK arguments);                                                         \
        }                                                                                          \
        return log_control.rv;                                                                     \
    }

#define LISTS(source, number, name, since, operation, role, parameters, arguments, ...)            \
    static CK_RV f##source##_##name parameters                                                     \
    {                                                                                              \
        LOG(source, number, arguments);                                                            \
        return log_##name arguments;                                                               \
    }
#define BY_HAND_C_Initialize(...)          FUNCTION(__VA_ARGS__)
#define BY_HAND_C_Finalize(...)            FUNCTION(__VA_ARGS__)
#define BY_HAND_C_GetFunctionList(...)     LISTS(__VA_ARGS__)
#define BY_HAND_C_GetInterfaceList(...)    LISTS(__VA_ARGS__)
#define BY_HAND_C_GetInterface(...)        LISTS(__VA_ARGS__)
#define BY_HAND(source, number, name, ...) BY_HAND_##name(source, number, name, __VA_ARGS__)

#define CALL(...)         FUNCTION(0, __VA_ARGS__)
#define CALL_BY_HAND(...) BY_HAND(0, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL
#define CALL(...)         FUNCTION(1, __VA_ARGS__)
#define CALL_BY_HAND(...) BY_HAND(1, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL
#define CALL(...)         FUNCTION(2, __VA_ARGS__)
#define CALL_BY_HAND(...) BY_HAND(2, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL

/* --- exported names --- */

#define EXPORT(name, parameters)                                                                   \
    extern EXPORTED __attribute__((alias("f0_" #name))) CK_RV name parameters;
#define NOT_EXPORTED(name, parameters)
#if LOG_PLAIN >= 200
#define EXPORT_200 EXPORT
#define EXPORT_201 EXPORT
#else
#define EXPORT_200 NOT_EXPORTED
#define EXPORT_201 NOT_EXPORTED
#endif
#if LOG_PLAIN >= 300
#define EXPORT_300 EXPORT
#define EXPORT_302 EXPORT
#else
#define EXPORT_300 NOT_EXPORTED
#define EXPORT_302 NOT_EXPORTED
#endif
#define CALL(number, name, since, operation, role, parameters, ...) EXPORT_##since(name, parameters)
#define CALL_BY_HAND(...)                                           EXPORT_BY_HAND(__VA_ARGS__)
#define EXPORT_BY_HAND(number, name, since, operation, role, parameters, ...)                      \
    EXPORT_##name(name, parameters)
#define EXPORT_C_Initialize EXPORT_200
#define EXPORT_C_Finalize   EXPORT_200
#ifdef LOG_LIST
#define EXPORT_C_GetFunctionList EXPORT
#else
#define EXPORT_C_GetFunctionList NOT_EXPORTED
#endif
#if defined(LOG_INTERFACES) || defined(LOG_ANSWER)
#define EXPORT_C_GetInterfaceList EXPORT
#define EXPORT_C_GetInterface     EXPORT
#else
#define EXPORT_C_GetInterfaceList NOT_EXPORTED
#define EXPORT_C_GetInterface     NOT_EXPORTED
#endif
#include "p11prof/calls.def"
#undef CALL

/* --- lists --- */

const struct p11prof_function_list log_functions[] = {
    {
#ifdef LOG_GLOBAL
#define GLOBAL_200(name)               .name = name,
#define GLOBAL_201(name)               .name = name,
#define GLOBAL_300(name)               .name = f0_##name,
#define GLOBAL_302(name)               .name = f0_##name,
#define CALL(number, name, since, ...) GLOBAL_##since(name)
#else
#define CALL(number, name, ...) .name = f0_##name,
#endif
#include "p11prof/calls.def"
#undef CALL
    },
    {
#define CALL(number, name, ...) .name = f1_##name,
#include "p11prof/calls.def"
#undef CALL
    },
    {
#define CALL(number, name, ...) .name = f2_##name,
#include "p11prof/calls.def"
#undef CALL
    },
};
