/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The keys of tests: made for them, or the user's own. */
#include "report/allocate.h"
#include "steps.h"
#include "templates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 3, AT_ONCE = 16, SWEEPS = 8 };

static bool logged_in(CK_FUNCTION_LIST *list, CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    return list->C_GetSessionInfo(session, &info) == CKR_OK &&
           (info.state == CKS_RW_USER_FUNCTIONS || info.state == CKS_RO_USER_FUNCTIONS);
}

static void own_take(struct p11prof_bench_key *key, const struct p11prof_bench_own_key *own_key)
{
    key->public_key = own_key->public_key;
    key->private_key = own_key->private_key;
    key->secret_key = own_key->secret_key;
    snprintf(key->label, sizeof key->label, "%.63s", own_key->label);
}

static CK_RV described(struct p11prof_error *error, CK_RV rv, const char *function,
                       const struct p11prof_bench_test *test, bool token_keys)
{
    char rv_text[32];
    const char *name = p11prof_mechanism_name(p11prof_bench_generator(test->key_kind));
    p11prof_error_set(
        error, P11PROF_FAILED,
        "no key for %s: %s (%s, %s objects): %s; use %s--key with a key that is there", test->id,
        function, name, token_keys ? "token" : "session", p11prof_rv_text(rv, rv_text),
        token_keys ? "" : "--token-keys, or ");
    return rv;
}

/* Keys that differ in their labels only. */
static CK_RV found_make(struct p11prof_bench_key *key, struct p11prof_bench_key_wish *wish,
                        unsigned count, CK_FUNCTION_LIST *timed, CK_SESSION_HANDLE session,
                        const char **function)
{
    char label[80];
    CK_OBJECT_HANDLE handles[2];
    CK_RV rv = CKR_OK;
    unsigned attempt;
    wish->label = label;
    key->found = p11prof_zalloc(count, sizeof *key->found);
    while (rv == CKR_OK && key->found_count < count) {
        p11prof_bench_found_label(key, key->found_count, label);
        rv = p11prof_bench_wish_generate(wish, timed, session, handles, function, &attempt);
        if (rv == CKR_OK)
            key->found[key->found_count++] = handles[0];
    }
    return rv;
}

void p11prof_bench_found_label(const struct p11prof_bench_key *key, unsigned index,
                               char label[static 80])
{
    snprintf(label, 80, "%s-%03u", key->label, index);
}

/* What a combined test signs with. */
static CK_RV mac_key_make(struct p11prof_bench_key *key, struct p11prof_bench_key_wish *wish,
                          CK_FUNCTION_LIST *timed, CK_SESSION_HANDLE session, const char **function)
{
    CK_OBJECT_HANDLE handles[2];
    unsigned attempt;
    wish->kind = P11PROF_BENCH_KEY_GENERIC;
    wish->bits = 256;
    wish->operation = P11PROF_OPERATION_SIGN;
    CK_RV rv = p11prof_bench_wish_generate(wish, timed, session, handles, function, &attempt);
    key->mac_key = handles[0];
    return rv;
}

static CK_RV generated_make(struct p11prof_bench_key *key, const struct p11prof_bench_test *test,
                            CK_FUNCTION_LIST *timed, CK_SESSION_HANDLE session,
                            const char **function)
{
    struct p11prof_bench_key_wish wish = {.kind = test->key_kind,
                                          .bits = test->key_bits,
                                          .operation = test->operation,
                                          .label = key->label,
                                          .token_object = key->token_objects,
                                          .private_object = key->private_objects};
    CK_OBJECT_HANDLE handles[2];
    const struct p11prof_bench_variant *variant = p11prof_bench_variant(test);
    unsigned attempt;
    if (variant->object_count > 0)
        return found_make(key, &wish, variant->object_count, timed, session, function);
    CK_RV rv = p11prof_bench_wish_generate(&wish, timed, session, handles, function, &attempt);
    key->public_key = handles[1];
    *(handles[1] == CK_INVALID_HANDLE ? &key->secret_key : &key->private_key) = handles[0];
    if (rv == CKR_OK && variant->mac_key)
        rv = mac_key_make(key, &wish, timed, session, function);
    return rv;
}

CK_RV p11prof_bench_key_make(struct p11prof_bench_key *key, const struct p11prof_bench_test *test,
                             CK_FUNCTION_LIST *timed, CK_SESSION_HANDLE session, const char *label,
                             bool token_keys, const struct p11prof_bench_own_key *own_key,
                             struct p11prof_error *error)
{
    const char *function = "C_GenerateKey";
    memset(key, 0, sizeof *key);
    snprintf(key->label, sizeof key->label, "%s", label);
    key->token_objects = token_keys;
    key->private_objects = logged_in(timed, session);
    if (!p11prof_bench_key_needed(test))
        return CKR_OK;
    if (p11prof_bench_fit(test, own_key)) {
        own_take(key, own_key);
        return CKR_OK;
    }
    key->own = true;
    CK_RV rv = generated_make(key, test, timed, session, &function);
    if (rv == CKR_OK)
        return rv;
    p11prof_bench_key_destroy(key, timed, session);
    return described(error, rv, function, test, token_keys);
}

static CK_RV destroy(CK_OBJECT_HANDLE *object, CK_FUNCTION_LIST *timed, CK_SESSION_HANDLE session)
{
    CK_RV rv = CKR_OK;
    for (unsigned i = 0; i < TRIES && *object != CK_INVALID_HANDLE; i++) {
        rv = timed->C_DestroyObject(session, *object);
        if (rv == CKR_OK)
            *object = CK_INVALID_HANDLE;
    }
    *object = CK_INVALID_HANDLE;
    return rv;
}

CK_RV p11prof_bench_key_destroy(struct p11prof_bench_key *key, CK_FUNCTION_LIST *timed,
                                CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE *single[] = {&key->public_key, &key->private_key, &key->secret_key,
                                  &key->mac_key};
    CK_RV first = CKR_OK;
    if (!key->own)
        return CKR_OK;
    for (unsigned i = 0; i < 4 + key->found_count; i++) {
        CK_RV rv = destroy(i < 4 ? single[i] : &key->found[i - 4], timed, session);
        if (first == CKR_OK)
            first = rv;
    }
    free(key->found);
    key->found = NULL;
    key->found_count = 0;
    return first;
}

static CK_ULONG labelled_find(CK_FUNCTION_LIST *raw, CK_SESSION_HANDLE session, const char *label,
                              CK_OBJECT_HANDLE found[AT_ONCE])
{
    CK_ATTRIBUTE template = {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)};
    CK_ULONG count = 0;
    if (raw->C_FindObjectsInit(session, &template, 1) != CKR_OK)
        return 0;
    if (raw->C_FindObjects(session, found, AT_ONCE, &count) != CKR_OK)
        count = 0;
    raw->C_FindObjectsFinal(session);
    return count;
}

unsigned p11prof_bench_labelled_destroy(CK_FUNCTION_LIST *raw, CK_SESSION_HANDLE session,
                                        const char *label)
{
    CK_OBJECT_HANDLE found[AT_ONCE];
    CK_ULONG count = labelled_find(raw, session, label, found);
    for (unsigned i = 0; i < SWEEPS && count > 0; i++) {
        for (CK_ULONG j = 0; j < count; j++)
            raw->C_DestroyObject(session, found[j]);
        count = labelled_find(raw, session, label, found);
    }
    return (unsigned)count;
}

CK_OBJECT_HANDLE p11prof_bench_key_for(const struct p11prof_bench_key *key, unsigned operation)
{
    if (key->secret_key != CK_INVALID_HANDLE)
        return key->secret_key;
    switch (operation) {
    case P11PROF_OPERATION_VERIFY:
    case P11PROF_OPERATION_ENCRYPT:
    case P11PROF_OPERATION_WRAP:
    case P11PROF_OPERATION_MESSAGE_VERIFY:
    case P11PROF_OPERATION_MESSAGE_ENCRYPT:
    case P11PROF_OPERATION_ENCAPSULATE:
        return key->public_key;
    default:
        return key->private_key;
    }
}
