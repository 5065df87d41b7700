/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "fill.h"

#include "p11prof/histogram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 65536, SHAPES = 6, GROUPS = 2 * SHAPES };

/* A kind of call; those with an operation end it. */
static const struct shape {
    uint16_t function;
    uint64_t mechanism, key_type, key_bits;
    uint8_t operation;
    double median_ns, spread; /* log-normal */
} shapes[SHAPES] = {
    {P11PROF_C_SignInit, CKM_RSA_PKCS, CKK_RSA, 2048, 0, 2500, 0.2},
    {P11PROF_C_Sign, CKM_RSA_PKCS, CKK_RSA, 2048, P11PROF_OPERATION_SIGN, 800000, 0.3},
    {P11PROF_C_EncryptInit, CKM_AES_GCM, CKK_AES, 256, 0, 3000, 0.2},
    {P11PROF_C_Encrypt, CKM_AES_GCM, CKK_AES, 256, P11PROF_OPERATION_ENCRYPT, 20000, 0.5},
    {P11PROF_C_GenerateRandom, 0, 0, 0, P11PROF_OPERATION_GENERATE_RANDOM, 9000, 0.4},
    {P11PROF_C_GetAttributeValue, 0, 0, 0, 0, 4000, 0.6},
};

/* The group of calls of a shape, and behind those the groups of operations. */
struct groups {
    struct p11prof_group all[GROUPS];
    uint32_t counts[GROUPS][P11PROF_OCTAVES][P11PROF_OCTAVE_BUCKETS];
};

static void fail(const char *what, const struct p11prof_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->text);
    exit(1);
}

static double normal(void)
{
    double u = (rand() + 1.0) / (RAND_MAX + 2.0), v = (rand() + 1.0) / (RAND_MAX + 2.0);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static void groups_init(struct groups *groups, uint64_t start_ns)
{
    memset(groups, 0, sizeof *groups);
    for (unsigned i = 0; i < GROUPS; i++) {
        const struct shape *shape = &shapes[i % SHAPES];
        bool operation = i >= SHAPES;
        groups->all[i] = (struct p11prof_group){
            .operation = operation,
            .code = operation ? shape->operation : shape->function,
            .mechanism = shape->mechanism ? (int64_t)shape->mechanism : P11PROF_UNKNOWN,
            .key_type = shape->key_bits ? (int64_t)shape->key_type : P11PROF_UNKNOWN,
            .key_bits = shape->key_bits ? (int64_t)shape->key_bits : P11PROF_UNKNOWN,
            .window_start_ns = start_ns / 60000000000 * 60000000000,
            .window_ns = 60000000000};
    }
}

static void group_add(struct groups *groups, unsigned index, uint64_t duration_ns)
{
    struct p11prof_group *group = &groups->all[index];
    unsigned octave = p11prof_octave(duration_ns);
    group->octaves[octave] = groups->counts[index][octave];
    group->octaves[octave][p11prof_octave_bucket(duration_ns, octave)]++;
    if (group->count == 0 || duration_ns < group->min_ns)
        group->min_ns = duration_ns;
    if (duration_ns > group->max_ns)
        group->max_ns = duration_ns;
    group->count++;
    group->sum_ns += duration_ns;
    group->sum_squares += (double)duration_ns * (double)duration_ns;
}

static void make_row(struct p11prof_row *row, const struct shape *shape, uint64_t start_ns)
{
    uint64_t duration_ns = (uint64_t)(shape->median_ns * exp(shape->spread * normal()));
    *row = (struct p11prof_row){
        .known = P11PROF_ROW_RV | P11PROF_ROW_SESSION |
                 (shape->mechanism ? P11PROF_ROW_MECHANISM : 0U) |
                 (shape->key_bits ? P11PROF_ROW_KEY_TYPE | P11PROF_ROW_KEY_BITS : 0U) |
                 (shape->operation ? P11PROF_ROW_OPERATION : 0U),
        .function = shape->function,
        .kind = P11PROF_KIND_CALL,
        .mechanism = shape->mechanism,
        .key_type = shape->key_type,
        .key_bits = (uint32_t)shape->key_bits,
        .session = 1 + start_ns % 4,
        .thread_id = 1000 + (uint32_t)(start_ns % 4),
        .operation = shape->operation,
        .operation_call_count = shape->key_bits ? 2 : 1,
        .operation_start_ns = start_ns > 5000 ? start_ns - 5000 : 0,
        .operation_duration_ns = duration_ns + (shape->key_bits ? 2500 : 0),
        .start_ns = start_ns,
        .duration_ns = duration_ns};
}

static void write_batch(struct p11prof_store *store, const struct p11prof_spool_header *header,
                        const struct p11prof_batch *batch, bool with_rows)
{
    struct p11prof_process_rows process;
    struct p11prof_error error;
    if (p11prof_store_begin(store, 1000, &error) != P11PROF_OK ||
        p11prof_store_enter(store, header, &process, &error) != P11PROF_OK ||
        p11prof_store_write(store, &process, batch, with_rows, &error) != P11PROF_OK ||
        p11prof_store_commit(store, &error) != P11PROF_OK)
        fail("the database cannot be written", &error);
}

static void make_batch(struct p11prof_row *rows, struct groups *groups, size_t first, size_t count)
{
    groups_init(groups, first * 100000);
    for (size_t i = 0; i < count; i++) {
        unsigned shape = (unsigned)((first + i) % SHAPES);
        make_row(&rows[i], &shapes[shape], (first + i) * 100000);
        group_add(groups, shape, rows[i].duration_ns);
        if (shapes[shape].operation)
            group_add(groups, SHAPES + shape,
                      rows[i].operation_call_count > 1 ? rows[i].operation_duration_ns
                                                       : rows[i].duration_ns);
    }
}

struct p11prof_spool_header *bench_header(unsigned number)
{
    struct p11prof_spool_header *header = calloc(1, sizeof *header);
    memcpy(header->run_id, &number, sizeof number);
    memcpy(header->process_id, &number, sizeof number);
    memcpy(header->spool_id, &number, sizeof number);
    header->start.wall_ns = UINT64_C(1700000000000000000) + number;
    return header;
}

void bench_fill(struct p11prof_store *store, struct p11prof_spool_header *const *headers,
                unsigned count, size_t calls, bool ended)
{
    struct p11prof_row *rows = calloc(BATCH_ROWS, sizeof *rows);
    struct groups *groups = malloc(sizeof *groups);
    for (size_t first = 0; first < calls; first += BATCH_ROWS) {
        size_t row_count = calls - first < BATCH_ROWS ? calls - first : BATCH_ROWS;
        make_batch(rows, groups, first, row_count);
        struct p11prof_group used[GROUPS];
        struct p11prof_batch batch = {.rows = rows,
                                      .row_count = row_count,
                                      .groups = used,
                                      .call_count = row_count,
                                      .last_end_ns = (first + row_count) * 100000,
                                      .process_ended = ended && first + row_count == calls};
        for (unsigned i = 0; i < GROUPS; i++)
            if (groups->all[i].count > 0)
                used[batch.group_count++] = groups->all[i];
        for (unsigned run = 0; run < count; run++)
            write_batch(store, headers[run], &batch, run == 0);
    }
    free(groups);
    free(rows);
}
