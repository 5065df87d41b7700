/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "like_fixture.h"

#include "p11prof/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 64, DURATION_NS = 100 };

static struct p11prof_row *rows;
static size_t row_count;
static uint64_t end_ns[THREADS];

int like_setup(void **state)
{
    rows = calloc(ROWS_MOST, sizeof *rows);
    row_count = 0;
    memset(end_ns, 0, sizeof end_ns);
    return rows ? fixture_store_setup(state) : -1;
}

int like_teardown(void **state)
{
    free(rows);
    return fixture_store_teardown(state);
}

struct p11prof_row *like_row(uint32_t thread, unsigned function, uint64_t think_ns)
{
    assert_true(row_count < ROWS_MOST && thread < THREADS);
    struct p11prof_row *row = &rows[row_count++];
    *row = (struct p11prof_row){.known = P11PROF_ROW_RV,
                                .function = (uint16_t)function,
                                .thread_id = thread,
                                .start_ns = end_ns[thread] + think_ns,
                                .duration_ns = DURATION_NS};
    end_ns[thread] = row->start_ns + DURATION_NS;
    return row;
}

struct p11prof_row *like_call_row(uint32_t thread, unsigned function, int64_t session,
                                  int64_t mechanism, int64_t key_id)
{
    struct p11prof_row *row = like_row(thread, function, 10);
    if (session >= 0)
        row->session = (uint64_t)session, row->known |= P11PROF_ROW_SESSION;
    if (mechanism >= 0)
        row->mechanism = (uint64_t)mechanism, row->known |= P11PROF_ROW_MECHANISM;
    if (key_id >= 0)
        row->key_id = (uint32_t)key_id, row->known |= P11PROF_ROW_KEY;
    return row;
}

void like_write(uint8_t process)
{
    struct p11prof_spool_header *other = process == 1 ? NULL : fixture_header(process, process);
    struct p11prof_batch batch = {.rows = rows, .row_count = row_count, .call_count = row_count};
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].start_ns + rows[i].duration_ns > batch.last_end_ns)
            batch.last_end_ns = rows[i].start_ns + rows[i].duration_ns;
    fixture_write(fixture_store, other ? other : fixture_spool, &batch);
    free(other);
    row_count = 0;
}

struct like_script like_made(void)
{
    struct like_script script;
    struct p11prof_error error = {0};
    if (like_script_from_run(&script, p11prof_store_sqlite(fixture_store), 1, &error) != P11PROF_OK)
        fail_msg("%s", error.text);
    return script;
}

void like_refused(const char *text)
{
    struct like_script script;
    struct p11prof_error error = {0};
    assert_int_equal(like_script_from_run(&script, p11prof_store_sqlite(fixture_store), 1, &error),
                     P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, text));
    assert_null(script.objects);
    assert_int_equal(script.process_count, 0);
}

void like_counts_match(const struct like_script *script)
{
    uint64_t counts[P11PROF_CALLS + 1] = {0}, sum = 0, walked[P11PROF_CALLS + 1] = {0};
    like_script_count(script, counts);
    for (size_t i = 0; i < script->process_count; i++)
        for (size_t j = 0; j < script->processes[i].thread_count; j++) {
            struct like_walk walk;
            like_walk_start(&walk, &script->processes[i].threads[j]);
            for (const struct like_call *call; (call = like_walk_next(&walk));)
                walked[call->function]++;
        }
    for (unsigned i = 0; i <= P11PROF_CALLS; i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM call WHERE function = %u", i);
        if (script->left_out_count == 0)
            assert_int_equal(counts[i], fixture_integer(fixture_store, sql));
        assert_int_equal(counts[i], walked[i]);
        sum += counts[i];
    }
    assert_int_equal(sum, script->call_count);
    assert_int_equal(sum + script->left_out_count,
                     fixture_integer(fixture_store, "SELECT count(*) FROM call"));
}

const struct like_call *like_nth(const struct like_script *script, size_t thread, size_t n)
{
    struct like_walk walk;
    const struct like_call *call = NULL;
    assert_true(script->process_count > 0 && thread < script->processes[0].thread_count);
    like_walk_start(&walk, &script->processes[0].threads[thread]);
    for (size_t i = 0; i <= n; i++) {
        call = like_walk_next(&walk);
        assert_non_null(call);
    }
    return call;
}

static bool nodes_same(const struct like_node *one, size_t count, const struct like_node *other,
                       size_t other_count)
{
    bool same = count == other_count;
    for (size_t i = 0; same && i < count; i++) {
        same = one[i].times == other[i].times &&
               nodes_same(one[i].nodes, one[i].count, other[i].nodes, other[i].count);
        if (same && one[i].count == 0)
            same = memcmp(&one[i].call, &other[i].call, sizeof one[i].call) == 0;
    }
    return same;
}

static bool anchor_same(const struct like_anchor *one, const struct like_anchor *other)
{
    return one->process == other->process && one->thread == other->thread &&
           one->call_count == other->call_count && one->gap_ns == other->gap_ns;
}

static bool process_same(const struct like_process *one, const struct like_process *other)
{
    bool same = one->start_ns == other->start_ns && anchor_same(&one->anchor, &other->anchor) &&
                one->thread_count == other->thread_count;
    for (size_t i = 0; same && i < one->thread_count; i++)
        same = one->threads[i].start_ns == other->threads[i].start_ns &&
               anchor_same(&one->threads[i].anchor, &other->threads[i].anchor) &&
               nodes_same(one->threads[i].nodes, one->threads[i].count, other->threads[i].nodes,
                          other->threads[i].count);
    return same;
}

static bool object_same(const struct like_object *one, const struct like_object *other)
{
    return one->number == other->number && one->class == other->class &&
           one->key_type == other->key_type && one->key_bits == other->key_bits &&
           one->pair == other->pair && one->uses == other->uses && one->made == other->made;
}

bool like_same(const struct like_script *one, const struct like_script *other)
{
    bool same =
        strcmp(one->name, other->name) == 0 && strcmp(one->uuid, other->uuid) == 0 &&
        strcmp(one->origin, other->origin) == 0 && one->duration_ns == other->duration_ns &&
        one->call_count == other->call_count && one->left_out_count == other->left_out_count &&
        memcmp(one->left_out, other->left_out, sizeof one->left_out) == 0 &&
        one->missing_count == other->missing_count && one->untimed == other->untimed &&
        one->object_count == other->object_count && one->process_count == other->process_count;
    for (size_t i = 0; same && i < one->object_count; i++)
        same = object_same(&one->objects[i], &other->objects[i]);
    for (size_t i = 0; same && i < one->process_count; i++)
        same = process_same(&one->processes[i], &other->processes[i]);
    return same;
}
