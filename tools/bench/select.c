/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* From the words of --test to tests. */
#include "fit.h"
#include "report/allocate.h"
#include "report/nearest.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 128 };

struct candidate {
    const struct p11prof_bench_test *test;
    bool fits; /* the user's own key */
    bool chosen;
};

/* What may be chosen. `made` is at the end of the block that the caller gets. */
struct pool {
    struct candidate *candidates;
    size_t count;
    struct p11prof_bench_made_test *made;
    size_t made_count;
};

static void push(struct pool *pool, const struct p11prof_bench_test *test, bool fits)
{
    pool->candidates[pool->count++] = (struct candidate){.test = test, .fits = fits};
}

/* Whether two tests do the same. */
static bool same_work(const struct p11prof_bench_test *a, const struct p11prof_bench_test *b)
{
    return a->operation == b->operation && a->mechanism == b->mechanism && a->steps == b->steps &&
           a->variant == b->variant;
}

/* Whether the pool has what a row became: the catalogue may do so under another id. */
static bool listed(const struct pool *pool, const struct p11prof_bench_test *made,
                   const struct p11prof_bench_own_key *own_key)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    for (size_t i = 0; i < count; i++)
        if (p11prof_bench_same_key(&tests[i], own_key) && same_work(&tests[i], made))
            return true;
    for (size_t i = 0; i < pool->made_count; i++)
        if (strcmp(pool->made[i].test.id, made->id) == 0)
            return true;
    return false;
}

/* A row of the catalogue, and what it becomes with the user's key. */
static void row_add(struct pool *pool, const struct p11prof_bench_test *row,
                    const struct p11prof_bench_own_key *own_key)
{
    struct p11prof_bench_made_test *made = &pool->made[pool->made_count];
    if (!p11prof_bench_fit_make(made, row, own_key)) {
        push(pool, row, false);
        return;
    }
    bool same_id = strcmp(made->test.id, row->id) == 0;
    bool fits = same_id && made->test.key_bits == row->key_bits;
    bool is_new = !fits && !listed(pool, &made->test, own_key);
    if (fits || !same_id || !is_new)
        push(pool, row, fits);
    if (is_new) {
        pool->made_count++;
        push(pool, &made->test, true);
    }
}

/* Lower case, without blanks, dashes and what is in parentheses: what people need not type right.
 */
static void normalize(char out[WORD_BYTES], const char *in)
{
    size_t length = 0;
    unsigned depth = 0;
    for (; *in && length < WORD_BYTES - 1; in++) {
        if (*in == '(')
            depth++;
        else if (*in == ')' && depth > 0)
            depth--;
        else if (depth == 0 && !strchr(" \t-_", *in))
            out[length++] = (char)tolower((unsigned char)*in);
    }
    out[length] = 0;
}

static bool same_text(const char *a, const char *b)
{
    char a_text[WORD_BYTES], b_text[WORD_BYTES];
    normalize(a_text, a);
    normalize(b_text, b);
    return strcmp(a_text, b_text) == 0;
}

/* The best of a family: the user's key before the default suite before the rest. */
static bool family_choose(struct pool *pool, const char *word)
{
    struct candidate *best = NULL;
    const char *family = same_text(word, "hash") ? "digest" : word;
    for (size_t i = 0; i < pool->count; i++) {
        struct candidate *candidate = &pool->candidates[i];
        if (!same_text(family, candidate->test->family))
            continue;
        if (!best || (candidate->fits && !best->fits))
            best = candidate;
    }
    if (best)
        best->chosen = true;
    return best;
}

static bool named_choose(struct pool *pool, const char *word)
{
    for (size_t i = 0; i < pool->count; i++) {
        struct candidate *candidate = &pool->candidates[i];
        if (same_text(word, candidate->test->id) || same_text(word, candidate->test->name))
            return candidate->chosen = true;
    }
    return false;
}

static bool glob_choose(struct pool *pool, const char *word)
{
    bool any = false;
    for (size_t i = 0; i < pool->count; i++) {
        if (fnmatch(word, pool->candidates[i].test->id, FNM_CASEFOLD) != 0)
            continue;
        pool->candidates[i].chosen = true;
        any = true;
    }
    return any;
}

static bool all_choose(struct pool *pool, const char *word)
{
    if (!same_text(word, "all"))
        return false;
    for (size_t i = 0; i < pool->count; i++)
        pool->candidates[i].chosen = true;
    return true;
}

static void default_choose(struct pool *pool, const struct p11prof_bench_own_key *own_key)
{
    for (size_t i = 0; i < pool->count; i++) {
        struct candidate *candidate = &pool->candidates[i];
        candidate->chosen =
            own_key && own_key->wanted ? candidate->fits : candidate->test->suite > 0;
    }
}

static enum p11prof_status unknown(const struct pool *pool, const char *word,
                                   struct p11prof_error *error)
{
    char lower[WORD_BYTES];
    const char **names = p11prof_zalloc(2 * pool->count, sizeof *names);
    size_t length = 0;
    for (; word[length] && length < WORD_BYTES - 1; length++)
        lower[length] = (char)(word[length] == ' ' ? '-' : tolower((unsigned char)word[length]));
    lower[length] = 0;
    for (size_t i = 0; i < pool->count; i++) {
        names[i] = pool->candidates[i].test->id;
        names[pool->count + i] = pool->candidates[i].test->family;
    }
    const char *nearest = p11prof_nearest(lower, names, 2 * pool->count);
    p11prof_error_set(error, P11PROF_BAD_INPUT, "no test is called \"%s\"; %s%s%s", word,
                      nearest ? "did you mean \""
                              : "tests are named by id (rsa-2048-sign), family "
                                "(sign, digest, keygen) or glob (rsa-*)",
                      nearest ? nearest : "", nearest ? "\"?" : "");
    free(names);
    return P11PROF_BAD_INPUT;
}

char *p11prof_bench_next_word(char **rest)
{
    unsigned depth = 0;
    char *word = *rest, *end = word;
    if (!word)
        return NULL;
    for (; *end && (*end != ',' || depth > 0); end++)
        depth += *end == '(' ? 1 : *end == ')' && depth > 0 ? -1U : 0;
    *rest = *end ? end + 1 : NULL;
    *end = 0;
    while (end > word && isspace((unsigned char)end[-1]))
        *--end = 0;
    while (isspace((unsigned char)*word))
        word++;
    return word;
}

static enum p11prof_status words_choose(struct pool *pool, const char *words,
                                        struct p11prof_error *error)
{
    char *copy = p11prof_copy(words), *rest = copy, *word;
    enum p11prof_status status = P11PROF_OK;
    while (status == P11PROF_OK && (word = p11prof_bench_next_word(&rest)))
        if (*word && !all_choose(pool, word) && !family_choose(pool, word) &&
            !named_choose(pool, word) && !glob_choose(pool, word))
            status = unknown(pool, word, error);
    free(copy);
    return status;
}

static enum p11prof_status chosen_take(struct p11prof_bench_selection *out, const struct pool *pool,
                                       const struct p11prof_bench_own_key *own_key,
                                       struct p11prof_error *error)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool->candidates[i].chosen)
            out->tests[out->count++] = pool->candidates[i].test;
    if (out->count > 0)
        return P11PROF_OK;
    if (!own_key || !own_key->wanted)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "--test names no test");
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "no test of the catalogue works with this key: its type, or what it "
                             "may be used for (CKA_SIGN, CKA_ENCRYPT, …), does not allow it");
}

enum p11prof_status p11prof_bench_select(struct p11prof_bench_selection *out, const char *words,
                                         const struct p11prof_bench_own_key *own_key,
                                         struct p11prof_error *error)
{
    size_t count;
    const struct p11prof_bench_test *rows = p11prof_bench_tests(&count);
    enum p11prof_status status = P11PROF_OK;
    /* Pointers, then what they may point to: one free() for both. */
    out->tests = p11prof_zalloc(1, 2 * count * sizeof *out->tests +
                                       (count + 1) * sizeof(struct p11prof_bench_made_test));
    out->count = 0;
    struct pool pool = {.candidates = p11prof_zalloc(2 * count, sizeof *pool.candidates),
                        .made = (void *)(out->tests + 2 * count)};
    for (size_t i = 0; i < count; i++)
        row_add(&pool, &rows[i], own_key);
    if (words && *words)
        status = words_choose(&pool, words, error);
    else
        default_choose(&pool, own_key);
    if (status == P11PROF_OK)
        status = chosen_take(out, &pool, own_key, error);
    if (status != P11PROF_OK) {
        free(out->tests);
        *out = (struct p11prof_bench_selection){0};
    }
    free(pool.candidates);
    return status;
}
