/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What all advice stands on: memory that is bounded, evidence, what is worth a word, and who is
 * told what to change. */
#include "advice_fixture.h"
#include "insight/advice/evidence.h"

#include <string.h>

static int64_t *take(struct p11prof_advice_map *map, int64_t process, int64_t number)
{
    const struct p11prof_advice_key key = {process, number, 0};
    return p11prof_advice_map_take(map, &key, sizeof(int64_t));
}

static int64_t *find(const struct p11prof_advice_map *map, int64_t process, int64_t number)
{
    const struct p11prof_advice_key key = {process, number, 0};
    return p11prof_advice_map_find(map, &key);
}

/* Every third one is removed again, in another order. */
static void a_map_finds_what_is_in_it(void **state)
{
    enum { COUNT = 3000 };
    (void)state;
    struct p11prof_advice_map map = {.count = 0};
    for (int64_t i = 0; i < COUNT; i++)
        *take(&map, 1 + i % 2, i) = i;
    for (int64_t i = COUNT - COUNT % 3; i >= 0; i -= 3) {
        const struct p11prof_advice_key key = {1 + i % 2, i, 0};
        p11prof_advice_map_remove(&map, &key);
    }
    assert_int_equal(map.count, COUNT - COUNT / 3);
    for (int64_t i = 0; i < COUNT; i++) {
        const int64_t *value = find(&map, 1 + i % 2, i);
        assert_true(i % 3 == 0 ? !value : value && *value == i);
        assert_null(find(&map, 2 - i % 2, i));
    }
    assert_int_equal(*take(&map, 1, 0), 0); /* as new */
    p11prof_advice_map_clear(&map);
}

static void a_map_has_a_limit(void **state)
{
    (void)state;
    struct p11prof_advice_map map = {.count = 0};
    for (int64_t i = 0; i < P11PROF_ADVICE_MAP_MAX; i++)
        assert_non_null(take(&map, 1, i));
    assert_null(take(&map, 1, P11PROF_ADVICE_MAP_MAX));
    assert_non_null(take(&map, 1, 17));
    p11prof_advice_map_clear(&map);
}

static void the_busiest_caller_is_named(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_double_queries);
    struct p11prof_evidence evidence = {.count = 1};
    struct p11prof_event event = advice_call(P11PROF_C_Sign);
    for (int i = 0; i < 6; i++) {
        event.caller = i < 4 ? 1 : 2;
        event.duration_ns = i < 4 ? 10 : 100;
        p11prof_evidence_add(&evidence, &event);
    }
    event.flags = P11PROF_ROW_NESTED; /* its time is in that of another call */
    p11prof_evidence_add(&evidence, &event);
    p11prof_evidence_example(&evidence, event.call_id, &event);
    const struct p11prof_finding *finding =
        p11prof_evidence_find(&evidence, &p11prof_detect_double_queries, &advice_found);
    assert_int_equal(finding->caller, 2);
    assert_int_equal(finding->call_count, 7);
    assert_int_equal(finding->cost_ns, 240);
    p11prof_evidence_clear(&evidence);
    advice_clear();
}

static void a_saving_is_never_more_than_the_cost(void **state)
{
    (void)state;
    struct p11prof_findings findings = {.count = 0};
    struct p11prof_finding *finding =
        p11prof_finding_add(&findings, &p11prof_detect_double_queries);
    p11prof_finding_save(finding, 10, "nothing is known of the cost");
    assert_null(finding->estimate);
    finding->cost_ns = 1000;
    p11prof_finding_save(finding, 5000, "%d calls", 5);
    assert_int_equal(finding->saving_ns, 1000);
    assert_string_equal(finding->estimate, "5 calls");
    p11prof_findings_clear(&findings);
}

static bool matters(int64_t cost_ns, int64_t saving_ns, int64_t module_ns)
{
    const struct p11prof_finding finding = {.cost_ns = cost_ns, .saving_ns = saving_ns};
    const struct p11prof_advice_run run = {.module_ns = module_ns};
    return p11prof_finding_matters(&finding, &run);
}

static void what_is_not_worth_a_word_is_dropped(void **state)
{
    (void)state;
    const int64_t ms = 1000000, s = 1000 * ms;
    assert_true(matters(-1, -1, s));
    assert_true(matters(5 * ms, 5 * ms, s));
    assert_true(matters(5 * ms, -1, s));
    assert_false(matters(5 * ms, ms / 2, 10 * ms)); /* less than 1 ms */
    assert_false(matters(5 * ms, 4 * ms, s));       /* less than 0.5 % */
    assert_true(matters(5 * s, s, 1000 * s));       /* a second */
    struct p11prof_findings findings = {.count = 0};
    const struct p11prof_advice_run run = {.module_ns = s};
    for (int64_t i = 0; i < 4; i++) {
        struct p11prof_finding *finding =
            p11prof_finding_add(&findings, &p11prof_detect_double_queries);
        finding->cost_ns = i * 4 * ms;
        finding->evidence = p11prof_finding_text("%d", (int)i);
    }
    p11prof_findings_keep(&findings, &run);
    assert_int_equal(findings.count, 2);
    assert_string_equal(findings.all[0].evidence, "2");
    p11prof_findings_clear(&findings);
}

static void every_finding_has_a_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < p11prof_detector_count; i++) {
        assert_non_null(p11prof_remedy_text(p11prof_detectors[i]->id, NULL));
        assert_non_null(p11prof_remedy_text(p11prof_detectors[i]->id, "/usr/bin/somebody"));
    }
    assert_null(p11prof_remedy_text("no such finding", NULL));
}

/* The engine and the provider of OpenSSL have files of one name. */
static void remedies_know_who_calls(void **state)
{
    (void)state;
    static const char lib[] = "/usr/lib/x86_64-linux-gnu";
    const char *id = "key-enumeration", *anybody = p11prof_remedy_text(id, NULL);
    char path[128];
    snprintf(path, sizeof path, "%s/engines-3/pkcs11.so", lib);
    assert_non_null(strstr(p11prof_remedy_text(id, path), "libp11's engine"));
    snprintf(path, sizeof path, "%s/ossl-modules/pkcs11.so", lib);
    assert_null(strstr(p11prof_remedy_text(id, path), "libp11's engine"));
    assert_string_not_equal(p11prof_remedy_text(id, path), anybody);
    snprintf(path, sizeof path, "%s/libgnutls.so.30.34.3", lib);
    assert_non_null(strstr(p11prof_remedy_text(id, path), "GnuTLS"));
    assert_ptr_equal(p11prof_remedy_text(id, "/opt/pkcs11.so"), anybody);
}

/* Ever new processes, threads, sessions and objects that are used once: a million calls in all. */
static void what_comes_once_is_no_pattern(void **state)
{
    (void)state;
    for (size_t i = 0; i < p11prof_detector_count; i++) {
        advice_begin(p11prof_detectors[i]);
        for (int64_t n = 1; n <= 1000000 / 9 / (int64_t)p11prof_detector_count; n++) {
            advice_at.process_id = 1 + n / 5;
            advice_at.thread_id = advice_at.session = n;
            advice_open();
            advice_search(P11PROF_TEMPLATE_LABEL, 1, n, 1);
            advice_read(P11PROF_KIND_CALL, n, CKA_ID, 1);
            advice_sign(n);
            if (n % 2)
                advice_close();
        }
        advice_end();
        advice_check_count(0);
        advice_clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_finds_what_is_in_it),
        cmocka_unit_test(a_map_has_a_limit),
        cmocka_unit_test(the_busiest_caller_is_named),
        cmocka_unit_test(a_saving_is_never_more_than_the_cost),
        cmocka_unit_test(what_is_not_worth_a_word_is_dropped),
        cmocka_unit_test(every_finding_has_a_remedy),
        cmocka_unit_test(remedies_know_who_calls),
        cmocka_unit_test(what_comes_once_is_no_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
