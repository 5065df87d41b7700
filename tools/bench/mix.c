/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "mix.h"

#include "report/allocate.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double weight_most = 1e6, sum_tolerance = 0.5;

/* --- what is said --- */

/* "50%" or "50": more than 0. */
static bool weight_read(const char *text, double *out, bool *percent)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;
    *percent = text[digits] == '%';
    *out = strtod(text, &end);
    return digits > 0 && end == text + digits && text[digits + *percent] == '\0' && *out > 0 &&
           *out <= weight_most;
}

/* One "sign:50%" of a mix; the word is cut off where it stands. */
static enum p11prof_status part_read(struct bench_mix *mix, char *part, bool *percent,
                                     struct p11prof_error *error)
{
    char *colon = strrchr(part, ':');
    if (!colon || colon == part)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--mix wants tests with their weights (sign:50%%,verify:50%%), "
                                 "not '%.100s'",
                                 part);
    if (mix->count == BENCH_MIX_MOST)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "--mix takes at most %d tests",
                                 BENCH_MIX_MOST);
    *colon = '\0';
    if (!weight_read(colon + 1, &mix->weights[mix->count], percent))
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--mix: the weight of %.100s is a number above 0, or a percentage "
                                 "(50%%), not '%.100s'",
                                 part, colon + 1);
    mix->words[mix->count++] = part;
    return P11PROF_OK;
}

static enum p11prof_status parts_read(struct bench_mix *mix, unsigned *percent_count,
                                      struct p11prof_error *error)
{
    char *rest = mix->text, *part;
    enum p11prof_status status = P11PROF_OK;
    while (status == P11PROF_OK && (part = p11prof_bench_next_word(&rest))) {
        bool percent = false;
        status = part_read(mix, part, &percent, error);
        *percent_count += percent;
    }
    return status;
}

/* Makes the weights add up to 1. */
static enum p11prof_status weights_fit(struct bench_mix *mix, unsigned percent_count,
                                       struct p11prof_error *error)
{
    double sum = 0;
    for (unsigned i = 0; i < mix->count; i++)
        sum += mix->weights[i];
    if (percent_count > 0 && percent_count < mix->count)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--mix takes percentages or weights, not both");
    if (percent_count > 0 && fabs(sum - 100) > sum_tolerance)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--mix: the percentages add up to %.10g, not to 100", sum);
    for (unsigned i = 0; i < mix->count; i++)
        mix->weights[i] /= sum;
    return P11PROF_OK;
}

enum p11prof_status bench_mix_read(struct bench_mix *out, const char *text,
                                   struct p11prof_error *error)
{
    unsigned percent_count = 0;
    *out = (struct bench_mix){.text = p11prof_copy(text)};
    enum p11prof_status status = parts_read(out, &percent_count, error);
    if (status == P11PROF_OK)
        status = weights_fit(out, percent_count, error);
    if (status != P11PROF_OK)
        bench_mix_clear(out);
    return status;
}

void bench_mix_clear(struct bench_mix *mix)
{
    free(mix->text);
    *mix = (struct bench_mix){.count = 0};
}

/* --- what it means --- */

/* The one test that a word names. */
static enum p11prof_status word_read(const char *word, const struct p11prof_bench_own_key *own_key,
                                     char id[P11PROF_BENCH_ID_BYTES], struct p11prof_error *error)
{
    struct p11prof_bench_selection named = {.count = 0};
    enum p11prof_status status = p11prof_bench_select(&named, word, own_key, error);
    if (status != P11PROF_OK)
        return status;
    const struct p11prof_bench_test *test = named.tests[0];
    memcpy(id, test->id, P11PROF_BENCH_ID_BYTES);
    if (named.count > 1)
        status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                   "--mix: '%.100s' means %zu tests: name one", word, named.count);
    else if (test->alone)
        status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                   "--mix: %s has to have the token for itself, since logins are "
                                   "of the whole process: measure it alone",
                                   id);
    free(named.tests);
    return status;
}

static enum p11prof_status words_read(const struct bench_mix *mix,
                                      const struct p11prof_bench_own_key *own_key,
                                      char ids[][P11PROF_BENCH_ID_BYTES],
                                      struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (unsigned i = 0; i < mix->count && status == P11PROF_OK; i++) {
        status = word_read(mix->words[i], own_key, ids[i], error);
        for (unsigned j = 0; j < i && status == P11PROF_OK; j++)
            if (strcmp(ids[i], ids[j]) == 0)
                status = p11prof_error_set(error, P11PROF_BAD_INPUT, "--mix has %s twice", ids[i]);
    }
    return status;
}

/* All in one block, as the catalogue has them; the mix has an order of its own. */
static enum p11prof_status ids_select(struct p11prof_bench_selection *out,
                                      const char (*ids)[P11PROF_BENCH_ID_BYTES], unsigned count,
                                      const struct p11prof_bench_own_key *own_key,
                                      struct p11prof_error *error)
{
    char words[BENCH_MIX_MOST * (P11PROF_BENCH_ID_BYTES + 1)], *end = words;
    const struct p11prof_bench_test *tests[BENCH_MIX_MOST];
    for (unsigned i = 0; i < count; i++)
        end = stpcpy(stpcpy(end, i > 0 ? "," : ""), ids[i]);
    enum p11prof_status status = p11prof_bench_select(out, words, own_key, error);
    if (status != P11PROF_OK)
        return status;
    for (unsigned i = 0; i < count; i++)
        for (size_t j = 0; j < out->count; j++)
            if (strcmp(out->tests[j]->id, ids[i]) == 0)
                tests[i] = out->tests[j];
    memcpy(out->tests, tests, count * sizeof *tests);
    return P11PROF_OK;
}

enum p11prof_status bench_mix_select(struct p11prof_bench_selection *out,
                                     const struct bench_mix *mix,
                                     const struct p11prof_bench_own_key *own_key,
                                     struct p11prof_error *error)
{
    char ids[BENCH_MIX_MOST][P11PROF_BENCH_ID_BYTES];
    enum p11prof_status status = words_read(mix, own_key, ids, error);
    return status == P11PROF_OK ? ids_select(out, ids, mix->count, own_key, error) : status;
}
