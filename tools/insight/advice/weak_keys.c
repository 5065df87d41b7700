/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Keys and mechanisms that nobody should make anything new with: NIST SP 800-131A forbids them.
 * What reads old data (verify, decrypt) is left alone, and so are benches, which measure on
 * purpose. */
#include "detectors.h"
#include "evidence.h"

#include <inttypes.h>

enum {
    RSA_BITS_MIN = 2048,
    EC_BITS_MIN = 224,
};

/* Weaknesses by what is weak: a mechanism, or else a key's type and size. */
struct state {
    struct p11prof_advice_map found; /* struct p11prof_evidence */
};

/* Digests that collide, in signatures. An HMAC with them is sound. */
static bool signs_weakly(int64_t mechanism)
{
    switch (mechanism) {
    case CKM_MD2_RSA_PKCS:
    case CKM_MD5_RSA_PKCS:
    case CKM_SHA1_RSA_PKCS:
    case CKM_SHA1_RSA_X9_31:
    case CKM_SHA1_RSA_PKCS_PSS:
    case CKM_DSA_SHA1:
    case CKM_ECDSA_SHA1:
        return true;
    default:
        return false;
    }
}

static bool encrypts_weakly(int64_t mechanism)
{
    switch (mechanism) {
    case CKM_RC2_ECB:
    case CKM_RC2_CBC:
    case CKM_RC2_CBC_PAD:
    case CKM_RC4:
    case CKM_DES_ECB:
    case CKM_DES_CBC:
    case CKM_DES_CBC_PAD:
    case CKM_DES3_ECB:
    case CKM_DES3_CBC:
    case CKM_DES3_CBC_PAD:
        return true;
    default:
        return false;
    }
}

static bool is_weak_mechanism(const struct p11prof_event *event)
{
    switch (event->operation) {
    case P11PROF_OPERATION_SIGN:
    case P11PROF_OPERATION_MESSAGE_SIGN:
        return signs_weakly(event->mechanism);
    case P11PROF_OPERATION_ENCRYPT:
    case P11PROF_OPERATION_WRAP:
        return encrypts_weakly(event->mechanism);
    default:
        return false;
    }
}

/* Whether the key's owner works here: who verifies or encrypts has to take the key of another. */
static bool is_of_owner(unsigned operation)
{
    switch (operation) {
    case P11PROF_OPERATION_SIGN:
    case P11PROF_OPERATION_SIGN_RECOVER:
    case P11PROF_OPERATION_MESSAGE_SIGN:
    case P11PROF_OPERATION_GENERATE_KEY_PAIR:
    case P11PROF_OPERATION_DERIVE:
        return true;
    default:
        return false;
    }
}

static bool is_weak_key(const struct p11prof_event *event)
{
    if (!is_of_owner(event->operation) || event->key_bits <= 0)
        return false;
    return (event->key_type == CKK_RSA && event->key_bits < RSA_BITS_MIN) ||
           (event->key_type == CKK_EC && event->key_bits < EC_BITS_MIN);
}

/* The key: a mechanism and 0, or the type and size of a key. */
static void note(struct state *state, const struct p11prof_event *event,
                 struct p11prof_advice_key key)
{
    struct p11prof_evidence *evidence =
        p11prof_advice_map_take(&state->found, &key, sizeof *evidence);
    if (!evidence)
        return;
    evidence->count++;
    p11prof_evidence_add(evidence, event);
    p11prof_evidence_example(evidence, event->call_id, event);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    if (event->operation == P11PROF_OPERATION_NONE || event->part != 0 || event->rv != CKR_OK)
        return;
    if (is_weak_mechanism(event))
        note(state, event, (struct p11prof_advice_key){0, event->mechanism, 0});
    if (is_weak_key(event))
        note(state, event, (struct p11prof_advice_key){0, event->key_type, event->key_bits});
}

static void tell(const struct p11prof_evidence *evidence, const struct p11prof_advice_key *key,
                 struct p11prof_findings *out)
{
    struct p11prof_finding *finding =
        p11prof_evidence_find(evidence, &p11prof_detect_weak_keys, out);
    finding->cost_ns = -1; /* what is safe takes its time too */
    if (key->second == 0) {
        const char *name = p11prof_mechanism_name((uint64_t)key->first);
        finding->subject = p11prof_finding_text("%s", name);
        finding->evidence = p11prof_finding_text(
            "%" PRId64 " operations signed or encrypted something with %s.", evidence->count, name);
    } else {
        finding->subject =
            p11prof_finding_text("%s %" PRId64, key->first == CKK_RSA ? "RSA" : "EC", key->second);
        finding->evidence = p11prof_finding_text(
            "%" PRId64 " operations made or used private keys of %" PRId64 " bits.",
            evidence->count, key->second);
    }
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    (void)run;
    for (size_t i = 0; i < state->found.count; i++)
        tell(p11prof_advice_map_value(&state->found, i), p11prof_advice_map_key(&state->found, i),
             out);
}

static void clear(void *payload)
{
    struct state *state = payload;
    for (size_t i = 0; i < state->found.count; i++)
        p11prof_evidence_clear(p11prof_advice_map_value(&state->found, i));
    p11prof_advice_map_clear(&state->found);
}

const struct p11prof_detector p11prof_detect_weak_keys = {
    .id = "weak-keys",
    .title = "A weak key or mechanism is in use",
    .why = "What is made with it can be forged or read: NIST SP 800-131A allows it no longer.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
