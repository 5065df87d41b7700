/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A finished batch: what one drain step hands to the store, in plain C. Attribution fills it, the
 * store writes it in one transaction, and a failed write is repeated with the same batch. Owned by
 * the drain; the store only reads it. All times are ns since the run's start. */
#ifndef P11PROF_BATCH_H
#define P11PROF_BATCH_H

#include "p11prof/calls.h"
#include "p11prof/histogram.h"
#include "p11prof/spool.h"

#include <stddef.h>

/* What kind of call a row is; stored on disk. */
enum p11prof_call_kind {
    P11PROF_KIND_CALL = 0,
    P11PROF_KIND_SIZE_QUERY = 1,
    P11PROF_KIND_TOO_SMALL = 2,
    P11PROF_KIND_BLOCKING = 3,
};

/* Columns of a row that may be unknown, as bits of p11prof_row.known. */
enum p11prof_row_column {
    P11PROF_ROW_RV = 1 << 0, /* unset: undisclosed */
    P11PROF_ROW_MECHANISM = 1 << 1,
    P11PROF_ROW_SESSION = 1 << 2,
    P11PROF_ROW_SLOT = 1 << 3,
    P11PROF_ROW_KEY = 1 << 4,
    P11PROF_ROW_KEY_TYPE = 1 << 5,
    P11PROF_ROW_KEY_BITS = 1 << 6,
    P11PROF_ROW_IN_BYTES = 1 << 7,
    P11PROF_ROW_OUT_BYTES = 1 << 8,
    P11PROF_ROW_CALLER = 1 << 9,
    P11PROF_ROW_OPERATION =
        1 << 10, /* it carries an operation: operation, operation_start_ns … operation_call_count */
    P11PROF_ROW_OPERATION_IN = 1 << 11,
    P11PROF_ROW_OPERATION_OUT = 1 << 12,
    P11PROF_ROW_UNTIMED = 1 << 13, /* set: its durations are not known */
    P11PROF_ROW_INTENDED = 1 << 14,
    P11PROF_ROW_ITEM_COUNT = 1 << 15,
    P11PROF_ROW_DETAIL = 1 << 16,
};

enum p11prof_row_flag {
    P11PROF_ROW_NESTED = 1, /* made inside another recorded call of its thread */
    P11PROF_ROW_OVERLAP =
        2, /* overlapped in time with another call of its session: not attributed */
    P11PROF_ROW_SIGNAL = 4,  /* made by a signal handler */
    P11PROF_ROW_CLAMPED = 8, /* the clock went backwards */
};

struct p11prof_row {
    uint32_t known; /* bits of enum p11prof_row_column */
    uint16_t function;
    uint8_t kind;      /* enum p11prof_call_kind */
    uint8_t flags;     /* enum p11prof_row_flag */
    uint8_t operation; /* enum p11prof_operation */
    uint32_t thread_id;
    uint32_t key_id; /* number of the object in its process, from 1 */
    uint32_t key_bits;
    uint32_t caller_id; /* p11prof_caller_row of its process */
    uint32_t operation_call_count;
    uint32_t part; /* of a load: p11prof/load.h; 0: of none */
    uint64_t start_ns;
    uint64_t duration_ns;
    uint64_t rv;
    uint64_t mechanism;
    uint64_t session;
    uint64_t slot_id;
    uint64_t key_type;
    uint64_t in_bytes;
    uint64_t out_bytes;
    uint64_t operation_start_ns;    /* of its first call */
    uint64_t operation_duration_ns; /* in the module: sum over its calls */
    uint64_t operation_in_bytes;
    uint64_t operation_out_bytes;
    uint64_t intended_start_ns; /* of its operation: since the run's start */
    uint64_t item_count;        /* attributes asked for, objects found, slots, mechanisms */
    uint64_t detail; /* of a call that makes objects: number of the first in its process, a pair's
                        public one; C_Login: CKU_…; C_FindObjects: how many it wanted;
                        C_FindObjectsInit: bits of enum p11prof_template_type;
                        C_GetAttributeValue: CKA_… of the first; else its CK_FLAGS */
};

/* Values of a group that are not known. */
#define P11PROF_UNKNOWN (-INT64_C(1))

/* One group in one window, with its histogram. The population of sum, squares, min, max and buckets
 * are the calls that did not fail (rv CKR_OK or undisclosed; for the kind too-small every call). */
struct p11prof_group {
    bool operation; /* code is an enum p11prof_operation, else an enum p11prof_function */
    uint8_t kind;   /* enum p11prof_call_kind */
    uint16_t code;
    int64_t mechanism; /* or P11PROF_UNKNOWN */
    int64_t key_type;  /* or P11PROF_UNKNOWN */
    int64_t key_bits;  /* or P11PROF_UNKNOWN */
    uint32_t part;     /* of a load: p11prof/load.h; 0: of none */
    uint64_t window_start_ns;
    uint64_t window_ns; /* 0: a slice of a load, whose end stands with the slice */
    uint64_t count;
    uint64_t error_count;
    uint64_t undisclosed_count;
    uint64_t sum_ns;
    uint64_t error_sum_ns; /* time of the failed ones */
    double sum_squares;    /* ns² */
    uint64_t min_ns, max_ns;
    uint64_t in_bytes, out_bytes;
    bool windowless; /* over the whole run only: when its calls were is not known */
    uint32_t *octaves[P11PROF_OCTAVES]; /* P11PROF_OCTAVE_BUCKETS counts each, NULL where empty */
};

/* Errors by function and CK_RV, for the view `errors`. */
struct p11prof_error_count {
    uint16_t function;
    uint64_t rv;
    uint64_t count, sum_ns, min_ns, max_ns;
};

/* What a thread did, for the view `threads`. Calls inside another recorded call are counted; their
 * time is in the outer one's. */
struct p11prof_thread_sum {
    uint32_t thread_id;
    uint64_t first_ns, last_ns; /* start of its first call, end of its last */
    uint64_t call_count;
    uint64_t outer_ns;   /* in calls that do not wait */
    uint64_t waiting_ns; /* in calls of kind P11PROF_KIND_BLOCKING */
};

/* A session that was closed, or was open at its process's end (closed_ns 0). */
struct p11prof_session_row {
    uint64_t session, slot_id;
    bool slot_known;
    uint64_t opened_ns, closed_ns;
    uint64_t call_count;
};

/* A place that called us, seen for the first time. */
struct p11prof_caller_row {
    uint32_t caller_id;    /* from 1, in its process */
    const char *path;      /* of the file; "[anonymous]" for code of no file */
    uint64_t offset_bytes; /* in the file, of the return address; 0: unknown */
};

/* Attribution state that a later drain of the same spool needs: replaces what has the same kind and
 * key. */
enum p11prof_state_kind {
    P11PROF_STATE_SESSION = 1,
    P11PROF_STATE_OBJECT = 2,
    P11PROF_STATE_COUNTERS = 3,
    /* What a process that had forked knew when it gave it up: its children may know it still. Stays
     * when the process ends. */
    P11PROF_STATE_LEFT_SESSION = 4,
    P11PROF_STATE_LEFT_OBJECT = 5,
};
struct p11prof_state_row {
    uint8_t kind; /* enum p11prof_state_kind */
    uint64_t key;
    const void *data; /* NULL: removed */
    size_t data_bytes;
};

/* How far a ring is drained: the number of records of it that the database has. */
struct p11prof_position_row {
    uint32_t ring;
    uint64_t position;
};

struct p11prof_loss_row {
    uint16_t function; /* 0: unknown */
    uint8_t cause;     /* enum p11prof_loss */
    uint64_t count;    /* so far, of the whole spool; P11PROF_LOSS_TORN: more, in this batch */
};

/* A call that has not returned when its process ended. */
struct p11prof_in_flight_row {
    uint32_t thread_id;
    uint16_t function;
    uint64_t start_ns;
    uint64_t age_ns; /* when it was last seen */
};

struct p11prof_token_row {
    uint64_t slot_id;
    uint64_t session_count; /* opened on it so far */
    bool described;         /* the texts are known: the application asked for CK_TOKEN_INFO */
    char label[33], manufacturer[33], model[17], serial[17]; /* without trailing blanks */
    uint8_t hardware_major, hardware_minor, firmware_major, firmware_minor;
};

struct p11prof_batch {
    struct p11prof_row *rows;
    size_t row_count;
    struct p11prof_group *groups;
    size_t group_count;
    struct p11prof_error_count *errors;
    size_t error_count;
    struct p11prof_thread_sum *threads; /* add to what is stored of this process and thread */
    size_t thread_count;
    struct p11prof_session_row *sessions;
    size_t session_count;
    struct p11prof_caller_row *callers;
    size_t caller_count;
    struct p11prof_state_row *states;
    size_t state_count;
    struct p11prof_position_row *positions;
    size_t position_count;
    struct p11prof_loss_row *losses; /* replace what is stored of this spool, but TORN */
    size_t loss_count;
    struct p11prof_in_flight_row *in_flight; /* of a process that is gone */
    size_t in_flight_count;
    struct p11prof_token_row *tokens; /* replace what is stored of this process and slot */
    size_t token_count;
    uint64_t call_count;       /* calls in this batch, kept as rows or not */
    uint64_t last_end_ns;      /* latest end of a call in it; 0 if there is none */
    uint64_t clock_step_count; /* so far */
    uint64_t clamped_count;    /* so far */
    bool library_known;
    char library[80]; /* "SoftHSM 2.6 (SoftHSM project)": from CK_INFO */
    uint8_t cryptoki_major, cryptoki_minor;
    bool process_ended;     /* the last batch of its spool: state is removed, but what is LEFT */
    bool process_recovered; /* … and its destructor did not run */
    bool untimed;           /* durations are not known: errors have none, rows say so themselves */
};

#endif
