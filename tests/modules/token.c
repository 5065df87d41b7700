/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The exported functions: each takes its turn, the lock, and what it tells the log. */
#include "token.h"

#include "call_log.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The delay keeps no other thread from the token. */
static CK_RV end(unsigned function, uint64_t start_ns, CK_RV rv, bool signs)
{
    if (signs)
        token_leak();
    if (signs)
        call_log_wait(start_ns, token_delay_ns(), false);
    const struct call_log_entry entry = {function, call_log_now_ns() - start_ns, rv, start_ns, 0};
    call_log_add(entry, function == P11PROF_C_Finalize);
    return rv;
}

#define DEFINE(number, name, since, operation, role, parameters, arguments, ...)                   \
    EXPORTED CK_RV name parameters;                                                                \
    CK_RV name parameters                                                                          \
    {                                                                                              \
        uint64_t start_ns = call_log_now_ns();                                                     \
        CK_RV rv = token_call_begin(number);                                                       \
        if (rv == CKR_OK) {                                                                        \
            pthread_mutex_lock(&lock);                                                             \
            rv = token_##name arguments;                                                           \
            pthread_mutex_unlock(&lock);                                                           \
        }                                                                                          \
        return end(number, start_ns, rv, number == P11PROF_C_Sign);                                \
    }
#include "module_2x.h"
