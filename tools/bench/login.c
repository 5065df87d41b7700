/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "login.h"

#include "child.h"
#include "p11prof/calls.h"
#include "token_list.h"

#include <errno.h>
#include <pthread.h>

enum outcome { NOT_TRIED, ACCEPTED, REFUSED };

/* The lock outlives a worker that dies in C_Login. */
struct p11prof_bench_login_gate {
    pthread_mutex_t lock;
    enum outcome outcome;
};

struct p11prof_bench_login_gate *p11prof_bench_login_gate_new(void)
{
    pthread_mutexattr_t robust;
    struct p11prof_bench_login_gate *gate = p11prof_bench_shared_new(sizeof *gate);
    if (!gate)
        return NULL;
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&gate->lock, &robust);
    pthread_mutexattr_destroy(&robust);
    return gate;
}

void p11prof_bench_login_gate_free(struct p11prof_bench_login_gate *gate)
{
    p11prof_bench_shared_free(gate, sizeof *gate);
}

static const char *advice(CK_RV rv)
{
    switch (rv) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
        return "the PIN is wrong: one try was made, none will follow";
    case CKR_PIN_LOCKED:
        return "the PIN is locked: unlock it with the SO PIN (C_InitPIN)";
    case CKR_PIN_EXPIRED:
        return "the PIN has to be changed first (pkcs11-tool --change-pin)";
    case CKR_USER_PIN_NOT_INITIALIZED:
        return "the token has no user PIN yet: set one (pkcs11-tool --init-pin)";
    case CKR_USER_ANOTHER_ALREADY_LOGGED_IN:
    case CKR_USER_TOO_MANY_TYPES:
        return "another user is logged in: end what uses the token";
    default:
        return "one try was made, none will follow";
    }
}

static enum p11prof_status describe(CK_RV rv, const char *label, struct p11prof_error *error)
{
    char unknown[19];
    enum p11prof_status status =
        rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE
            ? P11PROF_BAD_INPUT
            : P11PROF_FAILED;
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return P11PROF_OK;
    return p11prof_error_set(error, status, "C_Login on token \"%s\": %s: %s", label,
                             p11prof_rv_text(rv, unknown), advice(rv));
}

/* What the token says before a try would do harm. */
static enum p11prof_status refuse(const CK_TOKEN_INFO *token, const char *label,
                                  struct p11prof_error *error)
{
    if (token->flags & CKF_USER_PIN_LOCKED)
        return p11prof_error_set(
            error, P11PROF_FAILED,
            "the PIN of token \"%s\" is locked (CKF_USER_PIN_LOCKED): no login "
            "was tried; unlock it with the SO PIN (C_InitPIN)",
            label);
    if (token->flags & CKF_USER_PIN_FINAL_TRY)
        return p11prof_error_set(error, P11PROF_REFUSED,
                                 "token \"%s\" has one try left (CKF_USER_PIN_FINAL_TRY): no login "
                                 "was tried, since a wrong PIN would lock it; log in with another "
                                 "program first (pkcs11-tool --login --list-objects)",
                                 label);
    return P11PROF_OK;
}

static enum p11prof_status try_once(const struct p11prof_bench_target *target,
                                    CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                    const char *label, struct p11prof_error *error)
{
    CK_BYTE *pin = target->has_pin ? (CK_BYTE *)(uintptr_t)target->pin : NULL;
    CK_RV rv = module->C_Login(session, CKU_USER, pin, target->has_pin ? target->pin_bytes : 0);
    return describe(rv, label, error);
}

/* How the first try went. NOT_TRIED: this is it, and the others wait behind the lock. */
static enum outcome gate_enter(struct p11prof_bench_login_gate *gate)
{
    if (pthread_mutex_lock(&gate->lock) == EOWNERDEAD) {
        pthread_mutex_consistent(&gate->lock);
        gate->outcome = REFUSED;
    }
    enum outcome outcome = gate->outcome;
    if (outcome != NOT_TRIED)
        pthread_mutex_unlock(&gate->lock);
    return outcome;
}

static enum p11prof_status try_at_gate(const struct p11prof_bench_target *target,
                                       CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                       const char *label, struct p11prof_error *error)
{
    struct p11prof_bench_login_gate *gate = target->login_gate;
    enum outcome outcome = gate ? gate_enter(gate) : ACCEPTED;
    if (outcome == REFUSED)
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "no login on token \"%s\": the first one failed, and none will "
                                 "follow",
                                 label);
    enum p11prof_status status = try_once(target, module, session, label, error);
    if (outcome == NOT_TRIED) {
        gate->outcome = status == P11PROF_OK ? ACCEPTED : REFUSED;
        pthread_mutex_unlock(&gate->lock);
    }
    return status;
}

enum p11prof_status p11prof_bench_login(const struct p11prof_bench_target *target,
                                        CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                        const CK_TOKEN_INFO *token, bool *logged_in,
                                        struct p11prof_error *error)
{
    char label[4 * sizeof token->label + 1];
    bool has_pad = token->flags & CKF_PROTECTED_AUTHENTICATION_PATH;
    *logged_in = false;
    if (!(token->flags & CKF_LOGIN_REQUIRED) || (!target->has_pin && !has_pad))
        return P11PROF_OK;
    p11prof_bench_field_text(label, sizeof label, token->label, sizeof token->label);
    enum p11prof_status status = refuse(token, label, error);
    if (status == P11PROF_OK)
        status = try_at_gate(target, module, session, label, error);
    *logged_in = status == P11PROF_OK;
    return status;
}
