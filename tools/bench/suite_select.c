/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* From a step of a suite to its test. */
#include "report/allocate.h"
#include "report/nearest.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Words of a suite that mean more than a family. */
static const struct kind {
    const char *type, *family;
    bool aes;
} kinds[] = {{"hash", "digest", false},
             {"gen_random", "random", false},
             {"encrypt_aes", "encrypt", true},
             {"decrypt_aes", "decrypt", true}};
enum { KINDS = sizeof kinds / sizeof kinds[0], RANDOM_BYTES_LEAST = 8 };

static bool is_type(const struct p11prof_bench_test *test, const char *type)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(type, kinds[i].type) == 0)
            return strcmp(test->family, kinds[i].family) == 0 &&
                   (!kinds[i].aes || test->key_kind == P11PROF_BENCH_KEY_AES);
    return strcmp(test->family, type) == 0 || strcmp(test->id, type) == 0;
}

static bool is_mechanism(const struct p11prof_bench_test *test, const char *mechanism)
{
    const char *name = test->mechanism == CK_UNAVAILABLE_INFORMATION
                           ? NULL
                           : p11prof_mechanism_name(test->mechanism);
    return !*mechanism || (name && strcmp(name, mechanism) == 0);
}

static bool is_wanted(const struct p11prof_bench_test *test, const struct bench_step *step,
                      const struct p11prof_bench_own_key *own_key)
{
    return is_type(test, step->type) && is_mechanism(test, step->mechanism) &&
           (!*step->algorithm || strcasecmp(test->id, step->algorithm) == 0) &&
           (!own_key->wanted || p11prof_bench_fit(test, own_key));
}

static bool type_is_known(const struct p11prof_bench_selection *all, const char *type)
{
    for (size_t i = 0; i < all->count; i++)
        if (is_type(all->tests[i], type))
            return true;
    return false;
}

static enum p11prof_status type_unknown(const struct p11prof_bench_selection *all,
                                        const struct bench_suite *suite,
                                        const struct bench_step *step, struct p11prof_error *error)
{
    const char **names = p11prof_zalloc(2 * all->count + KINDS, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < KINDS; i++)
        names[count++] = kinds[i].type;
    for (size_t i = 0; i < all->count; i++) {
        names[count++] = all->tests[i]->family;
        names[count++] = all->tests[i]->id;
    }
    const char *nearest = p11prof_nearest(step->type, names, count);
    bench_step_refuse(suite, step, error, "no type is called '%s'%s%s%s", step->type,
                      nearest ? "; did you mean '" : "", nearest ? nearest : "",
                      nearest ? "'?" : "");
    free(names);
    return P11PROF_BAD_INPUT;
}

static enum p11prof_status none_fits(const struct p11prof_bench_selection *all,
                                     const struct bench_suite *suite, const struct bench_step *step,
                                     struct p11prof_error *error)
{
    if (!type_is_known(all, step->type))
        return type_unknown(all, suite, step, error);
    if (*step->key)
        return bench_step_refuse(suite, step, error,
                                 "no test of type %s%s%s works with the key '%.100s': its type, or "
                                 "what it may be used for, does not allow it",
                                 step->type, *step->mechanism ? " and mechanism " : "",
                                 step->mechanism, step->key);
    return bench_step_refuse(suite, step, error, "no test of type %s has the %s '%s'", step->type,
                             *step->algorithm ? "algorithm" : "mechanism",
                             *step->algorithm ? step->algorithm : step->mechanism);
}

/* Signatures of data that the token hashes itself are of any size. */
static bool has_any_size(const struct p11prof_bench_test *test)
{
    const char *name = test->mechanism == CK_UNAVAILABLE_INFORMATION
                           ? NULL
                           : p11prof_mechanism_name(test->mechanism);
    return test->sized || strcmp(test->family, "random") == 0 ||
           (name && strncmp(name, "CKM_SHA", 7) == 0 && strstr(name, "_RSA_PKCS"));
}

static enum p11prof_status check(const struct p11prof_bench_test *test,
                                 const struct bench_suite *suite, const struct bench_step *step,
                                 struct p11prof_error *error)
{
    if (test->alone)
        return bench_step_refuse(suite, step, error,
                                 "%s has to have the token for itself: measure it alone", test->id);
    if (step->data_bytes > 0 && step->data_bytes != test->data_bytes && !has_any_size(test))
        return bench_step_refuse(suite, step, error,
                                 "%s works on %llu bytes: it has no other data_size", test->id,
                                 (unsigned long long)test->data_bytes);
    if (strcmp(test->family, "random") == 0 && step->data_bytes > 0 &&
        step->data_bytes < RANDOM_BYTES_LEAST)
        return bench_step_refuse(suite, step, error,
                                 "fewer than %d random bytes cannot be verified",
                                 RANDOM_BYTES_LEAST);
    return P11PROF_OK;
}

enum p11prof_status bench_step_select(struct p11prof_bench_selection *out,
                                      const struct bench_suite *suite,
                                      const struct bench_step *step,
                                      const struct p11prof_bench_own_key *own_key,
                                      struct p11prof_error *error)
{
    enum p11prof_status status = p11prof_bench_select(out, "all", own_key, error);
    size_t found = 0;
    if (status != P11PROF_OK)
        return status;
    while (found < out->count && !is_wanted(out->tests[found], step, own_key))
        found++;
    status = found == out->count ? none_fits(out, suite, step, error)
                                 : check(out->tests[found], suite, step, error);
    if (status == P11PROF_OK) {
        out->tests[0] = out->tests[found];
        out->count = 1;
        return status;
    }
    free(out->tests);
    *out = (struct p11prof_bench_selection){.count = 0};
    return status;
}
