/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What calls mean: operations, keys, slots, kinds, and what must not be told. */
#include "drain/attribution.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SESSION UINT64_C(5)
#define KEY     UINT64_C(77)
#define SLOT    UINT64_C(3)
#define UNKNOWN UINT64_MAX

static struct attribution attribution;
static struct batch batch;
static uint64_t now_ns;
static struct p11prof_record notes[4];
static uint32_t note_count;

static int set_up(void **state)
{
    (void)state;
    attribution_init(&attribution);
    batch_init(&batch);
    now_ns = 1000;
    note_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    attribution_clear(&attribution);
    batch_free(&batch);
    return 0;
}

struct call {
    unsigned function;
    uint64_t rv, a, b, c;
    uint32_t flags;
    uint64_t session;
    uint32_t thread_id;
    uint64_t start_ns; /* 0: after the last one */
};

/* One call of 100 ns; the row that it made. */
static struct p11prof_row *make(struct call call)
{
    struct p11prof_record record = {
        .head = p11prof_record_head(call.function, P11PROF_RECORD_CALL, 0, call.flags),
        .session = call.session ? call.session : SESSION,
        .rv = call.rv,
        .fact = {call.a, call.b, call.c}};
    uint64_t start_ns = call.start_ns ? call.start_ns : now_ns;
    struct call_event event = {.record = &record,
                               .notes = notes,
                               .note_count = note_count,
                               .thread_id = call.thread_id ? call.thread_id : 1,
                               .start_ns = start_ns,
                               .duration_ns = 100};
    assert_true(attribution_call(&attribution, &batch, &event));
    now_ns = start_ns + 1000;
    note_count = 0;
    return &batch.out.rows[batch.out.row_count - 1];
}

static void note_object(unsigned function, uint64_t handle, uint32_t known, uint64_t key_type,
                        uint64_t bits)
{
    struct p11prof_object_note note = {
        .handle = handle, .class = CKO_PRIVATE_KEY, .key_type = key_type, .key_bits = bits};
    notes[note_count].head = p11prof_record_head(function, P11PROF_RECORD_OBJECT, 0, known);
    memcpy(notes[note_count++].note, &note, sizeof note);
}

static void open_session(void)
{
    make((struct call){P11PROF_C_OpenSession, CKR_OK, SLOT, CKF_SERIAL_SESSION, 0, 0, SESSION, 0,
                       0});
}

static struct p11prof_row *sign_init(uint64_t mechanism)
{
    return make((struct call){P11PROF_C_SignInit, CKR_OK, mechanism, KEY, 0, 0, 0, 0, 0});
}

static bool known(const struct p11prof_row *row, uint32_t columns)
{
    return (row->known & columns) == columns;
}

static void test_sign(void **state)
{
    (void)state;
    open_session();
    const struct p11prof_row *row = sign_init(CKM_SHA256_RSA_PKCS);
    assert_true(known(row, P11PROF_ROW_MECHANISM | P11PROF_ROW_SLOT | P11PROF_ROW_KEY));
    assert_int_equal(row->slot_id, SLOT);
    assert_false(known(row, P11PROF_ROW_OPERATION));
    uint64_t start_ns = row->start_ns;
    row =
        make((struct call){P11PROF_C_Sign, CKR_OK, 32, 256, 0, P11PROF_RECORD_NO_BUFFER, 0, 0, 0});
    assert_int_equal(row->kind, P11PROF_KIND_SIZE_QUERY);
    assert_false(known(row, P11PROF_ROW_OPERATION));
    row = make((struct call){P11PROF_C_Sign, CKR_BUFFER_TOO_SMALL, 32, 256, 0, 0, 0, 0, 0});
    assert_int_equal(row->kind, P11PROF_KIND_TOO_SMALL);
    assert_false(known(row, P11PROF_ROW_OPERATION));
    row = make((struct call){P11PROF_C_Sign, CKR_OK, 32, 256, 0, 0, 0, 0, 0});
    assert_true(known(row, P11PROF_ROW_OPERATION | P11PROF_ROW_MECHANISM | P11PROF_ROW_KEY_TYPE));
    assert_int_equal(row->mechanism, CKM_SHA256_RSA_PKCS);
    assert_int_equal(row->operation, P11PROF_OPERATION_SIGN);
    assert_int_equal(row->operation_call_count, 4);
    assert_int_equal(row->operation_start_ns, start_ns);
    assert_int_equal(row->operation_duration_ns, 400);
    assert_int_equal(row->operation_in_bytes, 32); /* queries do not count */
    assert_int_equal(row->operation_out_bytes, 256);
    assert_int_equal(row->key_type, CKK_RSA); /* the mechanism implies it */
    /* The operation is over: the next C_Sign belongs to nothing. */
    row = make(
        (struct call){P11PROF_C_Sign, CKR_OPERATION_NOT_INITIALIZED, 32, UNKNOWN, 0, 0, 0, 0, 0});
    assert_false(known(row, P11PROF_ROW_OPERATION));
    assert_false(known(row, P11PROF_ROW_MECHANISM));
}

static void test_multipart(void **state)
{
    (void)state;
    sign_init(CKM_SHA256_RSA_PKCS);
    make((struct call){P11PROF_C_SignUpdate, CKR_OK, 100, 0, 0, 0, 0, 0, 0});
    make((struct call){P11PROF_C_SignUpdate, CKR_OK, 50, 0, 0, 0, 0, 0, 0});
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_SignFinal, CKR_OK, 256, 0, 0, 0, 0, 0, 0});
    assert_int_equal(row->operation_call_count, 4);
    assert_int_equal(row->operation_in_bytes, 150);
    assert_int_equal(row->operation_out_bytes, 256);
}

static void test_init_fails(void **state)
{
    (void)state;
    const struct p11prof_row *row = make(
        (struct call){P11PROF_C_SignInit, CKR_KEY_HANDLE_INVALID, CKM_ECDSA, KEY, 0, 0, 0, 0, 0});
    assert_true(known(row, P11PROF_ROW_OPERATION));
    assert_int_equal(row->operation_call_count, 1);
    assert_int_equal(batch.out.error_count, 1);
    row = make(
        (struct call){P11PROF_C_Sign, CKR_OPERATION_NOT_INITIALIZED, 32, UNKNOWN, 0, 0, 0, 0, 0});
    assert_false(known(row, P11PROF_ROW_MECHANISM));
}

static void test_cancel(void **state)
{
    (void)state;
    sign_init(CKM_ECDSA);
    make((struct call){P11PROF_C_SignInit, CKR_OK, UNKNOWN, 0, 0, P11PROF_RECORD_NO_MECHANISM, 0, 0,
                       0});
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 0, 0});
    assert_false(known(row, P11PROF_ROW_OPERATION));
}

/* One session, several kinds of operation at once. */
static void test_slots(void **state)
{
    (void)state;
    sign_init(CKM_ECDSA);
    make((struct call){P11PROF_C_DigestInit, CKR_OK, CKM_SHA256, 0, 0, 0, 0, 0, 0});
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Digest, CKR_OK, 10, 32, 0, 0, 0, 0, 0});
    assert_int_equal(row->mechanism, CKM_SHA256);
    assert_false(known(row, P11PROF_ROW_KEY));
    row = make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 0, 0});
    assert_int_equal(row->mechanism, CKM_ECDSA);
}

static void test_dual(void **state)
{
    (void)state;
    make((struct call){P11PROF_C_DigestInit, CKR_OK, CKM_SHA256, 0, 0, 0, 0, 0, 0});
    make((struct call){P11PROF_C_EncryptInit, CKR_OK, CKM_AES_CBC, KEY, 0, 0, 0, 0, 0});
    make((struct call){P11PROF_C_DigestEncryptUpdate, CKR_OK, 64, 64, 0, 0, 0, 0, 0});
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_DigestFinal, CKR_OK, 32, 0, 0, 0, 0, 0, 0});
    assert_int_equal(row->operation_in_bytes, 64);     /* bytes for both … */
    assert_int_equal(row->operation_duration_ns, 200); /* … time for the first */
    row = make((struct call){P11PROF_C_EncryptFinal, CKR_OK, 0, 0, 0, 0, 0, 0, 0});
    assert_int_equal(row->operation_in_bytes, 64);
    assert_int_equal(row->operation_duration_ns, 300);
}

static void test_messages(void **state)
{
    (void)state;
    make((struct call){P11PROF_C_MessageEncryptInit, CKR_OK, CKM_AES_GCM, KEY, 0, 0, 0, 0, 0});
    for (int i = 0; i < 2; i++) {
        const struct p11prof_row *row =
            make((struct call){P11PROF_C_EncryptMessage, CKR_OK, 100, 116, 0, 0, 0, 0, 0});
        assert_int_equal(row->operation, P11PROF_OPERATION_MESSAGE_ENCRYPT);
        assert_int_equal(row->mechanism, CKM_AES_GCM);
        assert_int_equal(row->operation_call_count, 1);
    }
    make((struct call){P11PROF_C_EncryptMessageBegin, CKR_OK, 0, 0, 0, 0, 0, 0, 0});
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_EncryptMessageNext, CKR_OK, 10, 10, 0, 0, 0, 0, 0});
    assert_false(known(row, P11PROF_ROW_OPERATION));
    row = make((struct call){P11PROF_C_EncryptMessageNext, CKR_OK, 10, 26, 0, P11PROF_RECORD_LAST,
                             0, 0, 0});
    assert_int_equal(row->operation_call_count, 3);
    assert_int_equal(row->operation_in_bytes, 20);
    make((struct call){P11PROF_C_MessageEncryptFinal, CKR_OK, 0, 0, 0, 0, 0, 0, 0});
}

/* Success, bad padding and a short buffer look the same; a missing login does not depend on the
 * plaintext. */
static void test_undisclosed(void **state)
{
    static const uint64_t answers[] = {CKR_OK, CKR_ENCRYPTED_DATA_INVALID, CKR_BUFFER_TOO_SMALL};
    static const uint64_t mechanisms[] = {CKM_RSA_PKCS, CKM_RSA_X_509, CKM_AES_CBC_PAD, 0x80001234};
    (void)state;
    for (size_t m = 0; m < 4; m++)
        for (size_t i = 0; i < 3; i++) {
            make((struct call){P11PROF_C_DecryptInit, CKR_OK, mechanisms[m], KEY, 0, 0, 0, 0, 0});
            const struct p11prof_row *row =
                make((struct call){P11PROF_C_Decrypt, answers[i], 256, 20, 0, 0, 0, 0, 0});
            assert_false(known(row, P11PROF_ROW_RV));
            assert_false(known(row, P11PROF_ROW_OUT_BYTES));
            assert_false(known(row, P11PROF_ROW_OPERATION_OUT));
            assert_int_equal(row->kind, P11PROF_KIND_CALL);
            assert_true(known(row, P11PROF_ROW_OPERATION));
        }
    assert_int_equal(batch.out.error_count, 0);
    make((struct call){P11PROF_C_DecryptInit, CKR_OK, CKM_RSA_PKCS, KEY, 0, 0, 0, 0, 0});
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Decrypt, CKR_USER_NOT_LOGGED_IN, 256, UNKNOWN, 0, 0, 0, 0, 0});
    assert_int_equal(row->rv, CKR_USER_NOT_LOGGED_IN);
    make((struct call){P11PROF_C_DecryptInit, CKR_OK, CKM_AES_GCM, KEY, 0, 0, 0, 0, 0});
    row = make((struct call){P11PROF_C_Decrypt, CKR_OK, 36, 20, 0, 0, 0, 0, 0});
    assert_int_equal(row->rv, CKR_OK);
    assert_int_equal(row->out_bytes, 20);
    row = make((struct call){P11PROF_C_UnwrapKey, CKR_WRAPPED_KEY_INVALID, CKM_AES_KEY_WRAP_PAD,
                             KEY, 40, 0, 0, 0, 0});
    assert_false(known(row, P11PROF_ROW_RV));
}

static void test_overlap(void **state)
{
    (void)state;
    sign_init(CKM_ECDSA);
    make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 1, 5000});
    sign_init(CKM_ECDSA);
    uint64_t start_ns = now_ns;
    make((struct call){P11PROF_C_SignUpdate, CKR_OK, 32, 0, 0, 0, 0, 1, start_ns});
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 2, start_ns + 50});
    assert_true(row->flags & P11PROF_ROW_OVERLAP);
    assert_false(known(row, P11PROF_ROW_OPERATION)); /* marked, not guessed */
}

static void test_keys(void **state)
{
    (void)state;
    note_object(P11PROF_C_GetAttributeValue, KEY,
                P11PROF_OBJECT_CLASS | P11PROF_OBJECT_KEY_TYPE | P11PROF_OBJECT_KEY_BITS, CKK_EC,
                384);
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_GetAttributeValue, CKR_OK, KEY, 2, 0, 0, 0, 0, 0});
    assert_int_equal(row->key_bits, 384);
    uint32_t key_id = row->key_id;
    row = sign_init(CKM_ECDSA);
    assert_int_equal(row->key_id, key_id);
    assert_int_equal(row->key_type, CKK_EC);
    make((struct call){P11PROF_C_DestroyObject, CKR_OK, KEY, 0, 0, 0, 0, 0, 0});
    row = sign_init(CKM_RSA_PKCS); /* the handle is used again: another key */
    assert_int_not_equal(row->key_id, key_id);
    assert_false(known(row, P11PROF_ROW_KEY_TYPE));
}

static void test_signature_tells_size(void **state)
{
    (void)state;
    sign_init(CKM_ECDSA);
    make((struct call){P11PROF_C_Sign, CKR_OK, 32, 132, 0, 0, 0, 0, 0});
    const struct p11prof_row *row = sign_init(CKM_ECDSA);
    assert_int_equal(row->key_type, CKK_EC);
    assert_int_equal(row->key_bits, 521);
}

static void test_finalize_closes(void **state)
{
    (void)state;
    open_session();
    sign_init(CKM_ECDSA);
    make((struct call){P11PROF_C_Finalize, CKR_OK, 0, 0, 0, 0, P11PROF_NO_SESSION, 0, 0});
    assert_int_equal(batch.out.session_count, 1);
    assert_int_equal(batch.out.sessions[0].slot_id, SLOT);
    assert_int_not_equal(batch.out.sessions[0].closed_ns, 0);
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 0, 0});
    assert_false(known(row, P11PROF_ROW_OPERATION | P11PROF_ROW_SLOT));
}

/* A new drain goes on in the middle of an operation. */
static void test_state_survives(void **state)
{
    struct attribution second;
    (void)state;
    open_session();
    sign_init(CKM_ECDSA);
    assert_true(attribution_finish(&attribution, &batch, false));
    attribution_init(&second);
    for (size_t i = 0; i < batch.out.state_count; i++) {
        const struct p11prof_state_row *row = &batch.out.states[i];
        attribution_load(&second, row->kind, row->key, row->data, row->data_bytes);
    }
    attribution_clear(&attribution);
    attribution = second;
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 0, 0});
    assert_int_equal(row->operation_call_count, 2);
    assert_int_equal(row->mechanism, CKM_ECDSA);
    assert_int_equal(row->slot_id, SLOT);
    assert_int_equal(row->key_id, 1);
}

/* What a process that forked leaves when it ends, in the hands of a child. */
static void begin_child(bool last)
{
    struct attribution child;
    assert_true(attribution_finish(&attribution, &batch, last));
    attribution_init(&child);
    for (size_t i = 0; i < batch.out.state_count; i++) {
        const struct p11prof_state_row *row = &batch.out.states[i];
        if (row->data && (!last || row->kind >= P11PROF_STATE_LEFT_SESSION))
            attribution_inherit(&child, row->kind, row->key, row->data, row->data_bytes);
    }
    attribution_clear(&attribution);
    attribution = child;
    batch_clear(&batch);
}

static void know_key(uint64_t key_type, uint64_t bits)
{
    note_object(P11PROF_C_GetAttributeValue, KEY, P11PROF_OBJECT_KEY_TYPE | P11PROF_OBJECT_KEY_BITS,
                key_type, bits);
    make((struct call){P11PROF_C_GetAttributeValue, CKR_OK, 0, KEY, 0, 0, 0, 0, 0});
}

static void assert_inherited(void)
{
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 0, 0});
    assert_false(known(row, P11PROF_ROW_OPERATION)); /* its parent's C_SignInit is not its own */
    row = sign_init(CKM_AES_CMAC);
    assert_true(known(row, P11PROF_ROW_KEY_TYPE | P11PROF_ROW_KEY_BITS | P11PROF_ROW_SLOT));
    assert_int_equal(row->key_type, CKK_AES);
    assert_int_equal(row->key_bits, 256);
    assert_int_equal(row->key_id, 1);
    assert_int_equal(row->slot_id, SLOT);
    assert_int_equal(attribution.counters.next_key_id, 2);
    assert_int_equal(batch.out.session_count, 0);
    /* It is stored as the child's own, and what it learns itself counts more. */
    know_key(CKK_GENERIC_SECRET, 128);
    row = sign_init(CKM_AES_CMAC);
    assert_int_equal(row->key_type, CKK_GENERIC_SECRET);
    assert_int_equal(row->key_bits, 128);
}

static void test_children_of_the_living(void **state)
{
    (void)state;
    open_session();
    know_key(CKK_AES, 256);
    sign_init(CKM_AES_CMAC);
    begin_child(false);
    assert_inherited();
}

static void test_children_of_the_dead(void **state)
{
    (void)state;
    attribution.forked = true;
    open_session();
    know_key(CKK_AES, 256);
    sign_init(CKM_AES_CMAC);
    begin_child(true);
    assert_inherited();
}

static void test_children_of_the_finalized(void **state)
{
    (void)state;
    attribution.forked = true;
    open_session();
    know_key(CKK_AES, 256);
    make((struct call){P11PROF_C_CloseAllSessions, CKR_OK, SLOT, 0, 0, 0, 0, 0, 0});
    make((struct call){P11PROF_C_Finalize, CKR_OK, 0, 0, 0, 0, 0, 0, 0});
    begin_child(true);
    assert_inherited();
}

/* Who never forked leaves nothing, and nobody more than the limit. */
static void test_leaves(void **state)
{
    (void)state;
    open_session();
    know_key(CKK_AES, 256);
    begin_child(true);
    assert_int_equal(attribution.sessions.count, 0);
    assert_int_equal(attribution.objects.count, 0);
    attribution.forked = true;
    attribution.counters.left_count = HANDLE_MAP_LIMIT - 1;
    open_session();
    know_key(CKK_AES, 256);
    begin_child(true);
    assert_int_equal(attribution.sessions.count + attribution.objects.count, 1);
}

/* Past the limit the oldest session is dropped and counted. */
static void test_limit(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= HANDLE_MAP_LIMIT + 10; i++)
        assert_non_null(attribution_session(&attribution, i));
    assert_int_equal(attribution.sessions.count, HANDLE_MAP_LIMIT);
    assert_int_equal(attribution.sessions.dropped_count, 10);
    assert_null(handle_map_find(&attribution.sessions, 10));
    assert_non_null(handle_map_find(&attribution.sessions, 11));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sign),
        TEST(multipart),
        TEST(init_fails),
        TEST(cancel),
        TEST(slots),
        TEST(dual),
        TEST(messages),
        TEST(undisclosed),
        TEST(overlap),
        TEST(keys),
        TEST(signature_tells_size),
        TEST(finalize_closes),
        TEST(state_survives),
        TEST(children_of_the_living),
        TEST(children_of_the_dead),
        TEST(children_of_the_finalized),
        TEST(leaves),
        TEST(limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
