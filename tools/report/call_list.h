/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Picks calls of one run: the slowest, the newest, those around one. Reads the private tables, so
 * that a pick costs one scan at most, and needs memory for what it picks only. One thread. */
#ifndef P11PROF_REPORT_CALL_LIST_H
#define P11PROF_REPORT_CALL_LIST_H

#include "p11prof/error.h"
#include "selection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/* Selected calls of a run. Starts as {0}; db is borrowed. */
struct p11prof_call_scope {
    struct sqlite3 *db;
    int64_t run_id;
    int64_t start_wall_ns; /* of the run */
    int64_t duration_ns;   /* of the run, until the last call's end if it goes on */
    uint64_t call_count;   /* all that the run counted; not those that were lost */
    uint64_t row_count;    /* those that are kept one by one */
    bool with_blocking;    /* the selection asks for kinds: calls that wait may be the slowest */
    char *where;           /* SQL of what is selected: "" or " AND …" */
};

/* P11PROF_BAD_INPUT if a word of the selection is none. */
enum p11prof_status p11prof_call_scope_open(struct p11prof_call_scope *out, struct sqlite3 *db,
                                            int64_t run_id,
                                            const struct p11prof_selection *selection,
                                            struct p11prof_error *error);
void p11prof_call_scope_clear(struct p11prof_call_scope *scope);

/* P11PROF_BAD_INPUT if the run has no calls one by one. */
enum p11prof_status p11prof_call_scope_check(const struct p11prof_call_scope *scope,
                                             struct p11prof_error *error);

/* Prepares "SELECT columns FROM [calls c in segments s of the run] WHERE … where order": `where` is
 * "" or " AND …"; ?1 to ?4 are bound. ?3 and ?4 are the first and last id that are looked at: all,
 * until the caller binds others. in_order: of their ids, over all processes. */
enum p11prof_status p11prof_call_scope_prepare(const struct p11prof_call_scope *scope,
                                               const char *columns, const char *where,
                                               const char *order, bool in_order,
                                               struct sqlite3_stmt **out,
                                               struct p11prof_error *error);

/* How a call stands to the one that a list is about. */
enum p11prof_call_relation {
    P11PROF_CALL_LISTED, /* there is none */
    P11PROF_CALL_ENCLOSING,
    P11PROF_CALL_BEFORE,
    P11PROF_CALL_AT, /* it is that one */
    P11PROF_CALL_AFTER,
    P11PROF_CALL_IN_FLIGHT, /* of another thread, at the moment when it began */
};

struct p11prof_call_ref {
    int64_t id, process_id, thread_id, start_ns, duration_ns;
    int64_t gap_ns; /* since the thread's previous call ended; P11PROF_NO_GAP: none or unknown */
    unsigned flags; /* enum p11prof_row_flag */
    enum p11prof_call_relation relation;
};
#define P11PROF_NO_GAP (-INT64_C(1))

/* Starts as {0}. */
struct p11prof_call_list {
    struct p11prof_call_ref *refs;
    size_t count, capacity;
};
void p11prof_call_list_clear(struct p11prof_call_list *list);

/* The columns of a query that p11prof_call_ref_read() reads. */
#define P11PROF_CALL_REF "c.id, s.process, c.thread_id, c.start_ns, c.duration_ns, c.flags"
enum { P11PROF_CALL_REF_COLUMNS = 6 };
struct p11prof_call_ref p11prof_call_ref_read(struct sqlite3_stmt *row);

/* Adds all rows of a statement, and finalizes it. */
enum p11prof_status p11prof_call_list_take(struct p11prof_call_list *list,
                                           struct sqlite3_stmt *rows,
                                           enum p11prof_call_relation relation,
                                           struct p11prof_error *error);

enum p11prof_call_pick {
    P11PROF_PICK_SLOWEST, /* slowest first; calls that wait only if scope->with_blocking */
    P11PROF_PICK_NEWEST,  /* newest last */
    P11PROF_PICK_FAILED,  /* newest first; too small a buffer is no failure */
};

/* At most `count` of the selected calls. */
enum p11prof_status p11prof_call_list_pick(struct p11prof_call_list *out,
                                           const struct p11prof_call_scope *scope,
                                           enum p11prof_call_pick pick, uint64_t count,
                                           struct p11prof_error *error);

#endif
