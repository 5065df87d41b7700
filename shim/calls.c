/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/calls.h"

#include <stdio.h>
#include <string.h>

/* The operation that a dual-function call carries on besides its own. */
#define SECOND_OPERATION(function)                                                                 \
    ((function) == P11PROF_C_DigestEncryptUpdate || (function) == P11PROF_C_DecryptDigestUpdate    \
         ? P11PROF_OPERATION_DIGEST                                                                \
     : (function) == P11PROF_C_SignEncryptUpdate   ? P11PROF_OPERATION_SIGN                        \
     : (function) == P11PROF_C_DecryptVerifyUpdate ? P11PROF_OPERATION_VERIFY                      \
                                                   : P11PROF_OPERATION_NONE)

const struct p11prof_call p11prof_calls[P11PROF_CALLS + 1] = {
    [P11PROF_NO_FUNCTION] = {.name = "unknown"},
#define CALL(number, call_name, version, part_of, part, parameters, arguments, session, fact_a, a, \
             fact_b, b, fact_c, c, flags, notes)                                                   \
    [number] = {                                                                                   \
        .name = #call_name,                                                                        \
        .since = (version),                                                                        \
        .operation = P11PROF_OPERATION_##part_of,                                                  \
        .second_operation = SECOND_OPERATION(number),                                              \
        .role = P11PROF_ROLE_##part,                                                               \
        .fact = {P11PROF_FACT_##fact_a, P11PROF_FACT_##fact_b, P11PROF_FACT_##fact_c},             \
        .in_session = sizeof #session != sizeof "NO_SESSION",                                      \
    },
#include "p11prof/calls.def"
#undef CALL
};

const char *p11prof_operation_name(unsigned operation)
{
    static const char *const names[P11PROF_OPERATIONS] = {
        [P11PROF_OPERATION_ENCRYPT] = "encrypt",
        [P11PROF_OPERATION_DECRYPT] = "decrypt",
        [P11PROF_OPERATION_DIGEST] = "digest",
        [P11PROF_OPERATION_SIGN] = "sign",
        [P11PROF_OPERATION_SIGN_RECOVER] = "sign-recover",
        [P11PROF_OPERATION_VERIFY] = "verify",
        [P11PROF_OPERATION_VERIFY_RECOVER] = "verify-recover",
        [P11PROF_OPERATION_FIND] = "find",
        [P11PROF_OPERATION_MESSAGE_ENCRYPT] = "message-encrypt",
        [P11PROF_OPERATION_MESSAGE_DECRYPT] = "message-decrypt",
        [P11PROF_OPERATION_MESSAGE_SIGN] = "message-sign",
        [P11PROF_OPERATION_MESSAGE_VERIFY] = "message-verify",
        [P11PROF_OPERATION_GENERATE_KEY] = "generate-key",
        [P11PROF_OPERATION_GENERATE_KEY_PAIR] = "generate-key-pair",
        [P11PROF_OPERATION_WRAP] = "wrap",
        [P11PROF_OPERATION_UNWRAP] = "unwrap",
        [P11PROF_OPERATION_DERIVE] = "derive",
        [P11PROF_OPERATION_SEED_RANDOM] = "seed-random",
        [P11PROF_OPERATION_GENERATE_RANDOM] = "generate-random",
        [P11PROF_OPERATION_ENCAPSULATE] = "encapsulate",
        [P11PROF_OPERATION_DECAPSULATE] = "decapsulate",
        [P11PROF_OPERATION_SESSION_OPEN_CLOSE] = "session-open-close",
        [P11PROF_OPERATION_LOGIN_LOGOUT] = "login-logout",
        [P11PROF_OPERATION_GET_ATTRIBUTES] = "get-attributes",
        [P11PROF_OPERATION_OBJECT_CREATE_DESTROY] = "object-create-destroy",
        [P11PROF_OPERATION_OBJECT_COPY] = "object-copy",
        [P11PROF_OPERATION_SET_ATTRIBUTE] = "set-attribute",
        [P11PROF_OPERATION_DIGEST_ENCRYPT] = "digest-encrypt",
        [P11PROF_OPERATION_DECRYPT_DIGEST] = "decrypt-digest",
        [P11PROF_OPERATION_SIGN_ENCRYPT] = "sign-encrypt",
        [P11PROF_OPERATION_DECRYPT_VERIFY] = "decrypt-verify",
    };
    return operation < P11PROF_OPERATIONS ? names[operation] : NULL;
}

unsigned p11prof_function_named(const char *name)
{
    for (unsigned function = 1; function <= P11PROF_CALLS; function++)
        if (strcmp(p11prof_calls[function].name, name) == 0)
            return function;
    return P11PROF_NO_FUNCTION;
}

#define RETURN_NAME(name, value)                                                                   \
    case value:                                                                                    \
        return name;

const char *p11prof_rv_name(uint64_t rv)
{
    switch (rv) {
#define CONSTANT(kind, name, value) CONSTANT_##kind(name, value)
#define CONSTANT_RV(name, value)    RETURN_NAME(name, value)
#define CONSTANT_MECHANISM(name, value)
#define CONSTANT_KEY_TYPE(name, value)
#include "p11prof/constants.def"
    default:
        return NULL;
    }
}

const char *p11prof_mechanism_name(uint64_t mechanism)
{
    switch (mechanism) {
#undef CONSTANT_RV
#undef CONSTANT_MECHANISM
#define CONSTANT_RV(name, value)
#define CONSTANT_MECHANISM(name, value) RETURN_NAME(name, value)
#include "p11prof/constants.def"
    default:
        return NULL;
    }
}

const char *p11prof_key_type_name(uint64_t key_type)
{
    switch (key_type) {
#undef CONSTANT_MECHANISM
#undef CONSTANT_KEY_TYPE
#define CONSTANT_MECHANISM(name, value)
#define CONSTANT_KEY_TYPE(name, value) RETURN_NAME(name, value)
#include "p11prof/constants.def"
    default:
        return NULL;
    }
}

const char *p11prof_rv_text(uint64_t rv, char *buffer)
{
    const char *name = p11prof_rv_name(rv);
    if (name)
        return name;
    snprintf(buffer, 19, "0x%08llX", (unsigned long long)rv);
    return buffer;
}
