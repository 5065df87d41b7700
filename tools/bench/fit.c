/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "fit.h"

#include "templates.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* What a key must be allowed: an operation needs its opposite where that makes its input. */
static const struct use {
    unsigned operation;
    const char *name, *pair_name; /* the latter where a pair has two halves to look at */
    size_t offset;
} uses[] = {
#define USE(operation, name, half, member)                                                         \
    {                                                                                              \
        P11PROF_OPERATION_##operation, name, name half,                                            \
            offsetof(struct p11prof_bench_own_key, member)                                         \
    }
    USE(SIGN, "CKA_SIGN", "", can_sign),
    USE(VERIFY, "CKA_VERIFY", "", can_verify),
    USE(VERIFY, "CKA_SIGN", " (of the private half)", can_sign),
    USE(ENCRYPT, "CKA_ENCRYPT", "", can_encrypt),
    USE(DECRYPT, "CKA_DECRYPT", "", can_decrypt),
    USE(DECRYPT, "CKA_ENCRYPT", " (of the public half)", can_encrypt),
    USE(WRAP, "CKA_WRAP", "", can_wrap),
    USE(UNWRAP, "CKA_UNWRAP", "", can_unwrap),
    USE(UNWRAP, "CKA_WRAP", " (of the public half)", can_wrap),
    USE(DERIVE, "CKA_DERIVE", "", can_derive),
    USE(MESSAGE_ENCRYPT, "CKA_ENCRYPT", "", can_encrypt),
    USE(MESSAGE_DECRYPT, "CKA_DECRYPT", "", can_decrypt),
    USE(MESSAGE_DECRYPT, "CKA_ENCRYPT", " (of the public half)", can_encrypt),
    USE(MESSAGE_SIGN, "CKA_SIGN", "", can_sign),
    USE(MESSAGE_VERIFY, "CKA_VERIFY", "", can_verify),
    USE(MESSAGE_VERIFY, "CKA_SIGN", " (of the private half)", can_sign),
    USE(ENCAPSULATE, "CKA_ENCAPSULATE", "", can_encapsulate),
    USE(DECAPSULATE, "CKA_DECAPSULATE", "", can_decapsulate),
    USE(DECAPSULATE, "CKA_ENCAPSULATE", " (of the public half)", can_encapsulate),
#undef USE
};

/* Searches and key generation are of keys that we make. */
static bool works_with_key(const struct p11prof_bench_test *test)
{
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if (uses[i].operation == test->operation)
            return true;
    return false;
}

static bool is_secret(enum p11prof_bench_key_kind kind)
{
    return kind == P11PROF_BENCH_KEY_AES || kind == P11PROF_BENCH_KEY_DES3 ||
           kind == P11PROF_BENCH_KEY_GENERIC;
}

const char *p11prof_bench_use_missing(const struct p11prof_bench_test *test,
                                      const struct p11prof_bench_own_key *key)
{
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        const CK_BBOOL *allowed = (const CK_BBOOL *)((const char *)key + uses[i].offset);
        if (uses[i].operation == test->operation && !*allowed)
            return is_secret(key->kind) ? uses[i].name : uses[i].pair_name;
    }
    return NULL;
}

static bool same_kind(const struct p11prof_bench_test *test,
                      const struct p11prof_bench_own_key *key)
{
    return key && key->wanted && key->kind != P11PROF_BENCH_KEY_NONE &&
           key->kind == test->key_kind && (key->hmac == 0 || key->hmac == test->mechanism) &&
           works_with_key(test);
}

/* The ids of tests on P-256 and its like have "-p256", and no other tests of EC keys have a "-p".
 */
static bool same_curve(const struct p11prof_bench_test *test,
                       const struct p11prof_bench_own_key *key)
{
    return key->kind != P11PROF_BENCH_KEY_EC || key->nist_curve == !!strstr(test->id, "-p");
}

bool p11prof_bench_same_key(const struct p11prof_bench_test *test,
                            const struct p11prof_bench_own_key *key)
{
    return same_kind(test, key) && key->bits == test->key_bits && same_curve(test, key);
}

bool p11prof_bench_fit(const struct p11prof_bench_test *test,
                       const struct p11prof_bench_own_key *key)
{
    return p11prof_bench_same_key(test, key) && !p11prof_bench_use_missing(test, key);
}

/* What stands for the size in ids and names; "" where none does. */
static void size_write(char out[16], enum p11prof_bench_key_kind kind, uint32_t bits,
                       const char *curve_letter)
{
    switch (kind) {
    case P11PROF_BENCH_KEY_RSA:
    case P11PROF_BENCH_KEY_AES:
        snprintf(out, 16, "%u", bits);
        break;
    case P11PROF_BENCH_KEY_EC:
        snprintf(out, 16, "%s%u", curve_letter, bits);
        break;
    default:
        out[0] = 0;
    }
}

static void renamed(char *out, size_t room, const char *in, const struct p11prof_bench_test *row,
                    const struct p11prof_bench_own_key *key, const char *letter)
{
    char old_size[16], new_size[16];
    size_write(old_size, row->key_kind, row->key_bits, letter);
    size_write(new_size, key->kind, key->bits, key->nist_curve ? letter : "");
    const char *at = old_size[0] ? strstr(in, old_size) : NULL;
    if (at)
        snprintf(out, room, "%.*s%s%s", (int)(at - in), in, new_size, at + strlen(old_size));
    else
        snprintf(out, room, "%s", in);
}

/* Whether keys of this kind are of those sizes only that the catalogue has. */
static bool of_fixed_sizes(enum p11prof_bench_key_kind kind)
{
    return kind == P11PROF_BENCH_KEY_EDWARDS || kind == P11PROF_BENCH_KEY_MONTGOMERY ||
           kind == P11PROF_BENCH_KEY_DES3;
}

bool p11prof_bench_fit_make(struct p11prof_bench_made_test *out,
                            const struct p11prof_bench_test *row,
                            const struct p11prof_bench_own_key *key)
{
    if (!same_kind(row, key) || p11prof_bench_use_missing(row, key) ||
        ((of_fixed_sizes(key->kind) || p11prof_bench_parameter_set(row->key_kind, row->key_bits)) &&
         key->bits != row->key_bits))
        return false;
    out->test = *row;
    renamed(out->test.id, sizeof out->test.id, row->id, row, key, "p");
    renamed(out->name, sizeof out->name, row->name, row, key, "P");
    out->test.name = out->name;
    out->test.key_bits = key->bits;
    if (strcmp(out->test.id, row->id) != 0)
        out->test.suite = 0;
    return true;
}
