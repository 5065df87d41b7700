/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What keeps a token from a test, as far as it can be told beforehand. */
#include "fit.h"
#include "templates.h"

#include <stdio.h>

/* Flags that say what a mechanism can do; a module that sets none of them says nothing. Nor does
 * one of messages if it sets none of theirs: NSS can do them and does not say so. */
#define MESSAGE_ABILITIES                                                                          \
    (CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY)
#define ABILITIES                                                                                  \
    (CKF_ENCRYPT | CKF_DECRYPT | CKF_DIGEST | CKF_SIGN | CKF_SIGN_RECOVER | CKF_VERIFY |           \
     CKF_VERIFY_RECOVER | CKF_GENERATE | CKF_GENERATE_KEY_PAIR | CKF_WRAP | CKF_UNWRAP |           \
     CKF_DERIVE | CKF_ENCAPSULATE | CKF_DECAPSULATE | MESSAGE_ABILITIES)

/* What an operation needs; the second flag is of what makes its input. */
static const struct need {
    unsigned operation;
    CK_FLAGS flag;
    const char *name;
} needs[] = {
    {P11PROF_OPERATION_SIGN, CKF_SIGN, "CKF_SIGN"},
    {P11PROF_OPERATION_VERIFY, CKF_VERIFY, "CKF_VERIFY"},
    {P11PROF_OPERATION_VERIFY, CKF_SIGN, "CKF_SIGN"},
    {P11PROF_OPERATION_ENCRYPT, CKF_ENCRYPT, "CKF_ENCRYPT"},
    {P11PROF_OPERATION_DECRYPT, CKF_DECRYPT, "CKF_DECRYPT"},
    {P11PROF_OPERATION_DECRYPT, CKF_ENCRYPT, "CKF_ENCRYPT"},
    {P11PROF_OPERATION_DIGEST, CKF_DIGEST, "CKF_DIGEST"},
    {P11PROF_OPERATION_GENERATE_KEY, CKF_GENERATE, "CKF_GENERATE"},
    {P11PROF_OPERATION_GENERATE_KEY_PAIR, CKF_GENERATE_KEY_PAIR, "CKF_GENERATE_KEY_PAIR"},
    {P11PROF_OPERATION_WRAP, CKF_WRAP, "CKF_WRAP"},
    {P11PROF_OPERATION_UNWRAP, CKF_UNWRAP, "CKF_UNWRAP"},
    {P11PROF_OPERATION_UNWRAP, CKF_WRAP, "CKF_WRAP"},
    {P11PROF_OPERATION_DERIVE, CKF_DERIVE, "CKF_DERIVE"},
    {P11PROF_OPERATION_MESSAGE_ENCRYPT, CKF_MESSAGE_ENCRYPT, "CKF_MESSAGE_ENCRYPT"},
    {P11PROF_OPERATION_MESSAGE_DECRYPT, CKF_MESSAGE_DECRYPT, "CKF_MESSAGE_DECRYPT"},
    {P11PROF_OPERATION_MESSAGE_DECRYPT, CKF_MESSAGE_ENCRYPT, "CKF_MESSAGE_ENCRYPT"},
    {P11PROF_OPERATION_MESSAGE_SIGN, CKF_MESSAGE_SIGN, "CKF_MESSAGE_SIGN"},
    {P11PROF_OPERATION_MESSAGE_VERIFY, CKF_MESSAGE_VERIFY, "CKF_MESSAGE_VERIFY"},
    {P11PROF_OPERATION_MESSAGE_VERIFY, CKF_MESSAGE_SIGN, "CKF_MESSAGE_SIGN"},
    {P11PROF_OPERATION_ENCAPSULATE, CKF_ENCAPSULATE, "CKF_ENCAPSULATE"},
    {P11PROF_OPERATION_DECAPSULATE, CKF_DECAPSULATE, "CKF_DECAPSULATE"},
    {P11PROF_OPERATION_DECAPSULATE, CKF_ENCAPSULATE, "CKF_ENCAPSULATE"},
};

static const CK_MECHANISM_INFO *info_of(const struct p11prof_bench_token_facts *token,
                                        CK_MECHANISM_TYPE mechanism)
{
    size_t low = 0, high = token->mechanism_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (token->mechanisms[middle] < mechanism)
            low = middle + 1;
        else
            high = middle;
    }
    return low < token->mechanism_count && token->mechanisms[low] == mechanism ? &token->infos[low]
                                                                               : NULL;
}

static bool between(uint64_t size, const CK_MECHANISM_INFO *info)
{
    return size >= info->ulMinKeySize && size <= info->ulMaxKeySize;
}

static bool named_otherwise(enum p11prof_bench_key_kind kind)
{
    return kind == P11PROF_BENCH_KEY_EDWARDS || kind == P11PROF_BENCH_KEY_MONTGOMERY ||
           kind == P11PROF_BENCH_KEY_DES3;
}

/* Modules say sizes in bits or bytes as they like, or 0 and nonsense: only what is outside in
 * either unit is. The sizes of Edwards and Montgomery curves are 255, 256 or 32, that of DES3 is
 * 24, 168 or 192; those of parameter sets are none. */
static bool size_fits(const struct p11prof_bench_test *test, const CK_MECHANISM_INFO *info)
{
    if (test->key_bits == 0 || named_otherwise(test->key_kind) ||
        p11prof_bench_parameter_set(test->key_kind, test->key_bits) || info->ulMaxKeySize == 0 ||
        info->ulMaxKeySize < info->ulMinKeySize)
        return true;
    return between(test->key_bits, info) || between((test->key_bits + 7) / 8, info);
}

/* Whether it is there at all and for this size. */
static bool mechanism_fits(const struct p11prof_bench_test *test, CK_MECHANISM_TYPE mechanism,
                           const struct p11prof_bench_token_facts *token, const char *what_for,
                           char reason[P11PROF_BENCH_REASON_BYTES])
{
    const CK_MECHANISM_INFO *info = info_of(token, mechanism);
    const char *name = p11prof_mechanism_name(mechanism);
    if (!info)
        snprintf(reason, P11PROF_BENCH_REASON_BYTES, "the token has no %s%s", name, what_for);
    else if (!size_fits(test, info))
        snprintf(reason, P11PROF_BENCH_REASON_BYTES, "the token's %s%s takes keys of %lu to %lu",
                 name, what_for, info->ulMinKeySize, info->ulMaxKeySize);
    else
        return true;
    return false;
}

static bool flags_fit(const struct p11prof_bench_test *test,
                      const struct p11prof_bench_token_facts *token,
                      char reason[P11PROF_BENCH_REASON_BYTES])
{
    const CK_MECHANISM_INFO *info = info_of(token, test->mechanism);
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        CK_FLAGS telling = needs[i].flag & MESSAGE_ABILITIES ? MESSAGE_ABILITIES : ABILITIES;
        if (needs[i].operation != test->operation || info->flags & needs[i].flag ||
            !(info->flags & telling))
            continue;
        snprintf(reason, P11PROF_BENCH_REASON_BYTES, "the token's %s has no %s",
                 p11prof_mechanism_name(test->mechanism), needs[i].name);
        return false;
    }
    return true;
}

static bool key_fits(const struct p11prof_bench_test *test,
                     const struct p11prof_bench_token_facts *token,
                     const struct p11prof_bench_own_key *own_key,
                     char reason[P11PROF_BENCH_REASON_BYTES])
{
    bool own = p11prof_bench_same_key(test, own_key);
    const char *missing = own ? p11prof_bench_use_missing(test, own_key) : NULL;
    if (missing)
        snprintf(reason, P11PROF_BENCH_REASON_BYTES, "the key has no %s", missing);
    return !missing && (own || mechanism_fits(test, p11prof_bench_generator(test->key_kind), token,
                                              " to make its key", reason));
}

/* What is wrapped is an AES key that we make. */
static bool target_fits(const struct p11prof_bench_test *test,
                        const struct p11prof_bench_token_facts *token,
                        char reason[P11PROF_BENCH_REASON_BYTES])
{
    bool wraps =
        test->operation == P11PROF_OPERATION_WRAP || test->operation == P11PROF_OPERATION_UNWRAP;
    if (!wraps || info_of(token, CKM_AES_KEY_GEN))
        return true;
    snprintf(reason, P11PROF_BENCH_REASON_BYTES,
             "the token has no CKM_AES_KEY_GEN to make a key to wrap");
    return false;
}

unsigned p11prof_bench_interface_needed(const struct p11prof_bench_test *test)
{
    switch (test->operation) {
    case P11PROF_OPERATION_MESSAGE_ENCRYPT:
    case P11PROF_OPERATION_MESSAGE_DECRYPT:
    case P11PROF_OPERATION_MESSAGE_SIGN:
    case P11PROF_OPERATION_MESSAGE_VERIFY:
        return 300;
    case P11PROF_OPERATION_ENCAPSULATE:
    case P11PROF_OPERATION_DECAPSULATE:
        return 302;
    default:
        return 0;
    }
}

static bool interface_fits(const struct p11prof_bench_test *test,
                           const struct p11prof_bench_token_facts *token,
                           char reason[P11PROF_BENCH_REASON_BYTES])
{
    unsigned needed = p11prof_bench_interface_needed(test);
    if (token->interface >= needed)
        return true;
    snprintf(reason, P11PROF_BENCH_REASON_BYTES, "the module has no PKCS#11 %u.%u interface",
             needed / 100, needed % 100);
    return false;
}

static bool login_fits(const struct p11prof_bench_test *test,
                       const struct p11prof_bench_token_facts *token,
                       char reason[P11PROF_BENCH_REASON_BYTES])
{
    bool needed = test->alone || (token->login_required && test->key_kind);
    if (!needed || token->logged_in)
        return true;
    snprintf(reason, P11PROF_BENCH_REASON_BYTES, "it needs a login: give a PIN");
    return false;
}

bool p11prof_bench_offered(const struct p11prof_bench_test *test,
                           const struct p11prof_bench_token_facts *token,
                           const struct p11prof_bench_own_key *own_key,
                           char reason[P11PROF_BENCH_REASON_BYTES])
{
    if (!interface_fits(test, token, reason) || !login_fits(test, token, reason))
        return false;
    if (test->mechanism != CK_UNAVAILABLE_INFORMATION &&
        (!mechanism_fits(test, test->mechanism, token, "", reason) ||
         !flags_fit(test, token, reason)))
        return false;
    if (p11prof_bench_key_needed(test) && !key_fits(test, token, own_key, reason))
        return false;
    return target_fits(test, token, reason);
}
