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
static struct call_load *load; /* of calls; NULL: none */

static int set_up(void **state)
{
    (void)state;
    attribution_init(&attribution);
    batch_init(&batch);
    now_ns = 1000;
    note_count = 0;
    load = NULL;
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
                               .duration_ns = 100,
                               .load = load};
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

/* A parameter set is the number of its name, or what it is where the name's is not its own. */
static void test_parameter_sets(void **state)
{
    static const struct {
        uint64_t key_type, value, bits;
    } sets[] = {{CKK_ML_DSA, CKP_ML_DSA_65, 65},
                {CKK_ML_KEM, CKP_ML_KEM_1024, 1024},
                {CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_256F, 12},
                {CKK_ML_DSA, 4711, 4711}};
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        note_object(P11PROF_C_GetAttributeValue, KEY,
                    P11PROF_OBJECT_KEY_TYPE | P11PROF_OBJECT_KEY_BITS, sets[i].key_type,
                    sets[i].value);
        const struct p11prof_row *row =
            make((struct call){P11PROF_C_GetAttributeValue, CKR_OK, KEY, 2, 0, 0, 0, 0, 0});
        assert_int_equal(row->key_bits, sets[i].bits);
    }
}

/* Neither template said the type. */
static void test_encapsulation(void **state)
{
    (void)state;
    note_object(P11PROF_C_GenerateKeyPair, KEY, P11PROF_OBJECT_MADE | P11PROF_OBJECT_KEY_BITS, 0,
                CKP_ML_KEM_768);
    make((struct call){P11PROF_C_GenerateKeyPair, CKR_OK, CKM_ML_KEM_KEY_PAIR_GEN, 0, 0, 0, 0, 0,
                       0});
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_EncapsulateKey, CKR_OK, CKM_ML_KEM, KEY, 1088, 0, 0, 0, 0});
    assert_int_equal(row->operation, P11PROF_OPERATION_ENCAPSULATE);
    assert_int_equal(row->mechanism, CKM_ML_KEM);
    assert_int_equal(row->key_type, CKK_ML_KEM);
    assert_int_equal(row->key_bits, 768);
}

/* A key that was there before: its size is not known. */
static void test_encapsulation_tells_type(void **state)
{
    (void)state;
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_DecapsulateKey, CKR_OK, CKM_ML_KEM, KEY, 1088, 0, 0, 0, 0});
    assert_int_equal(row->key_type, CKK_ML_KEM);
    assert_false(known(row, P11PROF_ROW_KEY_BITS));
}

/* What its handle means from then on is another matter. */
static void closes(struct call how)
{
    open_session();
    sign_init(CKM_ECDSA);
    make(how);
    assert_int_equal(batch.out.session_count, 1);
    assert_int_equal(batch.out.sessions[0].slot_id, SLOT);
    assert_int_not_equal(batch.out.sessions[0].closed_ns, 0);
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 0, 0});
    assert_false(row->known & (P11PROF_ROW_OPERATION | P11PROF_ROW_SLOT));
}

static void test_session_closes(void **state)
{
    (void)state;
    closes((struct call){P11PROF_C_CloseSession, CKR_OK, 0, 0, 0, 0, SESSION, 0, 0});
}

static void test_all_sessions_close(void **state)
{
    (void)state;
    closes(
        (struct call){P11PROF_C_CloseAllSessions, CKR_OK, SLOT, 0, 0, 0, P11PROF_NO_SESSION, 0, 0});
}

static void test_finalize_closes(void **state)
{
    (void)state;
    closes((struct call){P11PROF_C_Finalize, CKR_OK, 0, 0, 0, 0, P11PROF_NO_SESSION, 0, 0});
}

/* A module that refuses has not closed it; sessions of another slot stay. */
static void test_others_stay_open(void **state)
{
    (void)state;
    open_session();
    sign_init(CKM_ECDSA);
    make((struct call){P11PROF_C_CloseSession, CKR_DEVICE_ERROR, 0, 0, 0, 0, SESSION, 0, 0});
    make((struct call){P11PROF_C_CloseAllSessions, CKR_OK, SLOT + 1, 0, 0, 0, P11PROF_NO_SESSION, 0,
                       0});
    assert_int_equal(batch.out.session_count, 0);
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 0, 0});
    assert_true(known(row, P11PROF_ROW_OPERATION | P11PROF_ROW_SLOT));
}

/* What a handle was is not told of what bears its number next. */
static void test_objects_end(void **state)
{
    static const unsigned ends[] = {P11PROF_C_DestroyObject, P11PROF_C_InitToken, P11PROF_C_Logout,
                                    P11PROF_C_Finalize};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        note_object(P11PROF_C_GetAttributeValue, KEY,
                    P11PROF_OBJECT_CLASS | P11PROF_OBJECT_KEY_TYPE | P11PROF_OBJECT_KEY_BITS,
                    CKK_RSA, 3072);
        make((struct call){P11PROF_C_GetAttributeValue, CKR_OK, KEY, 2, 0, 0, 0, 0, 0});
        assert_true(known(sign_init(CKM_RSA_PKCS), P11PROF_ROW_KEY_BITS));
        make((struct call){ends[i], CKR_OK, ends[i] == P11PROF_C_DestroyObject ? KEY : SLOT, 0, 0,
                           0, 0, 0, 0});
        assert_false(known(sign_init(CKM_RSA_PKCS), P11PROF_ROW_KEY_BITS));
    }
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

static struct p11prof_group *group_of(uint32_t part)
{
    for (size_t i = 0; i < batch.out.group_count; i++)
        if (batch.out.groups[i].operation && batch.out.groups[i].part == part)
            return &batch.out.groups[i];
    return NULL;
}

/* One operation of 200 ns of a load, that was to start at intended_ns since the run's start. */
static const struct p11prof_row *sign_of_load(struct call_load *of, enum p11prof_phase phase,
                                              uint64_t intended_ns)
{
    static const uint64_t run_start_ns = 5000;
    const struct p11prof_load_note said = {.part = p11prof_part(1, phase),
                                           .window_start_ns = run_start_ns + 10,
                                           .intended_start_ns = run_start_ns + intended_ns};
    uint64_t note[7];
    memcpy(note, &said, sizeof note);
    load_take(of, note);
    load_run_start(of, run_start_ns);
    load = of;
    sign_init(CKM_ECDSA);
    return make((struct call){P11PROF_C_Sign, CKR_OK, 32, 64, 0, 0, 0, 0, 0});
}

/* An operation has its latency from its intended start on, and its service time beside it. */
static void test_intended(void **state)
{
    const uint32_t measured = p11prof_part(1, P11PROF_PHASE_MEASURED);
    struct call_load of = {0};
    (void)state;
    open_session();
    now_ns = 10000;
    const struct p11prof_row *row = sign_of_load(&of, P11PROF_PHASE_WARMUP, 9000);
    assert_true(known(row, P11PROF_ROW_INTENDED));
    assert_null(group_of(p11prof_service_part(measured)));
    assert_int_equal(group_of(p11prof_part(1, P11PROF_PHASE_WARMUP))->sum_ns, 11100 - 9000);
    now_ns = 20000;
    row = sign_of_load(&of, P11PROF_PHASE_MEASURED, 13000);
    assert_int_equal(row->intended_start_ns, 13000);
    assert_int_equal(row->operation_duration_ns, 200);
    assert_false(known(row - 1, P11PROF_ROW_INTENDED)); /* C_SignInit carries no operation */
    now_ns = 30000;
    row = sign_of_load(&of, P11PROF_PHASE_MEASURED, 30001); /* a clock that is a little behind */
    assert_int_equal(row->intended_start_ns, 30000);
    const struct p11prof_group *latency = group_of(measured);
    assert_int_equal(latency->count, 2);
    assert_int_equal(latency->sum_ns, 21100 - 13000 + 1100);
    assert_int_equal(latency->max_ns, 21100 - 13000);
    assert_int_equal(latency->window_start_ns, 10);
    const struct p11prof_group *service = group_of(p11prof_service_part(measured));
    assert_int_equal(service->count, 2);
    assert_int_equal(service->sum_ns, 400);
    assert_int_equal(service->window_start_ns, 10);
}

/* A chunk begins with the note that holds: amid an iteration of several calls it changes nothing.
 * One without a schedule has no intended start. */
static void test_intended_iterations(void **state)
{
    const struct p11prof_load_note said = {.part = p11prof_part(1, P11PROF_PHASE_MEASURED),
                                           .iteration_calls = 2,
                                           .iteration_operation = P11PROF_OPERATION_LOGIN_LOGOUT,
                                           .intended_start_ns = 700};
    struct p11prof_load_note closed = said;
    struct call_load of = {0};
    uint64_t note[7];
    (void)state;
    load = &of;
    memcpy(note, &said, sizeof note);
    load_take(&of, note);
    load_run_start(&of, 0);
    make((struct call){P11PROF_C_Login, CKR_OK, 0, 0, 0, 0, 0, 0, 0});
    load_take(&of, note);
    load_run_start(&of, 0);
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_Logout, CKR_OK, 0, 0, 0, 0, 0, 0, 0});
    assert_int_equal(row->operation_call_count, 2);
    assert_int_equal(row->intended_start_ns, 700);
    closed.intended_start_ns = 0;
    memcpy(note, &closed, sizeof note);
    load_take(&of, note);
    load_run_start(&of, 0);
    make((struct call){P11PROF_C_Login, CKR_OK, 0, 0, 0, 0, 0, 0, 0});
    row = make((struct call){P11PROF_C_Logout, CKR_OK, 0, 0, 0, 0, 0, 0, 0});
    assert_true(known(row, P11PROF_ROW_OPERATION));
    assert_false(known(row, P11PROF_ROW_INTENDED));
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

/* What a call was about: attributes of a template, objects that were found. */
static void test_item_count(void **state)
{
    (void)state;
    open_session();
    const struct p11prof_row *row =
        make((struct call){P11PROF_C_GetAttributeValue, CKR_OK, KEY, 5, 0, 0, 0, 0, 0});
    assert_true(known(row, P11PROF_ROW_ITEM_COUNT));
    assert_int_equal(row->item_count, 5);
    make((struct call){P11PROF_C_FindObjectsInit, CKR_OK, 2, 0, 0, 0, 0, 0, 0});
    row = make((struct call){P11PROF_C_FindObjects, CKR_OK, 100, 7, 0, 0, 0, 0, 0});
    assert_int_equal(row->item_count, 7);
    assert_false(known(sign_init(CKM_ECDSA), P11PROF_ROW_ITEM_COUNT));
}

/* What it made, who logs in, how many objects it wanted. */
static void test_detail(void **state)
{
    (void)state;
    open_session();
    uint32_t first = sign_init(CKM_ECDSA)->key_id;
    note_object(P11PROF_C_GenerateKeyPair, KEY + 1, P11PROF_OBJECT_MADE, 0, 0);
    note_object(P11PROF_C_GenerateKeyPair, KEY + 2, P11PROF_OBJECT_MADE, 0, 0);
    const struct p11prof_row *row = make(
        (struct call){P11PROF_C_GenerateKeyPair, CKR_OK, CKM_EC_KEY_PAIR_GEN, 0, 0, 0, 0, 0, 0});
    assert_int_equal(row->detail, first + 1);
    row = make((struct call){P11PROF_C_DestroyObject, CKR_OK, KEY + 2, 0, 0, 0, 0, 0, 0});
    assert_int_equal(row->key_id, first + 2);
    assert_false(known(row, P11PROF_ROW_DETAIL));
    row = make((struct call){P11PROF_C_Login, CKR_OK, CKU_CONTEXT_SPECIFIC, 0, 0, 0, 0, 0, 0});
    assert_int_equal(row->detail, CKU_CONTEXT_SPECIFIC);
    row = make((struct call){P11PROF_C_FindObjects, CKR_OK, 100, 7, 0, 0, 0, 0, 0});
    assert_int_equal(row->detail, 100);
    uint64_t types = P11PROF_TEMPLATE_CLASS | P11PROF_TEMPLATE_LABEL;
    row = make((struct call){P11PROF_C_FindObjectsInit, CKR_OK, 2, P11PROF_TYPES_KNOWN | types, 0,
                             0, 0, 0, 0});
    assert_int_equal(row->detail, types);
    row = make((struct call){P11PROF_C_GetAttributeValue, CKR_OK, KEY, 1,
                             P11PROF_TYPES_KNOWN | CKA_CLASS, 0, 0, 0, 0});
    assert_int_equal(row->detail, CKA_CLASS);
    row = make((struct call){P11PROF_C_GetAttributeValue, CKR_OK, KEY, 1, 0, 0, 0, 0, 0});
    assert_false(known(row, P11PROF_ROW_DETAIL)); /* a spool of an older shim */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sign),
        TEST(item_count),
        TEST(detail),
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
        TEST(parameter_sets),
        TEST(encapsulation),
        TEST(encapsulation_tells_type),
        TEST(session_closes),
        TEST(all_sessions_close),
        TEST(finalize_closes),
        TEST(others_stay_open),
        TEST(objects_end),
        TEST(state_survives),
        TEST(intended),
        TEST(intended_iterations),
        TEST(children_of_the_living),
        TEST(children_of_the_dead),
        TEST(children_of_the_finalized),
        TEST(leaves),
        TEST(limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
