/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A load shaped like a recorded application: which calls its processes and threads made, in which
 * order, of what kind and size, and how long they waited in between. `bench --suite-from RUN`
 * makes one of a recorded run and writes it as TOML; `bench --like RUN` and `bench --suite FILE`
 * play it on any token, with fresh keys and random data.
 *
 * It holds no secret: no handle, label, data, PIN or parameter of what was recorded. Whoever plays
 * it has never seen the recorded token. Pure data; a script is owned by who made it. */
#ifndef P11PROF_BENCH_LIKE_SCRIPT_H
#define P11PROF_BENCH_LIKE_SCRIPT_H

#include "p11prof/calls.h"
#include "p11prof/error.h"
#include "p11prof/pkcs11.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sqlite3;

/* A fact that is not known. */
#define LIKE_UNKNOWN (-INT64_C(1))

enum {
    LIKE_NAME_BYTES = 128,
    LIKE_PROCESSES_MOST = 64,
    LIKE_THREADS_MOST = 1024,   /* of all processes */
    LIKE_PLACES_MOST = 1 << 20, /* of sessions in a process */
    LIKE_OBJECTS_MOST = 65536,  /* of the script */
    LIKE_NODES_MOST = 500000,   /* of the script: one that folds into no fewer is refused */
    LIKE_DEPTH_MOST = 16,       /* repeats in repeats */
};

/* An object that calls use. It is there before the first call (made by the player as a token
 * object, destroyed afterwards), or made by a call of the script. */
struct like_object {
    uint32_t number;  /* from 1, its index + 1 */
    int64_t class;    /* CKO_…; LIKE_UNKNOWN: only found and read, any will do */
    int64_t key_type; /* CKK_…; LIKE_UNKNOWN: no key */
    int64_t key_bits; /* or parameter set; LIKE_UNKNOWN */
    uint32_t pair;    /* number of its other half, made together; 0: none that is known */
    uint32_t uses;    /* bits 1 << enum p11prof_operation: what it is used for */
    bool made;        /* by a call of the script */
};

/* Where something begins: so long after a call of another thread had returned. The clock alone
 * would not do: on another token that call takes another time. */
struct like_anchor {
    uint32_t process, thread; /* from 1; 0: nowhere, by the clock */
    uint64_t call_count;      /* of that thread, that had returned */
    uint64_t gap_ns;
};

/* One call. */
struct like_call {
    unsigned function; /* enum p11prof_function */
    unsigned kind; /* enum p11prof_call_kind: size queries and too small buffers are made again */
    int64_t mechanism; /* LIKE_UNKNOWN: none */
    uint32_t session;  /* place of a session in its process, from 1, the lowest that was free when
                          it was opened; 0: none */
    uint32_t object;   /* number of the object it works with; 0: none */
    uint32_t made[2];  /* numbers of the objects it makes: secret or private one, public one */
    int64_t in_bytes, out_bytes; /* of its data; LIKE_UNKNOWN */
    int64_t item_count;          /* attributes, objects found, mechanisms, slots; LIKE_UNKNOWN */
    int64_t user;                /* of C_Login: CKU_…; LIKE_UNKNOWN */
    int64_t flags;        /* CK_FLAGS; of C_FindObjects: how many objects it wanted; LIKE_UNKNOWN */
    CK_RV rv;             /* that was answered; it is told where the played one differs */
    uint64_t think_ns;    /* before it, since the thread's call before it returned */
    uint64_t join_thread; /* from 1, in its process: it waited for that thread's end; 0: for none */
    uint64_t join_gap_ns; /* since that end: instead of think_ns */
    uint64_t join_count;  /* threads of its process that had ended by then, that one too */
};

/* A call, or nodes that are repeated. */
struct like_node {
    uint64_t times;          /* 1 or more */
    struct like_call call;   /* where count is 0 */
    struct like_node *nodes; /* owned */
    size_t count;
};

/* A thread: what it does from its first call to its last. */
struct like_thread {
    uint64_t start_ns;         /* of its first call, since its process's first one */
    struct like_anchor anchor; /* of it, in its process */
    struct like_node *nodes;   /* owned; count nodes, one after the other */
    size_t count;
};

struct like_process {
    uint64_t start_ns;           /* of its first call, since the run's first one */
    struct like_anchor anchor;   /* of it, in another process */
    struct like_thread *threads; /* owned */
    size_t thread_count;
};

/* Why a recorded call is not played, and never will be. */
enum like_reason {
    LIKE_NESTED,       /* made by the module, inside another call */
    LIKE_WAITING,      /* C_WaitForSlotEvent that waits; its time is think time */
    LIKE_PIN_CHANGED,  /* C_InitToken, C_InitPIN, C_SetPIN */
    LIKE_LOGIN_FAILED, /* a PIN has few tries */
    LIKE_NO_FUNCTION,  /* not one of PKCS#11 3.2 */
    LIKE_REASONS,
};

struct like_script {
    char name[LIKE_NAME_BYTES];   /* what it was made of: "run 12 (nginx)" */
    char uuid[40];                /* of that run; "" */
    char origin[LIKE_NAME_BYTES]; /* for people: which token, when; "" */
    uint64_t duration_ns;         /* from its first call to its last one's end; 0: unknown */
    uint64_t call_count;          /* recorded calls that are played */
    uint64_t left_out_count;      /* recorded calls that are not: the sum of these */
    uint64_t left_out[LIKE_REASONS];
    uint64_t missing_count;      /* calls that the recording lost, or that were pruned */
    bool untimed;                /* the recording has no durations: think times are 0 */
    struct like_object *objects; /* owned */
    size_t object_count;
    struct like_process *processes; /* owned */
    size_t process_count;
};

/* Makes the script of a recorded run. P11PROF_BAD_INPUT: it has no rows of calls (a summary,
 * pruned), or folds into more than LIKE_NODES_MOST nodes; described, with what to do. *script is
 * then {0}. */
enum p11prof_status like_script_from_run(struct like_script *script, struct sqlite3 *db,
                                         int64_t run_id, struct p11prof_error *error);

/* Prints it as TOML. */
void like_script_print(const struct like_script *script, FILE *stream);

/* Reads TOML of at most 64 MB; what was printed gives the same script again. P11PROF_BAD_INPUT:
 * what is wrong is described as "FILE:LINE:COLUMN: what", *script is then {0}. */
enum p11prof_status like_script_parse(struct like_script *script, const char *text, size_t bytes,
                                      const char *path, struct p11prof_error *error);

/* Whether a file in TOML is one of these, rather than a suite of tests; by its key "script". */
bool like_script_is(const char *text, size_t bytes);

void like_script_clear(struct like_script *script);
/* Nodes that belong to no script. */
void like_nodes_free(struct like_node *nodes, size_t count);

/* How many nodes it has: lines of calls in the file. */
size_t like_script_nodes(const struct like_script *script);

/* Calls by function, P11PROF_CALLS + 1 numbers that are added to. */
void like_script_count(const struct like_script *script, uint64_t counts[P11PROF_CALLS + 1]);

/* Goes through the calls of a thread in their order, repeats repeated. */
struct like_walk {
    const struct like_thread *thread;
    struct like_level {
        const struct like_node *nodes;
        size_t count, at;
        uint64_t times_left; /* of this level */
        uint64_t call_left;  /* of the call at `at` */
    } levels[LIKE_DEPTH_MOST + 1];
    unsigned depth;
};
void like_walk_start(struct like_walk *walk, const struct like_thread *thread);
/* NULL: there are no more. */
const struct like_call *like_walk_next(struct like_walk *walk);

#endif
