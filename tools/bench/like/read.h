/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Among the files that read a script: where the reading is, and what is wrong there. */
#ifndef P11PROF_BENCH_LIKE_READ_H
#define P11PROF_BENCH_LIKE_READ_H

#include "../suite_toml.h"
#include "script.h"

enum like_frame_kind {
    LIKE_ROOT,
    LIKE_LEFT_OUT,
    LIKE_OBJECTS,
    LIKE_OBJECT,
    LIKE_USES,
    LIKE_PROCESSES,
    LIKE_PROCESS,
    LIKE_THREADS,
    LIKE_THREAD,
    LIKE_CALLS,
    LIKE_CALL,
    LIKE_MADE,
    LIKE_AFTER,
};

enum {
    LIKE_FRAMES_MOST = 2 * LIKE_DEPTH_MOST + 12,
    LIKE_FILE_BYTES_MOST = 64 << 20,
};
#define LIKE_CALLS_MOST (UINT64_C(1) << 48) /* that a script plays */

/* A table or list that is being read. */
struct like_frame {
    enum like_frame_kind kind;
    struct suite_place place;
    bool said;             /* of a call: its function */
    size_t made_count;     /* of LIKE_MADE */
    struct like_node node; /* of a call, until it is put into its list */
    /* Of a list of calls. */
    struct like_node *nodes;
    size_t count, capacity;
    uint64_t calls; /* that its nodes play */
};

struct like_reading {
    struct like_script *script;
    const char *path;
    struct p11prof_error *error;
    struct like_frame frames[LIKE_FRAMES_MOST];
    unsigned depth;      /* frames that are open */
    unsigned call_depth; /* lists of calls, one in the other */
    size_t node_count, thread_count;
    size_t object_capacity, process_capacity, thread_capacity;
    bool versioned;
    uint64_t thread_calls[LIKE_THREADS_MOST + 1]; /* of each thread of all processes */
    size_t first_threads[LIKE_PROCESSES_MOST];    /* of each process, among these */
    uint64_t join_most;                           /* thread that a call of the process waits for */
    struct suite_place join_place;                /* of that call */
};

/* Describes what is wrong at a place; false. */
__attribute__((format(printf, 3, 4))) bool like_refuse(const struct like_reading *reading,
                                                       struct suite_place place, const char *format,
                                                       ...);
/* The same for a name that is none of `names`, with the nearest of them. */
bool like_refuse_key(const struct like_reading *reading, const struct suite_member *member,
                     const char *of, const char *const *names, size_t count);

static inline struct like_frame *like_top(struct like_reading *reading)
{
    return &reading->frames[reading->depth - 1];
}

static inline struct like_process *like_last_process(const struct like_reading *reading)
{
    return &reading->script->processes[reading->script->process_count - 1];
}

static inline struct like_thread *like_last_thread(const struct like_reading *reading)
{
    struct like_process *process = like_last_process(reading);
    return &process->threads[process->thread_count - 1];
}

/* That of the process or thread around. */
static inline struct like_anchor *like_anchor_of(const struct like_reading *reading,
                                                 const struct like_frame *frame)
{
    return frame[-1].kind == LIKE_PROCESS ? &like_last_process(reading)->anchor
                                          : &like_last_thread(reading)->anchor;
}

/* What a frame that begins or ends has to be. */
bool like_frame_begin(struct like_reading *reading, struct like_frame *frame);
bool like_frame_end(struct like_reading *reading, struct like_frame *frame);

struct like_words;

/* Each takes a value, or refuses it. */
bool like_take_number(const struct like_reading *reading, const struct suite_member *member,
                      int64_t least, int64_t most, int64_t *out);
bool like_take_word(const struct like_reading *reading, const struct suite_member *member,
                    const struct like_words *words, int64_t *out);
bool like_take_time(const struct like_reading *reading, const struct suite_member *member,
                    uint64_t *out_ns);
bool like_take_size(const struct like_reading *reading, const struct suite_member *member,
                    int64_t *out);
bool like_take_text(const struct like_reading *reading, const struct suite_member *member,
                    char *out, size_t bytes);

/* Members of the script, of an object, of a call. */
bool like_read_root(struct like_reading *reading, const struct suite_member *member);
bool like_read_object(struct like_reading *reading, struct like_object *object,
                      const struct suite_member *member);
bool like_read_call(struct like_reading *reading, struct like_frame *frame,
                    const struct suite_member *member);

/* Members of `after`; and whether all of a process, or of the script, begin after what there is. */
bool like_read_after(struct like_reading *reading, struct like_anchor *anchor, bool of_process,
                     const struct suite_member *member);
bool like_threads_check(const struct like_reading *reading, struct suite_place place);
bool like_processes_check(const struct like_reading *reading, struct suite_place place);

#endif
