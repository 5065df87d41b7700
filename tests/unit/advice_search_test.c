/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Searches that list too much, and searches for what was found before: found in applications that
 * do so, and not in those that do not. */
#include "advice_fixture.h"

#include <string.h>

enum {
    BY_CLASS = P11PROF_TEMPLATE_CLASS | P11PROF_TEMPLATE_TOKEN,
    BY_LABEL = P11PROF_TEMPLATE_CLASS | P11PROF_TEMPLATE_LABEL,
};

/* All objects are found one by one, two attributes of each are read, and one is used. */
static void list_and_use(int64_t object_count, int64_t used_count)
{
    advice_search(BY_CLASS, 1, 1, object_count);
    for (int64_t object = 1; object <= object_count; object++) {
        advice_read(P11PROF_KIND_CALL, object, CKA_ID, 1);
        advice_read(P11PROF_KIND_CALL, object, CKA_LABEL, 1);
    }
    for (int64_t key = 1; key <= used_count; key++)
        advice_sign(key);
}

static void a_list_for_one_key_is_found(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_key_enumeration);
    list_and_use(20, 1);
    advice_end();
    advice_check_count(1);
    const struct p11prof_finding *finding = advice_finding(NULL);
    advice_check_sane(finding);
    assert_int_equal(finding->count, 1);
    /* 23 calls of the search, and two of each of 19 objects. */
    assert_int_equal(finding->call_count, 23 + 38);
    assert_int_equal(finding->cost_ns, (23 + 38) * ADVICE_CALL_NS);
    /* Of 19 objects 18 need not be read; of 21 C_FindObjects one 20th has to be. */
    assert_in_range(finding->saving_ns, (int64_t)(36 + 19.9) * ADVICE_CALL_NS,
                    (36 + 20) * ADVICE_CALL_NS);
    assert_int_equal(finding->first_call_id, 1);
    assert_int_equal(finding->last_call_id, 23);
    assert_non_null(strstr(finding->evidence, "one at a time"));
    assert_non_null(strstr(finding->evidence, "1 key was used."));
    assert_null(strstr(finding->evidence, "several processes"));
    advice_clear();
}

static void lists_of_each_process_are_added(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_key_enumeration);
    for (int64_t process = 1; process <= 3; process++) {
        advice_at.process_id = process;
        list_and_use(process == 3 ? 3 : 20, 1);
    }
    advice_end();
    advice_check_count(1);
    assert_int_equal(advice_finding(NULL)->count, 2);
    assert_non_null(strstr(advice_finding(NULL)->evidence,
                           "2 keys were used. What several processes use counts in each."));
    advice_clear();
}

static void lists_that_are_needed_are_not(void **state)
{
    (void)state;
    static const int64_t healthy[][2] = {{20, 6}, {9, 1}, {20, 0}, {40, 20}};
    for (size_t i = 0; i < sizeof healthy / sizeof healthy[0]; i++) {
        advice_begin(&p11prof_detect_key_enumeration);
        list_and_use(healthy[i][0], healthy[i][1]);
        advice_end();
        advice_check_count(0);
        advice_clear();
    }
}

static void searches_by_label_list_nothing(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_key_enumeration);
    for (int64_t key = 1; key <= 50; key++)
        advice_search(BY_LABEL, 8, key, 1);
    advice_search(P11PROF_EVENT_UNKNOWN, 100, 1, 50);
    advice_sign(1);
    advice_end();
    advice_check_count(0);
    advice_clear();
}

static void a_search_before_each_operation_is_found(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_search_per_operation);
    for (int i = 0; i < 30; i++) {
        advice_search(BY_LABEL, 8, 5, 1);
        advice_sign(5);
    }
    advice_end();
    advice_check_count(1);
    const struct p11prof_finding *finding = advice_finding(NULL);
    advice_check_sane(finding);
    assert_int_equal(finding->count, 29);
    assert_int_equal(finding->cost_ns, 29 * 3 * ADVICE_CALL_NS);
    assert_int_equal(finding->saving_ns, finding->cost_ns);
    assert_int_equal(finding->last_call_id - finding->first_call_id, 4); /* and C_Sign */
    advice_clear();
}

/* Objects that are listed, and then searched one by one, as p11tool does. */
static void a_search_for_what_was_read_is_found(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_search_per_operation);
    advice_search(BY_CLASS, 100, 1, 12);
    for (int64_t object = 1; object <= 12; object++) {
        advice_read(P11PROF_KIND_CALL, object, CKA_ID, 1);
        advice_search(BY_LABEL, 1, object, 1);
    }
    advice_end();
    advice_check_count(1);
    assert_int_equal(advice_finding(NULL)->count, 12);
    advice_clear();
}

static void sign_after_one_search(int64_t key, int times)
{
    advice_search(BY_LABEL, 8, key, 1);
    for (int i = 0; i < times; i++)
        advice_sign(key);
}

/* Each of 30 threads searches the key that others use, once for three operations. */
static void threads_that_search_once_are_not(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_search_per_operation);
    for (int64_t thread = 1; thread <= 30; thread++) {
        advice_at.thread_id = advice_at.session = thread;
        sign_after_one_search(5, 3);
    }
    advice_end();
    advice_check_count(0);
    advice_clear();
}

static void other_keys_and_processes_are_not(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_search_per_operation);
    for (int64_t key = 1; key <= 30; key++)
        sign_after_one_search(key, 1);
    for (int64_t process = 2; process <= 30; process++) {
        advice_at.process_id = process;
        sign_after_one_search(1, 1);
        sign_after_one_search(1, 1);
    }
    advice_end();
    advice_check_count(0);
    advice_clear();
}

/* Calls of other sessions stand between those of a search. */
static void searches_at_once_are_told_apart(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_search_per_operation);
    for (int i = 0; i < 12; i++) {
        for (int64_t session = 1; session <= 2; session++) {
            advice_at.session = advice_at.thread_id = session;
            struct p11prof_event init = advice_call(P11PROF_C_FindObjectsInit);
            init.detail = BY_LABEL;
            advice_give(init);
        }
        for (int64_t session = 1; session <= 2; session++) {
            advice_at.session = advice_at.thread_id = session;
            struct p11prof_event find = advice_call(P11PROF_C_FindObjects);
            find.key_id = session;
            find.item_count = 1;
            advice_give(find);
            advice_plain(P11PROF_C_FindObjectsFinal);
            advice_sign(session);
        }
    }
    advice_end();
    assert_int_equal(advice_finding(NULL)->count, 22);
    assert_int_equal(advice_finding(NULL)->call_count, 66);
    advice_clear();
}

static void without_durations_there_is_no_cost(void **state)
{
    (void)state;
    advice_begin(&p11prof_detect_search_per_operation);
    advice_at.duration_ns = -1;
    for (int i = 0; i < 30; i++)
        sign_after_one_search(5, 1);
    advice_end();
    const struct p11prof_finding *finding = advice_finding(NULL);
    assert_int_equal(finding->count, 29);
    assert_int_equal(finding->cost_ns, -1);
    assert_int_equal(finding->saving_ns, -1);
    assert_null(finding->estimate);
    advice_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_for_one_key_is_found),
        cmocka_unit_test(lists_of_each_process_are_added),
        cmocka_unit_test(lists_that_are_needed_are_not),
        cmocka_unit_test(searches_by_label_list_nothing),
        cmocka_unit_test(a_search_before_each_operation_is_found),
        cmocka_unit_test(a_search_for_what_was_read_is_found),
        cmocka_unit_test(threads_that_search_once_are_not),
        cmocka_unit_test(other_keys_and_processes_are_not),
        cmocka_unit_test(searches_at_once_are_told_apart),
        cmocka_unit_test(without_durations_there_is_no_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
