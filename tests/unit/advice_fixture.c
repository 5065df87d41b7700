/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "advice_fixture.h"
#include "report/allocate.h"

#include <stdlib.h>
#include <string.h>

static const struct advice_place first_place = {1, 1, 1, ADVICE_CALL_NS};
struct advice_place advice_at;
struct p11prof_findings advice_found;

static const struct p11prof_detector *detector;
static void *detector_state;
static int64_t now_ns, last_call_id;

void advice_begin(const struct p11prof_detector *with)
{
    advice_at = first_place;
    now_ns = last_call_id = 0;
    detector = with;
    detector_state = p11prof_zalloc(1, with->state_bytes);
}

void advice_end(void)
{
    const struct p11prof_advice_run run = {.run_id = 1, .module_ns = now_ns};
    detector->finish(detector_state, &run, &advice_found);
}

void advice_clear(void)
{
    detector->clear(detector_state);
    free(detector_state);
    p11prof_findings_clear(&advice_found);
}

struct p11prof_event advice_call(unsigned function)
{
    const int64_t unknown = P11PROF_EVENT_UNKNOWN;
    struct p11prof_event event = {.call_id = ++last_call_id,
                                  .process_id = advice_at.process_id,
                                  .thread_id = advice_at.thread_id,
                                  .start_ns = now_ns,
                                  .duration_ns = advice_at.duration_ns,
                                  .function = function,
                                  .rv = CKR_OK,
                                  .session = advice_at.session,
                                  .slot_id = 0,
                                  .mechanism = unknown,
                                  .key_type = unknown,
                                  .key_bits = unknown,
                                  .key_id = unknown,
                                  .in_bytes = unknown,
                                  .out_bytes = unknown,
                                  .item_count = unknown,
                                  .detail = unknown,
                                  .caller = ADVICE_CALLER,
                                  .operation_call_count = 1,
                                  .operation_start_ns = now_ns,
                                  .operation_duration_ns = advice_at.duration_ns};
    now_ns += (advice_at.duration_ns > 0 ? advice_at.duration_ns : 0) + ADVICE_GAP_NS;
    return event;
}

void advice_give(struct p11prof_event event)
{
    detector->take(detector_state, &event);
}

void advice_plain(unsigned function)
{
    advice_give(advice_call(function));
}

void advice_search(int64_t template_types, int64_t wanted, int64_t first, int64_t count)
{
    int64_t found = 0, left = count;
    struct p11prof_event init = advice_call(P11PROF_C_FindObjectsInit);
    init.detail = template_types;
    advice_give(init);
    do {
        struct p11prof_event find = advice_call(P11PROF_C_FindObjects);
        found = left < wanted ? left : wanted;
        find.detail = wanted;
        find.item_count = found;
        if (found > 0)
            find.key_id = first + count - left;
        left -= found;
        advice_give(find);
    } while (found == wanted);
    struct p11prof_event final = advice_call(P11PROF_C_FindObjectsFinal);
    final.operation = P11PROF_OPERATION_FIND;
    advice_give(final);
}

void advice_sign(int64_t key_id)
{
    struct p11prof_event init = advice_call(P11PROF_C_SignInit);
    init.key_id = key_id;
    advice_give(init);
    struct p11prof_event sign = advice_call(P11PROF_C_Sign);
    sign.key_id = key_id;
    sign.mechanism = CKM_ECDSA;
    sign.operation = P11PROF_OPERATION_SIGN;
    sign.operation_call_count = 2;
    advice_give(sign);
}

void advice_read(enum p11prof_call_kind kind, int64_t key_id, int64_t type, int64_t count)
{
    struct p11prof_event read = advice_call(P11PROF_C_GetAttributeValue);
    read.kind = kind;
    read.key_id = key_id;
    read.detail = type;
    read.item_count = count;
    advice_give(read);
}

void advice_open(void)
{
    advice_plain(P11PROF_C_OpenSession);
}

void advice_close(void)
{
    advice_plain(P11PROF_C_CloseSession);
}

void advice_check_count(size_t count)
{
    for (size_t i = 0; i < advice_found.count && advice_found.count != count; i++)
        print_message("found: %s: %s\n", advice_found.all[i].detector->id,
                      advice_found.all[i].evidence);
    assert_int_equal(advice_found.count, count);
}

const struct p11prof_finding *advice_finding(const char *subject)
{
    for (size_t i = 0; i < advice_found.count; i++) {
        const struct p11prof_finding *finding = &advice_found.all[i];
        if (subject ? finding->subject && strcmp(finding->subject, subject) == 0
                    : !finding->subject)
            return finding;
    }
    fail_msg("there is no finding of %s", subject ? subject : "no subject");
    return NULL;
}

void advice_check_sane(const struct p11prof_finding *finding)
{
    assert_non_null(finding->evidence);
    assert_non_null(finding->estimate);
    assert_true(finding->saving_ns >= 0 && finding->saving_ns <= finding->cost_ns);
    assert_int_equal(finding->caller, ADVICE_CALLER);
    assert_true(finding->first_call_id > 0 && finding->last_call_id >= finding->first_call_id);
}
