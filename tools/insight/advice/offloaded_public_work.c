/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Work that needs no secret of the token: digests, signatures that are verified, encryption with
 * public keys, random numbers. Only where software would take less than half of the time. */
#include "detectors.h"
#include "evidence.h"
#include "report/units.h"
#include "software_cost.h"
#include "use.h"

#include <inttypes.h>

/* Each of a run. Seeds are to come from the token: the first random numbers of a process do not
 * count. */
enum { OPERATIONS_MIN = 20, RANDOM_OF_START = 16 };

enum work { DIGESTS, VERIFICATIONS, PUBLIC_ENCRYPTIONS, RANDOM_NUMBERS, WORKS };

static const struct {
    const char *subject, *evidence, *software;
} words[WORKS] = {
    [DIGESTS] = {"digests", "digests without a key", "1 us and 400 MB/s"},
    [VERIFICATIONS] = {"verifications", "signatures were verified with public keys",
                       "40 us with RSA 2048, 120 us with P-256, more with larger keys"},
    [PUBLIC_ENCRYPTIONS] = {"encryption with public keys", "encryptions with public keys of RSA",
                            "40 us with RSA 2048, more with larger keys"},
    [RANDOM_NUMBERS] = {"random numbers",
                        "requests for random numbers, but for the first of each process",
                        "1 us and 200 MB/s of a generator that the token seeded"},
};

struct state {
    struct p11prof_advice_map keyed;   /* digests under way with a secret key, by session */
    struct p11prof_advice_map started; /* int64_t: random numbers so far, by process */
    struct offloaded {
        struct p11prof_evidence evidence;
        int64_t bytes, software_ns;
    } of[WORKS];
};

static void take_bytes(struct state *state, const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    bool digests = event->function == P11PROF_C_Digest || event->function == P11PROF_C_DigestUpdate;
    if (digests && event->in_bytes > 0 && event->kind == P11PROF_KIND_CALL &&
        !p11prof_advice_map_find(&state->keyed, &key)) {
        state->of[DIGESTS].bytes += event->in_bytes;
        state->of[DIGESTS].software_ns +=
            p11prof_software_digest_ns(event->in_bytes) - p11prof_software_digest_ns(0);
    } else if (event->function == P11PROF_C_DigestKey) {
        p11prof_advice_map_take(&state->keyed, &key, sizeof(int64_t));
    }
}

static bool is_first_random(struct state *state, int64_t process_id)
{
    const struct p11prof_advice_key key = {process_id, 0, 0};
    int64_t *count = p11prof_advice_map_take(&state->started, &key, sizeof *count);
    return !count || ++*count <= RANDOM_OF_START;
}

/* What the operation that a call ended is; WORKS: needs the token. *software_ns: what it takes
 * elsewhere, but for a digest's bytes. */
static enum work work_of(struct state *state, const struct p11prof_event *event,
                         int64_t *software_ns)
{
    const struct p11prof_advice_key session = {event->process_id, event->session, 0};
    bool keyed;
    *software_ns = p11prof_software_public_key_ns(event->key_type, event->key_bits);
    switch (event->operation) {
    case P11PROF_OPERATION_DIGEST:
        *software_ns = p11prof_software_digest_ns(0);
        keyed = p11prof_advice_map_find(&state->keyed, &session) != NULL;
        p11prof_advice_map_remove(&state->keyed, &session);
        return keyed ? WORKS : DIGESTS;
    case P11PROF_OPERATION_VERIFY:
    case P11PROF_OPERATION_VERIFY_RECOVER:
    case P11PROF_OPERATION_MESSAGE_VERIFY:
        return *software_ns < 0 ? WORKS : VERIFICATIONS;
    case P11PROF_OPERATION_ENCRYPT:
        return event->key_type == CKK_RSA ? PUBLIC_ENCRYPTIONS : WORKS;
    case P11PROF_OPERATION_GENERATE_RANDOM:
        *software_ns = p11prof_software_random_ns(event->out_bytes);
        return is_first_random(state, event->process_id) ? WORKS : RANDOM_NUMBERS;
    default:
        return WORKS;
    }
}

static void add_operation(struct offloaded *offloaded, const struct p11prof_event *event,
                          int64_t software_ns)
{
    struct p11prof_calls_sum sum = {.call_count = event->operation_call_count,
                                    .caller = event->caller};
    if (event->operation_duration_ns >= 0 && event->duration_ns >= 0) {
        sum.timed_count = sum.call_count;
        sum.cost_ns = event->operation_duration_ns;
    }
    offloaded->evidence.count++;
    offloaded->software_ns += software_ns;
    if (event->operation == P11PROF_OPERATION_GENERATE_RANDOM && event->out_bytes > 0)
        offloaded->bytes += event->out_bytes;
    p11prof_evidence_add_sum(&offloaded->evidence, event->process_id, &sum);
    p11prof_evidence_example(&offloaded->evidence, event->call_id, event);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    int64_t software_ns;
    take_bytes(state, event);
    if (!p11prof_event_is_use(event) || event->flags & P11PROF_ROW_NESTED)
        return;
    enum work work = work_of(state, event, &software_ns);
    if (work < WORKS)
        add_operation(&state->of[work], event, software_ns);
}

/* A token in software gains nothing, and is no reason to speak. */
static bool is_worth(const struct offloaded *offloaded)
{
    int64_t cost_ns = p11prof_evidence_cost_ns(&offloaded->evidence);
    return offloaded->evidence.count >= OPERATIONS_MIN &&
           (cost_ns < 0 || 2 * offloaded->software_ns <= cost_ns);
}

static void describe(struct p11prof_finding *finding, const struct offloaded *offloaded,
                     enum work work)
{
    char bytes[P11PROF_UNIT_TEXT_BYTES], software[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_bytes(bytes, (uint64_t)offloaded->bytes);
    p11prof_format_ns(software, (uint64_t)offloaded->software_ns);
    finding->subject = p11prof_finding_text("%s", words[work].subject);
    finding->evidence =
        offloaded->bytes > 0
            ? p11prof_finding_text("%" PRId64 " %s, %s in all.", finding->count,
                                   words[work].evidence, bytes)
            : p11prof_finding_text("%" PRId64 " %s.", finding->count, words[work].evidence);
    p11prof_finding_save(finding, finding->cost_ns - offloaded->software_ns,
                         "what it costs, less %s in software, at %s", software,
                         words[work].software);
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    (void)run;
    for (unsigned work = 0; work < WORKS; work++)
        if (is_worth(&state->of[work]))
            describe(p11prof_evidence_find(&state->of[work].evidence,
                                           &p11prof_detect_offloaded_public_work, out),
                     &state->of[work], (enum work)work);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_advice_map_clear(&state->keyed);
    p11prof_advice_map_clear(&state->started);
    for (unsigned work = 0; work < WORKS; work++)
        p11prof_evidence_clear(&state->of[work].evidence);
}

const struct p11prof_detector p11prof_detect_offloaded_public_work = {
    .id = "offloaded-public-work",
    .title = "The token does work that needs no secret",
    .why = "What needs no secret key the processor does faster, and without a round trip.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
