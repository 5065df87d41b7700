/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The script of a recorded run: order, sessions, objects, think times, what is left out. */
#include "like_fixture.h"

enum { HANDLE = 7000, OTHER = 7001 };

static void opens(uint32_t thread, int64_t handle)
{
    like_call_row(thread, P11PROF_C_OpenSession, handle, -1, -1);
}

static void closes(uint32_t thread, int64_t handle)
{
    like_call_row(thread, P11PROF_C_CloseSession, handle, -1, -1);
}

/* A call whose object is of that type and size. */
static struct p11prof_row *keyed(unsigned function, int64_t mechanism, int64_t key_id,
                                 uint64_t key_type, uint32_t bits)
{
    struct p11prof_row *row = like_call_row(1, function, HANDLE, mechanism, key_id);
    row->key_type = key_type;
    row->key_bits = bits;
    row->known |= P11PROF_ROW_KEY_TYPE | P11PROF_ROW_KEY_BITS;
    return row;
}

static void order_and_times(void **state)
{
    (void)state;
    like_row(1, P11PROF_C_Initialize, 500);
    like_row(2, P11PROF_C_GetInfo, 800);
    like_row(1, P11PROF_C_GetSlotList, 250)->kind = P11PROF_KIND_SIZE_QUERY;
    like_row(1, P11PROF_C_Finalize, 0);
    like_write(1);
    struct like_script script = like_made();
    assert_string_equal(script.name, "run 1 (program)");
    assert_int_equal(script.processes[0].thread_count, 2);
    assert_int_equal(script.processes[0].threads[0].start_ns, 0);
    assert_int_equal(script.processes[0].threads[1].start_ns, 300);
    assert_int_equal(like_nth(&script, 0, 0)->think_ns, 0);
    assert_int_equal(like_nth(&script, 0, 1)->function, P11PROF_C_GetSlotList);
    assert_int_equal(like_nth(&script, 0, 1)->kind, P11PROF_KIND_SIZE_QUERY);
    assert_int_equal(like_nth(&script, 0, 1)->think_ns, 250);
    assert_int_equal(like_nth(&script, 0, 2)->think_ns, 0);
    assert_int_equal(script.duration_ns, 550);
    like_counts_match(&script);
    like_script_clear(&script);
}

/* What others need is taken away after their ends, however late that was. */
static void taken_away_after_ends(void **state)
{
    (void)state;
    like_row(1, P11PROF_C_Initialize, 0);
    like_row(2, P11PROF_C_GetInfo, 200);
    like_row(2, P11PROF_C_GetInfo, 50000000);
    like_row(1, P11PROF_C_GetInfo, 60000000);
    like_row(2, P11PROF_C_GetInfo, 50000000);
    like_row(1, P11PROF_C_DestroyObject, 100000000);
    like_row(1, P11PROF_C_Finalize, 70);
    like_write(1);
    struct like_script script = like_made();
    assert_int_equal(like_nth(&script, 0, 1)->join_thread, 0);
    assert_int_equal(like_nth(&script, 0, 2)->join_thread, 2);
    assert_int_equal(like_nth(&script, 0, 2)->join_gap_ns, 59999700);
    assert_int_equal(like_nth(&script, 0, 3)->join_thread, 2);
    assert_int_equal(like_nth(&script, 0, 3)->join_gap_ns, 70);
    like_script_clear(&script);
}

static void sessions_are_places(void **state)
{
    (void)state;
    opens(1, HANDLE);
    opens(1, OTHER);
    closes(1, HANDLE);
    opens(1, HANDLE + 5);
    opens(2, HANDLE + 6);
    like_call_row(2, P11PROF_C_GetSessionInfo, OTHER, -1, -1);
    like_row(1, P11PROF_C_Finalize, 0);
    opens(1, OTHER);
    like_call_row(1, P11PROF_C_GetSessionInfo, 12345, -1, -1)->rv = CKR_SESSION_HANDLE_INVALID;
    like_call_row(1, P11PROF_C_GetSessionInfo, 555, -1, -1);
    like_write(1);
    struct like_script script = like_made();
    static const uint32_t first[] = {1, 2, 1, 1, 0, 1, 0, 4}, second[] = {3, 2};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        assert_int_equal(like_nth(&script, 0, i)->session, first[i]);
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++)
        assert_int_equal(like_nth(&script, 1, i)->session, second[i]);
    like_script_clear(&script);
}

static void close_all_is_of_a_slot(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        struct p11prof_row *row =
            like_call_row(1, P11PROF_C_OpenSession, HANDLE + (int64_t)i, -1, -1);
        row->slot_id = i;
        row->known |= P11PROF_ROW_SLOT;
    }
    struct p11prof_row *row = like_row(1, P11PROF_C_CloseAllSessions, 0);
    row->slot_id = 1;
    row->known |= P11PROF_ROW_SLOT;
    opens(1, OTHER + 5);
    like_call_row(1, P11PROF_C_GetSessionInfo, HANDLE, -1, -1);
    like_write(1);
    struct like_script script = like_made();
    assert_int_equal(like_nth(&script, 0, 3)->session, 2);
    assert_int_equal(like_nth(&script, 0, 4)->session, 1);
    like_script_clear(&script);
}

static void keys_by_use(void **state)
{
    (void)state;
    keyed(P11PROF_C_VerifyInit, CKM_ECDSA, 4, CKK_EC, 256);
    keyed(P11PROF_C_SignInit, CKM_ECDSA, 9, CKK_EC, 256);
    keyed(P11PROF_C_EncryptInit, CKM_AES_CBC, 5, CKK_AES, 128);
    like_call_row(1, P11PROF_C_GetAttributeValue, HANDLE, -1, 6);
    like_call_row(1, P11PROF_C_SignInit, HANDLE, CKM_RSA_PKCS, 7);
    like_row(1, P11PROF_C_Logout, 0);
    keyed(P11PROF_C_SignInit, CKM_ECDSA, 30, CKK_EC, 256);
    like_write(1);
    keyed(P11PROF_C_SignInit, CKM_ECDSA, 1, CKK_EC, 256);
    like_write(2);
    struct like_script script = like_made();
    assert_int_equal(script.object_count, 5);
    const struct like_object *objects = script.objects;
    assert_int_equal(objects[0].class, CKO_PUBLIC_KEY);
    assert_int_equal(objects[0].pair, 2);
    assert_int_equal(objects[1].class, CKO_PRIVATE_KEY);
    assert_int_equal(objects[1].pair, 1);
    assert_int_equal(objects[1].key_bits, 256);
    assert_int_equal(objects[1].uses, 1 << P11PROF_OPERATION_SIGN);
    assert_int_equal(objects[2].class, CKO_SECRET_KEY);
    assert_int_equal(objects[3].class, LIKE_UNKNOWN);
    assert_int_equal(objects[4].key_type, CKK_RSA);
    assert_int_equal(like_nth(&script, 0, 6)->object, 2);
    assert_int_equal(script.processes[1].threads[0].nodes[0].call.object, 2);
    like_script_clear(&script);
}

/* Rounds of a loop that makes keys look the same. */
static void made_objects(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct p11prof_row *row =
            like_call_row(1, P11PROF_C_GenerateKeyPair, HANDLE, CKM_EC_KEY_PAIR_GEN, -1);
        row->detail = 10 + 2 * i;
        row->known |= P11PROF_ROW_DETAIL;
        keyed(P11PROF_C_SignInit, CKM_ECDSA, 11 + 2 * i, CKK_EC, 384);
        keyed(P11PROF_C_DestroyObject, -1, 11 + 2 * i, CKK_EC, 384);
    }
    like_write(1);
    struct like_script script = like_made();
    assert_int_equal(script.object_count, 2);
    for (size_t i = 0; i < 9; i += 3) {
        uint32_t private = like_nth(&script, 0, i)->made[0];
        assert_int_equal(private, like_nth(&script, 0, 0)->made[0]);
        assert_int_equal(script.objects[private - 1].class, CKO_PRIVATE_KEY);
        assert_int_equal(script.objects[private - 1].key_bits, 384);
        assert_true(script.objects[private - 1].made);
        assert_int_equal(script.objects[private - 1].pair, like_nth(&script, 0, i)->made[1]);
        assert_int_equal(like_nth(&script, 0, i + 1)->object, private);
        assert_int_equal(like_nth(&script, 0, i + 2)->object, private);
    }
    like_script_clear(&script);
}

static void left_out(void **state)
{
    (void)state;
    like_row(1, P11PROF_C_Initialize, 0);
    like_row(1, P11PROF_C_InitToken, 30);
    like_row(1, P11PROF_C_Login, 20)->rv = CKR_PIN_INCORRECT;
    like_row(1, P11PROF_C_Login, 10)->rv = CKR_USER_ALREADY_LOGGED_IN;
    like_row(1, P11PROF_C_GetInfo, 0)->flags = P11PROF_ROW_NESTED;
    like_row(2, P11PROF_C_Initialize, 0);
    like_row(2, P11PROF_C_WaitForSlotEvent, 40)->kind = P11PROF_KIND_BLOCKING;
    like_row(2, P11PROF_C_GetInfo, 2);
    like_write(1);
    struct like_script script = like_made();
    assert_int_equal(script.left_out_count, 4);
    assert_int_equal(script.left_out[LIKE_PIN_CHANGED], 1);
    assert_int_equal(script.left_out[LIKE_LOGIN_FAILED], 1);
    assert_int_equal(script.left_out[LIKE_NESTED], 1);
    assert_int_equal(script.left_out[LIKE_WAITING], 1);
    assert_int_equal(like_nth(&script, 0, 1)->rv, CKR_USER_ALREADY_LOGGED_IN);
    assert_int_equal(like_nth(&script, 0, 1)->think_ns, 60);
    assert_int_equal(like_nth(&script, 1, 1)->think_ns, 142);
    like_counts_match(&script);
    like_script_clear(&script);
}

static void runs_without_rows(void **state)
{
    (void)state;
    like_refused("is not there");
    like_row(1, P11PROF_C_InitToken, 0);
    like_write(1);
    like_refused("no call that can be played");
    like_row(1, P11PROF_C_Initialize, 0);
    like_write(1);
    struct like_script script = like_made();
    assert_int_equal(script.missing_count, 0);
    like_script_clear(&script);
    sqlite3 *db = p11prof_store_sqlite(fixture_store);
    sqlite3_exec(db, "UPDATE process SET call_count = 9", NULL, NULL, NULL);
    script = like_made();
    assert_int_equal(script.missing_count, 7);
    like_script_clear(&script);
    sqlite3_exec(db, "DELETE FROM call; DELETE FROM segment", NULL, NULL, NULL);
    like_refused("does not keep its calls one by one");
}

/* An imported log has no durations. */
static void untimed(void **state)
{
    (void)state;
    like_row(1, P11PROF_C_Initialize, 0)->known |= P11PROF_ROW_UNTIMED;
    like_row(1, P11PROF_C_GetInfo, 5000)->known |= P11PROF_ROW_UNTIMED;
    like_write(1);
    struct like_script script = like_made();
    assert_true(script.untimed);
    assert_int_equal(script.duration_ns, 0);
    assert_int_equal(like_nth(&script, 0, 1)->think_ns, 0);
    like_script_clear(&script);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, like_setup, like_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(order_and_times),
        TEST(taken_away_after_ends),
        TEST(sessions_are_places),
        TEST(close_all_is_of_a_slot),
        TEST(keys_by_use),
        TEST(made_objects),
        TEST(left_out),
        TEST(runs_without_rows),
        TEST(untimed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
