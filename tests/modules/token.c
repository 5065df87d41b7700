/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The exported functions: each takes its turn, the lock, and what it tells the log. */
#include "token.h"

#include "call_log.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

CK_RV token_enter(struct token_call *call, unsigned function)
{
    *call = (struct token_call){.function = function, .start_ns = call_log_now_ns()};
    CK_RV rv = token_call_begin(function);
    call->locked = rv == CKR_OK;
    if (call->locked)
        pthread_mutex_lock(&lock);
    return rv;
}

/* The delay keeps no other thread from the token. */
CK_RV token_leave(const struct token_call *call, CK_RV rv)
{
    if (call->locked)
        pthread_mutex_unlock(&lock);
    if (call->function == P11PROF_C_Sign) {
        token_serve();
        token_leak();
        call_log_wait(call->start_ns, token_delay_ns(), token_control.stall_every > 0);
    }
    uint64_t duration_ns = call_log_now_ns() - call->start_ns;
    const struct call_log_entry entry = {call->function, duration_ns, rv, call->start_ns, 0};
    call_log_add(entry, call->function == P11PROF_C_Finalize);
    return rv;
}

#define DEFINE(number, name, since, operation, role, parameters, arguments, ...)                   \
    EXPORTED CK_RV name parameters;                                                                \
    CK_RV name parameters                                                                          \
    {                                                                                              \
        struct token_call call;                                                                    \
        CK_RV rv = token_enter(&call, number);                                                     \
        return token_leave(&call, rv == CKR_OK ? token_##name arguments : rv);                     \
    }
#include "module_2x.h"
