/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* TOML of the shape of a suite: [[tests]], each with values and an array of tables `operations`.
 * The only door to toml++, which is C++: no exception passes it. */
#ifndef P11PROF_BENCH_SUITE_TOML_H
#define P11PROF_BENCH_SUITE_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "p11prof/error.h"

struct suite_place {
    unsigned line, column; /* from 1 */
};

enum suite_type { SUITE_TEXT, SUITE_NUMBER, SUITE_TRUTH, SUITE_TABLE, SUITE_LIST, SUITE_OTHER };

/* key = value, where the value stands. */
struct suite_member {
    const char *key; /* borrowed, as the text is; NULL: of an element of a list */
    enum suite_type type;
    const char *text; /* of SUITE_TEXT: without NUL in it */
    int64_t number;   /* of SUITE_NUMBER; of SUITE_TRUTH: 0 or 1 */
    struct suite_place key_place, place;
};

/* Called in the order of the file, members of one table in that of their keys. False: the reading
 * ends; what was wrong is with the payload. */
struct suite_reader {
    bool (*test)(void *payload, struct suite_place place);
    bool (*operation)(void *payload, struct suite_place place); /* of the test in hand */
    /* of the operation in hand; before the first one, of the test */
    bool (*member)(void *payload, const struct suite_member *member);
};

/* P11PROF_BAD_INPUT: what toml++ or the shape finds wrong, "NAME:LINE:COLUMN: …"; P11PROF_CHANGED:
 * the reader ended it, *error is as it was. */
enum p11prof_status suite_toml_read(const char *text, size_t bytes, const char *name,
                                    const struct suite_reader *reader, void *payload,
                                    struct p11prof_error *error);

/* Goes through a file of any shape: members of a table in the order of their keys, elements of a
 * list in that of the file. What begin() is told of comes before its end(). False: as above. */
struct suite_visitor {
    const char *first; /* the key of the root that comes before all others */
    bool (*begin)(void *payload, const struct suite_member *member); /* a table or a list */
    bool (*end)(void *payload);
    bool (*value)(void *payload, const struct suite_member *member); /* anything else */
};

/* The same for suite_visitor; the root is told of as a table without key. */
enum p11prof_status suite_toml_visit(const char *text, size_t bytes, const char *name,
                                     const struct suite_visitor *visitor, void *payload,
                                     struct p11prof_error *error);

#ifdef __cplusplus
}
#endif

#endif
