/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "versus.h"

#include "../commands.h"
#include "../message.h"
#include "../report/allocate.h"
#include "output.h"
#include "record_own.h"
#include "run_facts.h"
#include "throw_away.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const side_names[VERSUS_SIDES] = {"base", "current"};

/* --- options of the second side --- */

/* The URI of a key may name its token, too. */
static bool uri_names_token(const char *uri)
{
    static const char *const parts[] = {"token=", "serial=", "manufacturer=", "model=", "slot-"};
    for (size_t i = 0; uri && i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(uri, parts[i]))
            return true;
    return false;
}

static bool names_token(const struct p11prof_bench_target_options *target)
{
    return target->token_label || target->uri || target->has_slot || target->has_slot_index ||
           uri_names_token(target->key_uri);
}

static bool has_pin(const char *uri)
{
    return uri && (strstr(uri, "pin-value=") || strstr(uri, "pin-source="));
}

/* A PIN of the base's throw-away token is for no other. */
static void token_name_copy(struct p11prof_bench_target_options *out,
                            const struct bench_settings *settings,
                            const struct p11prof_bench_target *base)
{
    const struct p11prof_bench_target_options *first = &settings->target;
    out->token_label = base->throw_away ? P11PROF_BENCH_THROW_AWAY_LABEL : first->token_label;
    out->uri = first->uri;
    if (!out->key_uri && !settings->vs.key_label)
        out->key_uri = first->key_uri;
    out->has_slot = first->has_slot;
    out->slot = first->slot;
    out->has_slot_index = first->has_slot_index;
    out->slot_index = first->slot_index;
}

void versus_settings(struct bench_settings *out, const struct bench_settings *settings,
                     const struct p11prof_bench_target *base)
{
    const struct bench_vs *vs = &settings->vs;
    *out = *settings;
    out->target = vs->target;
    if (!names_token(&vs->target))
        token_name_copy(&out->target, settings, base);
    if (!out->target.module)
        out->target.module = base->module;
    if (!has_pin(vs->target.uri) && !has_pin(vs->target.key_uri))
        out->target.pin_of = base;
    if (vs->key_label || vs->target.key_uri)
        out->key_label = vs->key_label;
    else if (settings->target.key_uri)
        out->target.key_of = base;
    out->target.vs = true;
}

/* --- both sides --- */

static void side_init(struct versus *versus, unsigned side, const struct bench_run *run,
                      const struct bench_settings *settings,
                      const struct p11prof_bench_target *target)
{
    struct bench_settings *own = &versus->settings[side];
    *own = *settings;
    own->side = side_names[side];
    snprintf(versus->names[side], sizeof versus->names[side], "%.200s-%s",
             settings->name ? settings->name : "vs", own->side);
    own->name = versus->names[side];
    if (own->record == BENCH_RECORD_AUTO)
        own->record = BENCH_RECORD_SUMMARY;
    versus->sides[side] = *run;
    versus->sides[side].settings = own;
    versus->sides[side].target = target;
    versus->sides[side].progress = &versus->progress;
}

static int sides_open(struct versus *versus)
{
    struct bench_run *base = &versus->sides[VERSUS_BASE], *current = &versus->sides[VERSUS_CURRENT];
    bool quietly = base->settings->dry_run;
    int code = quietly ? run_open_quietly(base) : run_open(base);
    if (code)
        return code;
    current->other = &base->crew;
    if (!quietly)
        versus->settings[VERSUS_BASE].pair_uuid = versus->settings[VERSUS_CURRENT].pair_uuid =
            base->recording.uuid_text;
    return quietly ? run_open_quietly(current) : run_open(current);
}

static void sides_close(struct versus *versus)
{
    for (unsigned side = 0; side < VERSUS_SIDES; side++) {
        struct bench_run *run = &versus->sides[side];
        run_close(run);
        record_own_remove(run);
    }
}

/* --- tests of both --- */

static bool selected(const struct p11prof_bench_selection *tests, const char *id)
{
    for (size_t i = 0; i < tests->count; i++)
        if (strcmp(tests->tests[i]->id, id) == 0)
            return true;
    return false;
}

/* Whether the tests of both sides match one by one: they do without keys of the user's own, and
 * with keys that differ by no more than size or type. */
static bool match(const struct p11prof_bench_selection *left,
                  const struct p11prof_bench_selection *right)
{
    for (size_t i = 0; i < left->count && i < right->count; i++)
        if (left->tests[i]->operation != right->tests[i]->operation ||
            left->tests[i]->sized != right->tests[i]->sized ||
            left->tests[i]->alone != right->tests[i]->alone)
            return false;
    return left->count == right->count;
}

/* Else each side has the tests that fit its key. */
static void tests_keep_common(struct bench_run *run, const struct p11prof_bench_selection *others)
{
    struct p11prof_bench_selection *tests = &run->tests;
    size_t kept = 0;
    for (size_t i = 0; i < tests->count; i++)
        if (selected(others, tests->tests[i]->id))
            tests->tests[kept++] = tests->tests[i];
        else
            p11prof_note("%s is left out: only the key of the %s side can do it",
                         tests->tests[i]->id, run->settings->side);
    tests->count = kept;
}

static int loads_make(struct versus *versus)
{
    struct bench_run *base = &versus->sides[VERSUS_BASE], *current = &versus->sides[VERSUS_CURRENT];
    int code = run_tests_select(base);
    code = code ? code : run_tests_select(current);
    if (code)
        return code;
    if (!match(&base->tests, &current->tests)) {
        tests_keep_common(base, &current->tests);
        tests_keep_common(current, &base->tests);
    }
    if (base->tests.count == 0)
        return p11prof_complain(P11PROF_EXIT_USAGE,
                                "the keys of the two sides have no test in common: name keys of "
                                "one type and size with --key and --vs-key");
    code = run_loads_make(base);
    code = code ? code : run_loads_make(current);
    versus->loads = p11prof_zalloc(base->schedule.load_count, sizeof *versus->loads);
    return code;
}

/* Both or none. The slower side says into how many slices a load is cut. */
static void load_prepare(struct versus *versus, size_t index)
{
    struct bench_load *loads[VERSUS_SIDES];
    char reason[600];
    uint64_t iteration_ns = 0;
    for (unsigned side = 0; side < VERSUS_SIDES && !versus_ended(versus); side++) {
        struct bench_run *run = &versus->sides[side];
        loads[side] = &run->schedule.loads[index];
        run_load_prepare(run, loads[side]);
        if (!loads[side]->ready && side == VERSUS_CURRENT) {
            snprintf(reason, sizeof reason, "current side: %s", loads[side]->skipped);
            run_load_skip(&versus->sides[VERSUS_BASE], loads[VERSUS_BASE], reason);
        }
        if (!loads[side]->ready)
            return;
        if (loads[side]->iteration_ns > iteration_ns)
            iteration_ns = loads[side]->iteration_ns;
    }
    for (unsigned side = 0; side < VERSUS_SIDES && !versus_ended(versus); side++)
        loads[side]->iteration_ns = iteration_ns;
}

static int ended_code(struct versus *versus)
{
    const struct bench_run *run = &versus->sides[VERSUS_BASE];
    if (!versus_ended(versus))
        return 0;
    return run->signal_number ? P11PROF_EXIT_SIGNAL + run->signal_number : P11PROF_EXIT_FAILED;
}

static int loads_prepare(struct versus *versus, bool alone)
{
    struct schedule *schedule = &versus->sides[VERSUS_BASE].schedule;
    int code = schedule->load_count == 0 ? loads_make(versus) : 0;
    if (code)
        return code;
    for (unsigned side = 0; side < VERSUS_SIDES && alone && schedule_has_alone(schedule); side++)
        run_loads_close(&versus->sides[side]);
    for (size_t i = 0; i < schedule->load_count && !versus_ended(versus); i++)
        if (schedule->loads[i].test.alone == alone)
            load_prepare(versus, i);
    code = ended_code(versus);
    for (unsigned side = 0; side < VERSUS_SIDES && code == 0; side++) {
        struct bench_run *run = &versus->sides[side];
        schedule_cut(&run->schedule, run->settings, alone);
        code = run_loads_store(run, alone);
    }
    if (code == 0 && schedule->slice_count > 0)
        versus_estimate(versus);
    return code;
}

/* --- all of it --- */

static int measure(struct versus *versus)
{
    const struct bench_run *base = &versus->sides[VERSUS_BASE];
    int code = sides_open(versus);
    for (unsigned alone = 0; alone < 2 && code == 0; alone++) {
        code = loads_prepare(versus, alone == 1);
        if (code == 0 && !base->settings->dry_run)
            code = versus_pairs_run(versus);
    }
    if (code == 0 && base->ready_count == 0)
        code = p11prof_complain(P11PROF_EXIT_FAILED,
                                "the two sides have none of these tests in common");
    if (code == 0 && base->settings->dry_run)
        code = output_plan(&versus->sides[VERSUS_BASE]);
    versus_ended(versus);
    for (unsigned side = 0; side < VERSUS_SIDES; side++)
        run_finish(&versus->sides[side]);
    bool failed = base->failed || versus->sides[VERSUS_CURRENT].failed;
    return code == 0 && failed ? P11PROF_EXIT_FAILED : code;
}

static bool any_pair(const struct versus *versus)
{
    for (size_t i = 0; versus->loads && i < versus->sides[VERSUS_BASE].schedule.load_count; i++)
        if (versus->loads[i].pair_count > 0)
            return true;
    return false;
}

int versus_run(const struct bench_run *run, const struct bench_settings *current,
               const struct p11prof_bench_target *target)
{
    struct versus versus = {.loads = NULL};
    bool regressed = false;
    side_init(&versus, VERSUS_BASE, run, run->settings, run->target);
    side_init(&versus, VERSUS_CURRENT, run, current, target);
    for (unsigned side = 0; side < VERSUS_SIDES; side++)
        if (run->settings->record == BENCH_RECORD_OFF && !record_own_db(&versus.sides[side]))
            return p11prof_complain(P11PROF_EXIT_FAILED, "cannot make a folder in TMPDIR: %m");
    int code = measure(&versus);
    int written = any_pair(&versus) ? versus_output(&versus, &regressed) : 0;
    for (size_t i = 0; versus.loads && i < versus.sides[VERSUS_BASE].schedule.load_count; i++)
        free(versus.loads[i].pairs);
    free(versus.loads);
    sides_close(&versus);
    if (code || written)
        return code ? code : written;
    return regressed ? P11PROF_EXIT_NO : P11PROF_EXIT_DONE;
}
