/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "calls_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define CALL(thread, start, duration, function_, rv_)                                              \
    .known = P11PROF_ROW_RV, .function = P11PROF_##function_, .thread_id = (thread),               \
    .start_ns = (start), .duration_ns = (duration), .rv = (rv_)

static struct p11prof_row rows[FIXTURE_CALLS] = {
    {CALL(10, 100, 50, C_OpenSession, CKR_OK)},
    {CALL(10, 200, 10, C_SignInit, CKR_OK)},
    {CALL(11, 190, 100, C_OpenSession, CKR_OK)},
    {CALL(10, 310, 5, C_GetInfo, CKR_OK), .flags = P11PROF_ROW_NESTED},
    {CALL(10, 300, 1000, C_Sign, CKR_OK)},
    {CALL(11, 1000, 400, C_Sign, CKR_DEVICE_ERROR)},
    {CALL(10, 1500, 5, C_Logout, CKR_USER_NOT_LOGGED_IN)},
    {CALL(11, 1450, 5000, C_WaitForSlotEvent, CKR_OK), .kind = P11PROF_KIND_BLOCKING},
    {CALL(10, 1200, 50, C_Sign, CKR_OK), .key_type = CKK_EC},
    {CALL(10, 1260, 20, C_Sign, CKR_BUFFER_TOO_SMALL), .kind = P11PROF_KIND_TOO_SMALL},
    {CALL(10, 7000, 10, C_Decrypt, CKR_OK)},
};

static bool has_failed(const struct p11prof_row *row)
{
    return (row->known & P11PROF_ROW_RV) && row->rv != CKR_OK &&
           row->kind != P11PROF_KIND_TOO_SMALL;
}

/* The group of one row. */
static void make_group(struct fixture_group *group, const struct p11prof_row *row)
{
    fixture_group_init(group, row->function, 0);
    group->group.kind = row->kind;
    group->group.undisclosed_count = !(row->known & P11PROF_ROW_RV);
    if (!has_failed(row)) {
        fixture_group_add(group, row->duration_ns);
        return;
    }
    group->group.count = 1;
    group->group.error_count = 1;
    group->group.error_sum_ns = row->duration_ns;
}

/* A batch of rows[first] to rows[first + count - 1]. */
static void write_rows(const struct p11prof_spool_header *spool, size_t first, size_t count)
{
    static struct fixture_group groups[FIXTURE_CALLS];
    struct p11prof_group all[FIXTURE_CALLS];
    struct p11prof_error_count errors[FIXTURE_CALLS];
    struct p11prof_loss_row loss = {P11PROF_C_Sign, P11PROF_LOSS_LIMIT, FIXTURE_LOST};
    struct p11prof_batch batch = {.rows = rows + first,
                                  .row_count = count,
                                  .groups = all,
                                  .group_count = count,
                                  .errors = errors,
                                  .losses = &loss,
                                  .loss_count = first == 0,
                                  .call_count = count};
    for (size_t i = 0; i < count; i++) {
        const struct p11prof_row *row = &rows[first + i];
        make_group(&groups[i], row);
        all[i] = groups[i].group;
        if (has_failed(row))
            errors[batch.error_count++] = (struct p11prof_error_count){
                row->function, row->rv, 1, row->duration_ns, row->duration_ns, row->duration_ns};
        if (row->start_ns + row->duration_ns > batch.last_end_ns)
            batch.last_end_ns = row->start_ns + row->duration_ns;
    }
    fixture_write(fixture_store, spool, &batch);
}

int fixture_calls_setup(void **state)
{
    if (fixture_store_setup(state) != 0)
        return -1;
    struct p11prof_spool_header *other = fixture_header(2, 2);
    rows[8].known |= P11PROF_ROW_KEY_TYPE;
    rows[10].known = 0;
    write_rows(fixture_spool, 0, 8);
    write_rows(other, 8, 2);
    write_rows(fixture_spool, 10, 1);
    free(other);
    return 0;
}

void fixture_calls_prune(int first)
{
    char sql[128];
    snprintf(sql, sizeof sql,
             "DELETE FROM call WHERE id >= %d; DELETE FROM segment WHERE first_call >= %d", first,
             first);
    assert_int_equal(sqlite3_exec(p11prof_store_sqlite(fixture_store), sql, NULL, NULL, NULL),
                     SQLITE_OK);
}
