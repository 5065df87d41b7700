/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The texts of frames of folded stacks. They hold neither semicolons nor blanks: those are "_".
 * Starts as {0}. One thread. */
#ifndef P11PROF_INSIGHT_FOLDED_NAMES_H
#define P11PROF_INSIGHT_FOLDED_NAMES_H

#include "folded_walk.h"
#include "report/code_names.h"

#include <stdio.h>

struct p11prof_folded_names {
    struct p11prof_folded_text {
        int64_t process_id, caller; /* caller 0: the program */
        uint32_t text;
    } * entries; /* ordered by process, caller */
    size_t count, capacity;
    char **texts; /* each once */
    size_t text_count, text_capacity;
    struct p11prof_code_names functions, operations, mechanisms, key_types, kinds;
};

/* Loads the names of codes. */
enum p11prof_status p11prof_folded_names_open(struct p11prof_folded_names *names,
                                              struct sqlite3 *db, struct p11prof_error *error);

/* Adds the programs and callers of a run. */
enum p11prof_status p11prof_folded_names_load(struct p11prof_folded_names *names,
                                              struct sqlite3 *db, int64_t run_id, bool redact,
                                              struct p11prof_error *error);
void p11prof_folded_names_clear(struct p11prof_folded_names *names);

/* The texts of a call's first two frames. */
struct p11prof_folded_place p11prof_folded_names_place(const struct p11prof_folded_names *names,
                                                       const struct p11prof_event *event);

/* Writes one frame: "program", "library:function", "sign(CKM_ECDSA,CKK_EC,256)", "C_Sign". */
void p11prof_folded_names_write(FILE *stream, const struct p11prof_folded_names *names,
                                const struct p11prof_frame *frame);

#endif
