/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which calls and operations a report is about: filters by dimension, a range of time, a least
 * duration. Words and moments are kept as they were given, and get their meaning run by run.
 *
 * The words of a filter, with commas between, are alternatives: names with or without their prefix
 * (C_Sign, sign, CKM_RSA_PKCS, rsa_pkcs), in capitals or not, with * and ? as wildcards; numbers
 * (2048, 0x1041); "-" for unknown. "!" before the first word turns the filter round. rv has besides
 * "failed" (all but CKR_OK; undisclosed results are not failed) and "undisclosed". */
#ifndef P11PROF_REPORT_SELECTION_H
#define P11PROF_REPORT_SELECTION_H

#include "dimensions.h"
#include "moments.h"
#include "p11prof/error.h"

struct sqlite3;

enum { P11PROF_FILTERS_MAX = 24 };

/* Starts as {0}. Texts are borrowed. */
struct p11prof_selection {
    struct p11prof_filter {
        enum p11prof_dimension_id id;
        const char *words;
    } filters[P11PROF_FILTERS_MAX];
    size_t filter_count;
    struct p11prof_moment since, until; /* of a call's start: [since, until) */
    uint64_t slower_than_ns;            /* least duration; 0: none */
    const char *slower_than_text;       /* as it was given */
};

/* Adds a filter; all filters have to hold. False if there are too many. */
bool p11prof_selection_add(struct p11prof_selection *selection, enum p11prof_dimension_id id,
                           const char *words);

/* Whether it leaves anything out. */
bool p11prof_selection_is_all(const struct p11prof_selection *selection);

/* Whether it takes some calls of a thread and leaves others out, whatever their time: what an
 * application does is not seen then, or looks like something else. */
bool p11prof_selection_hides_calls(const struct p11prof_selection *selection);

/* "--function C_Sign --since 10s"; "" of everything. `redact`: without the words that a redaction
 * (redact.h) takes out. The caller frees it. */
char *p11prof_selection_text(const struct p11prof_selection *selection, bool redact);

/* A selection in one run, as SQL that follows a WHERE clause: "" or " AND …". Aliases and
 * parameters are those of dimensions.h. Starts as {0}. */
struct p11prof_condition {
    char *of_call;      /* but for slower_than_ns */
    char *of_group;     /* of groups of calls; NULL: histograms cannot tell */
    char *of_operation; /* of groups of operations; NULL: the same */
    bool of_window;     /* of_group and of_operation are of windows: those that begin in the range
                           of time */
    int64_t start_wall_ns; /* of the run: ?2 */
};

/* What the selection (NULL: everything) means in a run; the caller clears *out. P11PROF_BAD_INPUT
 * if a word means nothing in this database: *error names the nearest one. A word that this run
 * does not have, but others may, selects nothing. */
enum p11prof_status p11prof_selection_resolve(const struct p11prof_selection *selection,
                                              struct sqlite3 *db, int64_t run_id,
                                              struct p11prof_condition *out,
                                              struct p11prof_error *error);
void p11prof_condition_clear(struct p11prof_condition *condition);

/* Describes in *error, as P11PROF_BAD_INPUT, that nothing of the runs is selected: names the filter
 * that leaves nothing, and what the runs have instead. */
enum p11prof_status p11prof_selection_empty(const struct p11prof_selection *selection,
                                            struct sqlite3 *db, const int64_t *run_ids,
                                            size_t run_count, struct p11prof_error *error);

#endif
