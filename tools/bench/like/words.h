/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Names and times as files have them. Pure functions and data. */
#ifndef P11PROF_BENCH_LIKE_WORDS_H
#define P11PROF_BENCH_LIKE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct like_words {
    const char *prefix; /* "CKM_"; NULL: values without a name are none */
    const char *const *names;
    const int64_t *values; /* NULL: the index; a name may be NULL then */
    size_t count;
};
extern const struct like_words like_functions, like_kinds, like_mechanisms, like_key_types,
    like_results, like_classes, like_users, like_operations, like_reasons;

enum { LIKE_WORD_BYTES = 24, LIKE_TIME_BYTES = 40 };

/* The name of a value, or the value in hex in `buffer` of LIKE_WORD_BYTES. */
const char *like_word(const struct like_words *words, int64_t value, char *buffer);

/* The value of a name, or of a number in hex where values may be without name. */
bool like_word_read(const struct like_words *words, const char *text, int64_t *out);

/* The name that was meant, maybe; NULL. */
const char *like_word_nearest(const struct like_words *words, const char *text);

/* "0ns", "1250us", "1.234567ms": exact, in `out` of LIKE_TIME_BYTES. */
void like_time(char *out, uint64_t ns);
/* The same back; also of m and h. Less than 2^63 ns. */
bool like_time_read(const char *text, uint64_t *out_ns);

#endif
