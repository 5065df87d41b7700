/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Latency taken apart: what made-up calls are made of is found, and nothing is found in noise. */
#include "insight/latency_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "draws.h"

enum { SEEDS = 200, FALSE_MOST = SEEDS / 20 };

/* Calls one after another, of C_Sign with one key in one session unless a test says otherwise. */
static struct p11prof_latency_gather gather;
static struct p11prof_latency_findings findings;
static int64_t now_ns, call_id;

static void begin(uint64_t seed)
{
    draw_seed(seed);
    p11prof_latency_gather_init(&gather);
    now_ns = 1000000;
    call_id = 0;
}

static void look(void)
{
    p11prof_latency_gather_end(&gather);
    p11prof_latency_findings_make(&findings, &gather);
}

static void end(void)
{
    p11prof_latency_findings_clear(&findings);
    p11prof_latency_gather_clear(&gather);
}

static struct p11prof_event call_of(double duration_ns)
{
    return (struct p11prof_event){
        .call_id = ++call_id,
        .process_id = 1,
        .thread_id = 100,
        .start_ns = now_ns,
        .duration_ns = (int64_t)duration_ns,
        .function = P11PROF_C_Sign,
        .operation = P11PROF_OPERATION_SIGN,
        .session = 1,
        .slot_id = 0,
        .mechanism = CKM_SHA256_RSA_PKCS,
        .key_type = CKK_RSA,
        .key_bits = 2048,
        .key_id = 1,
        .in_bytes = 32,
        .out_bytes = 256,
        .item_count = P11PROF_EVENT_UNKNOWN,
        .detail = P11PROF_EVENT_UNKNOWN,
        .caller = 1,
        .operation_call_count = 2,
    };
}

static void take(const struct p11prof_event *event)
{
    p11prof_latency_gather_take(&gather, event);
    now_ns = event->start_ns + event->duration_ns + (int64_t)draw_lognormal(50e3, 0.5);
}

/* One mode: lognormal, or with a tail over decades. */
static double (*noise)(void);
static double lognormal(void)
{
    return draw_lognormal(1e6, 0.3);
}
static double heavy_tail(void)
{
    return draw_uniform() < 0.9 ? draw_lognormal(1e6, 0.1) : 1e6 / pow(draw_uniform(), 1.25);
}

static size_t pick(size_t count)
{
    return (size_t)(draw_uniform() * (double)count);
}

static void near(double found, double low, double high)
{
    if (found < low || found > high) {
        fail_msg("%g is not from %g to %g", found, low, high);
    }
}

/* The found first calls of a scope; NULL: none. */
static const struct p11prof_latency_first *first_in(enum p11prof_latency_scope scope)
{
    for (size_t i = 0; i < findings.first_count; i++)
        if (findings.firsts[i].scope == scope)
            return &findings.firsts[i];
    return NULL;
}

/* Processes that sign, each first call 5 times as long. */
static void sign_in_processes(size_t processes, size_t calls, double factor)
{
    for (size_t process = 1; process <= processes; process++)
        for (size_t i = 0; i < calls; i++) {
            struct p11prof_event event = call_of((i == 0 ? factor : 1) * noise());
            event.process_id = (int64_t)process;
            take(&event);
        }
}

static void a_slow_first_call_of_processes_is_found(void **state)
{
    (void)state;
    noise = lognormal;
    begin(1);
    sign_in_processes(20, 50, 5);
    look();
    const struct p11prof_latency_first *first = first_in(P11PROF_SCOPE_PROCESS);
    assert_non_null(first);
    assert_int_equal(first->unit_count, 20);
    assert_int_equal(first->slow_count, 1);
    near(first->ratio, 4, 6);
    assert_true(first->ratio_low < 5 && first->ratio_high > 5);
    near((double)first->cost_ns, 20 * 4e6 * 0.8, 20 * 4e6 * 1.3);
    assert_null(first_in(P11PROF_SCOPE_KEY)); /* the same calls */
    assert_null(first_in(P11PROF_SCOPE_SESSION));
    end();
}

static void one_process_needs_an_outlier(void **state)
{
    (void)state;
    noise = lognormal;
    begin(2);
    sign_in_processes(1, 300, 20);
    look();
    const struct p11prof_latency_first *first = first_in(P11PROF_SCOPE_PROCESS);
    assert_non_null(first);
    assert_int_equal(first->unit_count, 1);
    assert_true(first->ratio_low < 0);
    end();
    begin(3);
    sign_in_processes(1, 300, 1.5);
    look();
    assert_null(first_in(P11PROF_SCOPE_PROCESS));
    end();
}

/* The first three calls with each of 24 keys take 4 times as long. */
static void warm_up_of_keys_is_found(void **state)
{
    (void)state;
    size_t used[24] = {0};
    noise = lognormal;
    begin(4);
    for (size_t i = 0; i < 2000; i++) {
        size_t key = pick(24);
        struct p11prof_event event = call_of((used[key]++ < 3 ? 4 : 1) * noise());
        event.key_id = (int64_t)key + 1;
        take(&event);
    }
    look();
    const struct p11prof_latency_first *first = first_in(P11PROF_SCOPE_KEY);
    assert_non_null(first);
    assert_int_equal(first->unit_count, 23); /* one was the first of the process */
    assert_int_equal(first->slow_count, 3);
    near(first->ratio, 3, 5);
    near((double)first->cost_ns, 23 * 9e6 * 0.8, 23 * 9e6 * 1.3);
    assert_null(first_in(P11PROF_SCOPE_SESSION));
    end();
}

/* Sessions one after another, under one handle. */
static void first_calls_of_sessions_are_found(void **state)
{
    (void)state;
    noise = lognormal;
    begin(5);
    for (size_t session = 0; session < 40; session++) {
        struct p11prof_event open = call_of(2000);
        open.function = P11PROF_C_OpenSession;
        open.mechanism = open.key_type = open.key_bits = open.key_id = P11PROF_EVENT_UNKNOWN;
        take(&open);
        for (size_t i = 0; i < 10; i++) {
            struct p11prof_event event = call_of((i == 0 ? 3 : 1) * noise());
            take(&event);
        }
    }
    look();
    const struct p11prof_latency_first *first = first_in(P11PROF_SCOPE_SESSION);
    assert_non_null(first);
    assert_int_equal(first->unit_count, 39);
    near(first->ratio, 2.3, 3.7);
    assert_null(first_in(P11PROF_SCOPE_KEY));
    end();
}

/* The first 40 calls start at 3 times the time of the others and come down. */
static void warm_up_of_a_process_has_a_length(void **state)
{
    (void)state;
    noise = lognormal;
    begin(6);
    for (size_t i = 0; i < 1000; i++) {
        struct p11prof_event event = call_of((i < 40 ? 3 : 1) * noise());
        take(&event);
    }
    look();
    const struct p11prof_latency_first *first = first_in(P11PROF_SCOPE_PROCESS);
    assert_non_null(first);
    near((double)first->slow_count, 38, 45);
    near((double)first->cost_ns, 60e6, 110e6);
    end();
}

/* The very first call is slow; the next eight are as ever, and then 16 are slow: a load that
 * begins, no warm-up. */
static void slow_calls_later_are_no_warm_up(void **state)
{
    (void)state;
    noise = lognormal;
    begin(6);
    for (size_t i = 0; i < 1000; i++) {
        bool slow = i == 0 || (i > 3 && i < 20);
        struct p11prof_event event = call_of((slow ? 3 : 1) * noise());
        take(&event);
    }
    look();
    const struct p11prof_latency_first *first = first_in(P11PROF_SCOPE_PROCESS);
    assert_true(first == NULL || first->slow_count <= 1);
    end();
}

/* 100 us and 2 ns a byte. */
static void the_line_of_sizes_is_found(void **state)
{
    (void)state;
    static const int64_t sizes[] = {16, 256, 1024, 4096, 16384, 65536};
    begin(7);
    for (size_t i = 0; i < 3000; i++) {
        int64_t bytes = sizes[pick(6)];
        double tail = draw_uniform() < 0.95 ? draw_lognormal(1, 0.05) : 1 / draw_uniform();
        struct p11prof_event event = call_of((100e3 + 2 * (double)bytes) * tail);
        event.in_bytes = bytes;
        take(&event);
    }
    look();
    assert_int_equal(findings.line_count, 1);
    const struct p11prof_latency_line *line = &findings.lines[0];
    assert_int_equal(line->size_count, 6);
    near(line->fixed_ns, 95e3, 110e3);
    near(line->per_byte_ns, 1.9, 2.15);
    assert_true(line->fixed_low_ns > 0 && line->fixed_low_ns < line->fixed_ns);
    assert_true(line->stray < 0.05);
    end();
}

/* A token that pads to a power of two has no line. */
static void what_is_no_line_is_not_called_one(void **state)
{
    (void)state;
    begin(8);
    for (size_t i = 0; i < 3000; i++) {
        static const double steps_ns[] = {1e5, 1e5, 1e6, 1e6, 1.1e6};
        size_t step = pick(5);
        struct p11prof_event event = call_of(steps_ns[step] * draw_lognormal(1, 0.05));
        event.in_bytes = 16 << (2 * step);
        take(&event);
    }
    look();
    assert_int_equal(findings.line_count, 0);
    end();
}

/* What makes calls slow in tests of modes; each sets the event and says whether it is slow. */
static bool by_key(struct p11prof_event *event)
{
    event->key_id = 1 + (int64_t)pick(5);
    event->thread_id = 100 + (int64_t)pick(4);
    return event->key_id == 3;
}
/* Each process has a key 1: what is slow is the process, whatever its keys are called. */
static bool by_process(struct p11prof_event *event)
{
    event->process_id = 1 + (int64_t)pick(10);
    event->thread_id = 100 + event->process_id;
    return event->process_id <= 4;
}
static bool by_key_bits(struct p11prof_event *event)
{
    event->key_id = 1 + (int64_t)pick(6);
    event->key_bits = event->key_id > 4 ? 4096 : 2048;
    return event->key_bits == 4096;
}
static bool by_thread(struct p11prof_event *event)
{
    event->key_id = 1 + (int64_t)pick(5);
    event->thread_id = 100 + (int64_t)pick(4);
    return event->thread_id == 102;
}
static bool by_session(struct p11prof_event *event)
{
    event->session = 1 + (int64_t)pick(20);
    event->thread_id = 100 + (int64_t)pick(4);
    return event->session <= 2;
}
static bool by_size(struct p11prof_event *event)
{
    event->in_bytes = (int64_t)pick(8192);
    event->key_id = 1 + (int64_t)pick(5);
    return event->in_bytes >= 7000;
}
static bool by_time(struct p11prof_event *event)
{
    event->thread_id = 100 + (int64_t)pick(4);
    return event->call_id > 1200 && event->call_id <= 1600;
}
static bool by_idle(struct p11prof_event *event)
{
    bool idle = draw_uniform() < 0.1;
    if (idle)
        event->start_ns = now_ns += 2000000000;
    return idle;
}
static bool by_result(struct p11prof_event *event)
{
    event->key_id = 1 + (int64_t)pick(5);
    event->rv = draw_uniform() < 0.1 ? CKR_DEVICE_ERROR : CKR_OK;
    return event->rv != CKR_OK;
}
static bool at_random(struct p11prof_event *event)
{
    event->key_id = 1 + (int64_t)pick(5);
    event->thread_id = 100 + (int64_t)pick(4);
    event->session = 1 + (int64_t)pick(300);
    event->in_bytes = (int64_t)pick(8192);
    return draw_uniform() < 0.12;
}

static void make_modes(bool (*is_slow)(struct p11prof_event *event))
{
    for (size_t i = 0; i < 2000; i++) {
        struct p11prof_event event = call_of(0);
        double factor = is_slow(&event) ? 5 : 1;
        event.duration_ns = (int64_t)(factor * draw_lognormal(1e6, 0.1));
        take(&event);
    }
    look();
}

static void modes_are_told_by_what_makes_them(void **state)
{
    (void)state;
    static const struct {
        bool (*is_slow)(struct p11prof_event *event);
        enum p11prof_latency_factor factor;
    } cases[] = {
        {by_key, P11PROF_FACTOR_KEY},         {by_key_bits, P11PROF_FACTOR_KEY_KIND},
        {by_thread, P11PROF_FACTOR_THREAD},   {by_session, P11PROF_FACTOR_SESSION},
        {by_size, P11PROF_FACTOR_BYTES},      {by_time, P11PROF_FACTOR_TIME},
        {by_idle, P11PROF_FACTOR_IDLE},       {by_result, P11PROF_FACTOR_RV},
        {by_process, P11PROF_FACTOR_PROCESS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(i + 10);
        make_modes(cases[i].is_slow);
        assert_int_equal(findings.mode_count, 1);
        assert_true(findings.modes[0].cause_count > 0);
        if (findings.modes[0].causes[0].factor != cases[i].factor) {
            fail_msg("case %zu is told by %s", i,
                     p11prof_latency_factor_name(findings.modes[0].causes[0].factor));
        }
        assert_int_equal(findings.modes[0].cause_count, 1);
        near(findings.modes[0].causes[0].of_slow, 0.97, 1);
        near(findings.modes[0].causes[0].of_fast, 0, 0.03);
        end();
    }
}

static void the_rule_says_what_is_slow(void **state)
{
    (void)state;
    begin(30);
    make_modes(by_key);
    assert_int_equal(findings.modes[0].causes[0].value_count, 1);
    assert_int_equal(findings.modes[0].causes[0].all_count, 5);
    assert_int_equal(findings.modes[0].causes[0].values[0], INT64_C(1) << 32 | 3);
    near((double)findings.modes[0].faster_ns, 0.9e6, 1.1e6);
    near((double)findings.modes[0].mode.peak_ns, 4.5e6, 5.5e6);
    end();
    begin(31);
    make_modes(by_size);
    near((double)findings.modes[0].causes[0].low, 6990, 7030);
    assert_true(findings.modes[0].causes[0].high == INT64_MAX);
    end();
}

/* Threads that call at once: those that find two others in flight wait for them. */
static void modes_by_load_are_told(void **state)
{
    (void)state;
    begin(32);
    for (size_t i = 0; i < 1500; i++) {
        size_t others = i % 3;
        struct p11prof_event events[3];
        for (size_t j = 0; j <= others; j++) {
            events[j] = call_of((j == 2 ? 5 : 1) * draw_lognormal(1e6, 0.05));
            events[j].start_ns += (int64_t)j * 1000;
            events[j].thread_id = 100 + (int64_t)pick(3);
        }
        for (size_t j = 0; j <= others; j++)
            take(&events[j]);
    }
    look();
    assert_int_equal(findings.mode_count, 1);
    assert_int_equal(findings.modes[0].causes[0].factor, P11PROF_FACTOR_LEVEL);
    assert_int_equal(findings.modes[0].causes[0].low, 2);
    end();
}

static size_t nth;
static bool every_50th(struct p11prof_event *event)
{
    event->key_id = 1 + (int64_t)pick(5);
    return ++nth % 50 < 4;
}

/* Every 100 ms for 30 ms, whatever calls there are then. */
static bool every_100_ms(struct p11prof_event *event)
{
    event->key_id = 1 + (int64_t)pick(5);
    return event->start_ns % 100000000 < 30000000;
}

static void modes_at_intervals_are_told(void **state)
{
    (void)state;
    begin(33);
    make_modes(every_50th);
    assert_int_equal(findings.mode_count, 1);
    assert_int_equal(findings.modes[0].cause_count, 0);
    assert_true(findings.modes[0].periodic);
    assert_int_equal(findings.modes[0].period.every_count, 50);
    end();
    begin(34);
    make_modes(every_100_ms);
    assert_int_equal(findings.modes[0].cause_count, 0);
    assert_true(findings.modes[0].periodic);
    near((double)findings.modes[0].period.every_ns, 98e6, 102e6);
    end();
}

static void modes_at_random_are_told_by_nothing(void **state)
{
    (void)state;
    size_t told = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        make_modes(at_random);
        assert_int_equal(findings.mode_count, 1);
        told += findings.modes[0].cause_count > 0 || findings.modes[0].periodic;
        end();
    }
    print_message("%zu of %d told\n", told, SEEDS);
    near((double)told, 0, FALSE_MOST);
}

/* Calls of several processes, keys, sessions and sizes that differ in nothing. */
static void make_noise(void)
{
    for (size_t i = 0; i < 1500; i++) {
        struct p11prof_event event = call_of(noise());
        event.process_id = 1 + (int64_t)(i / 100);
        event.key_id = 1 + (int64_t)pick(12);
        event.session = 1 + (int64_t)pick(10);
        event.in_bytes = 64 << 2 * pick(3);
        take(&event);
    }
    look();
}

static void nothing_is_found_in_noise(void **state)
{
    (void)state;
    double (*const draws[])(void) = {lognormal, heavy_tail};
    for (size_t i = 0; i < 2; i++) {
        size_t firsts[P11PROF_SCOPES] = {0}, lines = 0, modes = 0;
        noise = draws[i];
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            begin(seed);
            make_noise();
            for (unsigned scope = 0; scope < P11PROF_SCOPES; scope++)
                firsts[scope] += first_in((enum p11prof_latency_scope)scope) != NULL;
            lines += findings.line_count > 0;
            modes += findings.mode_count > 0;
            end();
        }
        print_message("noise %zu: %zu %zu %zu firsts, %zu lines, %zu modes of %d\n", i, firsts[0],
                      firsts[1], firsts[2], lines, modes, SEEDS);
        for (unsigned scope = 0; scope < P11PROF_SCOPES; scope++)
            near((double)firsts[scope], 0, FALSE_MOST);
        near((double)lines, 0, FALSE_MOST);
        near((double)modes, 0, FALSE_MOST);
    }
}

/* One process, few calls: an outlier at its start by chance. */
static void few_calls_prove_little(void **state)
{
    (void)state;
    size_t found = 0;
    noise = heavy_tail;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        sign_in_processes(1, 10 + 2 * (size_t)seed, 1);
        look();
        found += findings.first_count > 0;
        end();
    }
    print_message("%zu of %d with a slow first call\n", found, SEEDS);
    near((double)found, 0, FALSE_MOST);
}

static void add_cheap(unsigned function, double median_ns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct p11prof_event event = call_of(draw_lognormal(median_ns, 0.1));
        event.function = function;
        event.operation = 0;
        event.mechanism = event.key_type = event.key_bits = event.key_id = event.in_bytes =
            event.out_bytes = P11PROF_EVENT_UNKNOWN;
        take(&event);
    }
}

/* C_GetSessionInfo answers in the process, C_FindObjectsFinal and C_GetTokenInfo go to the token.
 */
static void the_floor_is_a_round_trip(void **state)
{
    (void)state;
    uint64_t on_top_ns;
    begin(40);
    add_cheap(P11PROF_C_GetSessionInfo, 500, 100);
    add_cheap(P11PROF_C_FindObjectsFinal, 400e3, 100);
    add_cheap(P11PROF_C_GetTokenInfo, 450e3, 100);
    add_cheap(P11PROF_C_GetSlotInfo, 50e3, 5); /* too few */
    for (size_t i = 0; i < 200; i++) {
        struct p11prof_event event = call_of(draw_lognormal(1.9e6, 0.1));
        take(&event);
    }
    look();
    assert_int_equal(findings.floor.cheap_count, 3);
    assert_int_equal(findings.floor.cheap[findings.floor.taken].function,
                     P11PROF_C_FindObjectsFinal);
    assert_true(findings.floor.cheap[0].in_process);
    assert_int_equal(findings.floor.agreed_count, 2);
    assert_true(p11prof_latency_on_top(&on_top_ns, &findings, &gather, gather.group_map.count - 1));
    near((double)on_top_ns, 1.4e6, 1.6e6);
    end();
}

/* What does not fit is left out, not mixed up: more sessions, keys and calls than are kept. */
static void memory_is_bounded(void **state)
{
    (void)state;
    begin(50);
    for (size_t i = 0; i < 200000; i++) {
        struct p11prof_event event = call_of(draw_lognormal(1e6, 0.3));
        event.session = (int64_t)i;
        event.key_id = (int64_t)i;
        if (i % 2) {
            event.mechanism = (int64_t)pick(300);
            event.key_bits = (int64_t)pick(100);
        }
        take(&event);
    }
    look();
    assert_int_equal(gather.shape_map.count, P11PROF_LATENCY_SHAPES_MOST);
    assert_int_equal(gather.group_map.count, P11PROF_LATENCY_GROUPS_MOST);
    assert_int_equal(gather.unit_map.count, P11PROF_LATENCY_UNITS_MOST);
    for (size_t i = 0; i < gather.shape_map.count; i++)
        assert_true(gather.shapes[i].sample_count <= P11PROF_LATENCY_SAMPLE_MOST);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_first_call_of_processes_is_found),
        cmocka_unit_test(one_process_needs_an_outlier),
        cmocka_unit_test(warm_up_of_keys_is_found),
        cmocka_unit_test(first_calls_of_sessions_are_found),
        cmocka_unit_test(warm_up_of_a_process_has_a_length),
        cmocka_unit_test(slow_calls_later_are_no_warm_up),
        cmocka_unit_test(the_line_of_sizes_is_found),
        cmocka_unit_test(what_is_no_line_is_not_called_one),
        cmocka_unit_test(modes_are_told_by_what_makes_them),
        cmocka_unit_test(the_rule_says_what_is_slow),
        cmocka_unit_test(modes_by_load_are_told),
        cmocka_unit_test(modes_at_intervals_are_told),
        cmocka_unit_test(modes_at_random_are_told_by_nothing),
        cmocka_unit_test(nothing_is_found_in_noise),
        cmocka_unit_test(few_calls_prove_little),
        cmocka_unit_test(the_floor_is_a_round_trip),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
