/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Templates of the keys that tests make. */
#ifndef P11PROF_BENCH_TEMPLATES_H
#define P11PROF_BENCH_TEMPLATES_H

#include "p11prof/parameter_sets.h"
#include "test.h"

enum { P11PROF_BENCH_TEMPLATE_MAX = 16 };

/* Mechanism and attributes for one key or pair. It points into itself: not to be copied. */
struct p11prof_bench_template {
    CK_MECHANISM mechanism;
    bool pair;
    CK_ATTRIBUTE public_part[P11PROF_BENCH_TEMPLATE_MAX];
    CK_ATTRIBUTE private_part[P11PROF_BENCH_TEMPLATE_MAX]; /* or of the secret key */
    CK_ULONG public_count, private_count;
    CK_ULONG bits, value_bytes, parameter_set;
    CK_BBOOL token_object, private_object;
    char label[80];
    CK_BYTE id[16];
};

/* What a key is like. */
struct p11prof_bench_key_wish {
    enum p11prof_bench_key_kind kind;
    uint32_t bits;
    unsigned operation; /* the key is for it and for its opposite */
    const char *label;
    bool token_object, private_object;
    bool extractable;
};

/* Of another form of an Edwards or Montgomery curve's name in attempt 1: a PrintableString. False:
 * there is no such attempt. */
bool p11prof_bench_template_make(struct p11prof_bench_template *out,
                                 const struct p11prof_bench_key_wish *wish, unsigned attempt);

/* C_GenerateKey or C_GenerateKeyPair: handles[0] secret or private, handles[1] public. */
CK_RV p11prof_bench_template_generate(struct p11prof_bench_template *template,
                                      CK_FUNCTION_LIST *list, CK_SESSION_HANDLE session,
                                      CK_OBJECT_HANDLE handles[2]);

/* Makes a key with the attempt that works, and says which it was. *function is what was called. */
CK_RV p11prof_bench_wish_generate(const struct p11prof_bench_key_wish *wish, CK_FUNCTION_LIST *list,
                                  CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handles[2],
                                  const char **function, unsigned *attempt);

/* The parameter set that key_bits of such keys names; NULL: it is a size. */
const struct p11prof_parameter_set *p11prof_bench_parameter_set(enum p11prof_bench_key_kind kind,
                                                                uint32_t bits);

/* The mechanism that makes such keys; CK_UNAVAILABLE_INFORMATION: none. */
CK_MECHANISM_TYPE p11prof_bench_generator(enum p11prof_bench_key_kind kind);

/* Whether the test needs a key before its first iteration. */
bool p11prof_bench_key_needed(const struct p11prof_bench_test *test);

#endif
