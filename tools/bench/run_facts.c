/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_facts.h"

#include "../message.h"
#include "../report/buckets.h"
#include "../report/quantile.h"
#include "machine.h"
#include "record_own.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

void run_own_key_name(const struct bench_run *run, struct p11prof_bench_own_key *key)
{
    const struct p11prof_bench_target *target = run->target;
    *key =
        (struct p11prof_bench_own_key){.wanted = run->settings->key_label != NULL ||
                                                 target->key_label[0] || target->key_id_bytes > 0};
    snprintf(key->label, sizeof key->label, "%s",
             run->settings->key_label ? run->settings->key_label : target->key_label);
    memcpy(key->id, target->key_id, target->key_id_bytes);
    key->id_bytes = target->key_id_bytes;
}

const char *run_side(const struct bench_run *run)
{
    const char *side = run->settings->side;
    return !side ? "" : strcmp(side, "base") == 0 ? "base: " : "current: ";
}

const char *run_turns_name(const struct bench_load *load)
{
    return load->turns > 1 ? "the mix" : load->test.id;
}

int run_complain(const struct bench_run *run, const struct p11prof_error *error)
{
    struct p11prof_error of_side;
    p11prof_error_set(&of_side, error->status, "%s%s", run_side(run), error->text);
    return p11prof_complain_of(&of_side);
}

void run_announce(const struct bench_run *run)
{
    const struct bench_token_facts *token = &run->token;
    if (run->target->shim[0])
        p11prof_note("%s is p11prof's shim: its module is used instead", run->target->shim);
    p11prof_note("%smodule %s, %stoken \"%s\" (%s %s, serial %s, firmware %s, slot %lu)%s",
                 run_side(run), run->target->module, run->target->throw_away ? "throw-away " : "",
                 token->label, token->manufacturer, token->model, token->serial, token->firmware,
                 token->slot_id, token->logged_in ? "" : ", not logged in");
}

/* --- loads --- */

void run_mechanism_note(struct bench_run *run, const struct bench_load *load,
                        const CK_MECHANISM_INFO *info)
{
    char code[24];
    if (load->test.mechanism == CK_UNAVAILABLE_INFORMATION || info->flags == 0)
        return;
    if (!run->mechanisms)
        run->mechanisms = cJSON_CreateObject();
    const char *name = p11prof_mechanism_name(load->test.mechanism);
    snprintf(code, sizeof code, "0x%08lX", load->test.mechanism);
    if (cJSON_HasObjectItem(run->mechanisms, name ? name : code))
        return;
    cJSON *object = cJSON_AddObjectToObject(run->mechanisms, name ? name : code);
    cJSON_AddNumberToObject(object, "flags", (double)info->flags);
    cJSON_AddNumberToObject(object, "min_key_size", (double)info->ulMinKeySize);
    cJSON_AddNumberToObject(object, "max_key_size", (double)info->ulMaxKeySize);
}

void run_options_store(struct bench_run *run)
{
    struct p11prof_error error;
    if (!run->recording.store)
        return;
    char *text = settings_json(run->settings);
    cJSON *options = cJSON_Parse(text);
    cJSON_free(text);
    cJSON_AddStringToObject(options, "module", run->target->module);
    cJSON_AddNumberToObject(options, "slot_id", (double)run->token.slot_id);
    cJSON_AddNumberToObject(options, "own_cost_ns", (double)run->own_cost_ns);
    cJSON_ReplaceItemInObject(options, "record",
                              cJSON_CreateString(run->record == BENCH_RECORD_SUMMARY ? "summary"
                                                 : run->record == BENCH_RECORD_OFF   ? "off"
                                                                                     : "calls"));
    if (run->mechanisms)
        cJSON_AddItemReferenceToObject(options, "mechanisms", run->mechanisms);
    text = cJSON_PrintUnformatted(options);
    if (p11prof_store_run_options(run->recording.store, run->recording.run_id, text, &error) !=
        P11PROF_OK)
        p11prof_warn("%s", error.text);
    cJSON_free(text);
    cJSON_Delete(options);
}

static int64_t key_type_of(const struct p11prof_bench_test *test)
{
    static const int64_t types[] = {
        [P11PROF_BENCH_KEY_NONE] = P11PROF_UNKNOWN,
        [P11PROF_BENCH_KEY_RSA] = CKK_RSA,
        [P11PROF_BENCH_KEY_EC] = CKK_EC,
        [P11PROF_BENCH_KEY_EDWARDS] = CKK_EC_EDWARDS,
        [P11PROF_BENCH_KEY_MONTGOMERY] = CKK_EC_MONTGOMERY,
        [P11PROF_BENCH_KEY_AES] = CKK_AES,
        [P11PROF_BENCH_KEY_DES3] = CKK_DES3,
        [P11PROF_BENCH_KEY_GENERIC] = CKK_GENERIC_SECRET,
        [P11PROF_BENCH_KEY_ML_DSA] = CKK_ML_DSA,
        [P11PROF_BENCH_KEY_ML_KEM] = CKK_ML_KEM,
        [P11PROF_BENCH_KEY_SLH_DSA] = CKK_SLH_DSA,
    };
    return types[test->key_kind];
}

enum p11prof_status run_load_store(struct bench_run *run, const struct bench_load *load,
                                   struct p11prof_error *error)
{
    const struct p11prof_bench_test *test = &load->test;
    if (!run->recording.store) {
        *error = run->recording.problem;
        return error->status;
    }
    const struct p11prof_load_row row = {
        .load = load->number,
        .test = test->id,
        .name = test->name,
        .operation = test->operation,
        .mechanism = test->mechanism == CK_UNAVAILABLE_INFORMATION ? P11PROF_UNKNOWN
                                                                   : (int64_t)test->mechanism,
        .key_type = key_type_of(test),
        .key_bits = test->key_bits ? (int64_t)test->key_bits : P11PROF_UNKNOWN,
        .data_bytes = load->data_bytes ? (int64_t)load->data_bytes : P11PROF_UNKNOWN,
        .threads = load->threads,
        .processes = load->processes,
        .step = load->step,
        .unchecked = load->unchecked,
        .mix = load->mix,
        .weight = load->weight,
        .suite = load->suite,
        .rate = load->mix ? load->rate * load->weight : load->rate,
        .poisson = load->poisson,
        .think_time_ns = load->think_time_ns,
        .ramp = load->ramp};
    return p11prof_store_load_add(run->recording.store, run->recording.run_id, &row, error);
}

int run_loads_store(struct bench_run *run, bool alone)
{
    struct p11prof_error error;
    if (!run->recording.store)
        return 0;
    for (size_t i = 0; i < run->schedule.load_count; i++)
        if (run->schedule.loads[i].ready && run->schedule.loads[i].test.alone == alone &&
            run_load_store(run, &run->schedule.loads[i], &error) != P11PROF_OK)
            return p11prof_complain_of(&error);
    run_options_store(run);
    return 0;
}

/* --- slices --- */

void slice_facts_begin(struct slice_facts *facts)
{
    facts->steal_ns = machine_steal_ns();
}

void slice_facts_end(struct slice_facts *facts)
{
    int64_t steal_ns = machine_steal_ns();
    facts->load_average = machine_load_average();
    facts->steal_ns = facts->steal_ns < 0 || steal_ns < 0 ? -1 : steal_ns - facts->steal_ns;
}

/* How long the measured operations of a slice took, but for pauses: from the first start to where
 * threads end. With a time set, each ends by chance a part of an operation behind the same moment:
 * their mean; with a number set, they may even have run one after the other: the last one. */
static uint64_t slice_duration_ns(const struct bench_run *run, const struct bench_load *load)
{
    uint64_t working = 0, paused_ns = 0, first_ns = UINT64_MAX, last_ns = 0;
    double ends_ns = 0;
    for (unsigned i = 0; i < load->threads * load->processes; i++) {
        const struct bench_tally *tally =
            &crew_thread(&run->crew, i / load->threads, i % load->threads)->measured;
        if (tally->count == 0)
            continue;
        working++;
        paused_ns += tally->end_ns - tally->start_ns - tally->active_ns;
        ends_ns += (double)(tally->end_ns - run->recording.start.monotonic_ns);
        first_ns = tally->start_ns < first_ns ? tally->start_ns : first_ns;
        last_ns = tally->end_ns > last_ns ? tally->end_ns : last_ns;
    }
    if (load->measured.count == 0)
        last_ns = run->recording.start.monotonic_ns + (uint64_t)(ends_ns / (double)working);
    return last_ns - first_ns - paused_ns / working;
}

/* Of a slice in which operations were due and none began. */
static uint64_t scheduled_ns(const struct bench_run *run)
{
    uint64_t start_ns, end_ns;
    bench_arrivals_measured(&run->crew.shared->arrivals, &start_ns, &end_ns);
    return end_ns > start_ns ? end_ns - start_ns : 0;
}

/* The loads of a mix miss operations by their weights; it is not drawn whose they would have been.
 */
static void missed_share(struct bench_load *load, uint64_t missed_count)
{
    double weight_before = 0, weight_sum = 0;
    uint64_t count_before = 0;
    for (unsigned i = 0; i < load->turns; i++)
        weight_sum += load[i].weight;
    for (unsigned i = 0; i < load->turns; i++) {
        weight_before += load[i].weight;
        uint64_t until = i + 1 == load->turns
                             ? missed_count
                             : (uint64_t)((double)missed_count * weight_before / weight_sum);
        load[i].slice_missed_count = (int64_t)(until - count_before);
        load[i].missed_count += until - count_before;
        count_before = until;
    }
}

/* Once a load, but of a ramp, which looks for that: that operations are missed; and that the
 * recording made them late. */
static void lateness_say(struct bench_run *run, struct bench_load *load, uint64_t missed_count)
{
    uint64_t waited_ns = 0;
    for (unsigned i = 0; i < load->threads * load->processes; i++)
        waited_ns += crew_thread(&run->crew, i / load->threads, i % load->threads)->waited_ns;
    if (missed_count > 0 && !load->missed_said && !run->settings->ramp.wanted) {
        progress_clear(run->progress);
        p11prof_note("%s%s: %g operations/s are not held: some that are due never begin",
                     run_side(run), run_turns_name(load), load->rate);
        load->missed_said = true;
    }
    if (load->rate > 0 && waited_ns > 0 && !load->waited_said) {
        progress_clear(run->progress);
        p11prof_warn("%s%s: threads wait for room in the spool, and their operations are late for "
                     "that: use --record summary, or a larger P11PROF_SPOOL_LIMIT",
                     run_side(run), run_turns_name(load));
        load->waited_said = true;
    }
}

/* Of a load that is the turn-th in its slices. */
static void threads_take(struct bench_run *run, struct bench_load *load, unsigned turn)
{
    for (unsigned i = 0; i < load->threads * load->processes; i++) {
        unsigned process = i / load->threads, thread = i % load->threads;
        const struct bench_share *share = &bench_shares(run->crew.shared, process, thread)[turn];
        struct bench_tally *done = &load->threads_done[i];
        done->count += share->measured.count;
        done->error_count += share->measured.error_count;
        done->wrong_count += share->measured.wrong_count;
        done->active_ns += share->measured.active_ns;
        if (load->first_rv == CKR_OK)
            load->first_rv = share->first_rv;
        load->thread_ids[i] = crew_thread(&run->crew, process, thread)->thread_id;
    }
}

/* Returns how many were done; how many of them succeeded goes to *success_count. */
static uint64_t turns_take(struct bench_run *run, struct bench_load *load, uint64_t *success_count)
{
    uint64_t count = 0;
    *success_count = 0;
    for (unsigned i = 0; i < load->turns; i++)
        threads_take(run, &load[i], i);
    for (unsigned i = 0; i < load->threads * load->processes; i++) {
        const struct bench_thread_state *state =
            crew_thread(&run->crew, i / load->threads, i % load->threads);
        count += state->measured.count;
        *success_count += state->measured.count - state->measured.error_count;
        run->failed = run->failed || state->measured.error_count > 0;
        load->gave_up = load->gave_up || state->gave_up;
    }
    return count;
}

static enum p11prof_status turn_store(struct bench_run *run, struct bench_load *load, unsigned turn,
                                      const struct p11prof_slice_row *slice,
                                      struct p11prof_error *error)
{
    struct p11prof_slice_row row = *slice;
    row.load = load->number;
    row.slice = ++load->slices_done;
    row.missed_count = load->rate > 0 ? load->slice_missed_count : -1;
    enum p11prof_status status =
        p11prof_store_slice_add(run->recording.store, run->recording.run_id, &row, error);
    if (status == P11PROF_OK && run->record == BENCH_RECORD_OFF)
        status = record_own_slice(run, load, turn, row.start_ns, error);
    return status;
}

struct slice_sum slice_store(struct bench_run *run, struct bench_load *load,
                             const struct bench_plan *plan, const struct slice_facts *facts)
{
    struct p11prof_error error;
    struct slice_sum sum = {0};
    uint64_t run_start_ns = run->recording.start.monotonic_ns;
    uint64_t missed_count = load->rate > 0 ? bench_arrivals_missed(&run->crew.shared->arrivals) : 0;
    uint64_t count = turns_take(run, load, &sum.success_count);
    if (count + missed_count == 0)
        return sum;
    missed_share(load, missed_count);
    lateness_say(run, load, missed_count);
    sum.duration_ns = count > 0 ? slice_duration_ns(run, load) : scheduled_ns(run);
    if (!run->recording.store)
        return sum;
    const struct p11prof_slice_row row = {.start_ns = plan->start_ns - run_start_ns,
                                          .duration_ns = sum.duration_ns,
                                          .load_average = facts->load_average,
                                          .steal_ns = facts->steal_ns};
    enum p11prof_status status = P11PROF_OK;
    for (unsigned i = 0; i < load->turns && status == P11PROF_OK; i++)
        status = turn_store(run, &load[i], i, &row, &error);
    if (status != P11PROF_OK && !run->slices_unstored)
        p11prof_warn("%s", error.text);
    run->slices_unstored = status != P11PROF_OK;
    return sum;
}

/* --- threads --- */

/* The middle of the bucket that has the ceil(0.99 n)-th. */
static int64_t p99_of(const struct p11prof_buckets *buckets)
{
    struct p11prof_bucket bucket = {0};
    uint64_t rank = p11prof_quantile_rank(buckets->count, 990000), seen = 0;
    while (rank > 0 && p11prof_buckets_next(buckets, &bucket)) {
        seen += bucket.count;
        if (seen >= rank)
            return (int64_t)p11prof_bucket_value_ns(bucket.low_ns, bucket.high_ns, 0, UINT64_MAX);
    }
    return -1;
}

static enum p11prof_status thread_store(struct bench_run *run, const struct bench_load *load,
                                        unsigned index, struct p11prof_error *error)
{
    const struct bench_tally *done = &load->threads_done[index];
    uint64_t own_count = load->own ? load->own[index].count : 0;
    const struct p11prof_thread_row row = {
        .load = load->number,
        .process = index / load->threads + 1,
        .thread = index % load->threads + 1,
        .thread_id = load->thread_ids[index],
        .count = done->count,
        .error_count = done->error_count,
        .wrong_count = done->wrong_count,
        .duration_ns = done->active_ns,
        .mean_ns = own_count ? (int64_t)(load->own_sum_ns[index] / own_count) : -1,
        .p99_ns = own_count ? p99_of(&load->own[index]) : -1};
    return p11prof_store_thread_set(run->recording.store, run->recording.run_id, &row, error);
}

void run_threads_store(struct bench_run *run)
{
    struct p11prof_error error;
    for (size_t i = 0; i < run->schedule.load_count; i++) {
        const struct bench_load *load = &run->schedule.loads[i];
        for (unsigned t = 0; load->ready && t < load->threads * load->processes; t++)
            if (thread_store(run, load, t, &error) != P11PROF_OK) {
                p11prof_warn("%s", error.text);
                return;
            }
    }
}
