/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Logs of pkcs11-spy: what is taken from them, and what is not. */
#include "import_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AT(second) "2026-03-01 10:00:" second "\n"
#define OK         "Returned:  0 CKR_OK\n\n"
#define BANNER                                                                                     \
    "\n\n*************** OpenSC PKCS#11 spy *****************\nLoaded: \"/usr/lib/m.so\"\n\n"
#define OPEN(n)                                                                                    \
    "0: C_OpenSession\n" AT("00.000") "[in] slotID = 0x5\n[in] flags = 0x6\n[out] *phSession = "   \
                                      "0x" n "\n" OK

static void imports(const char *text)
{
    if (import_text(text) != P11PROF_OK)
        fail_msg("%s", import_error.text);
}

static void refuses(const char *text, const char *reason)
{
    assert_int_equal(import_text(text), P11PROF_BAD_INPUT);
    assert_non_null(strstr(import_error.text, reason));
    fixture_expect("SELECT count(*) FROM run", "0");
    fixture_expect("SELECT count(*) FROM call", "0");
}

static void reads_a_real_log(void **state)
{
    size_t bytes;
    char *log = import_data("spy-0.23.log", &bytes);
    (void)state;
    assert_int_equal(import_bytes(P11PROF_IMPORT_UNKNOWN, log, bytes), P11PROF_OK);
    free(log);
    assert_int_equal(imported.call_count, 17);
    assert_int_equal(imported.odd_line_count, 0);
    assert_int_equal(imported.lost_count, 0);
    fixture_expect("SELECT count(*) FROM calls WHERE duration_ns IS NOT NULL", "0");
    fixture_expect("SELECT function || ' ' || kind FROM calls WHERE kind <> 'call'",
                   "C_GetSlotList size-query");
    fixture_expect("SELECT operation || ' ' || mechanism || ' ' || key_type || ' ' || key_bits "
                   "|| ' ' || call_count || ' ' || in_bytes || ' ' || out_bytes || ' ' || "
                   "(duration_ns IS NULL) || (elapsed_ns IS NULL) FROM operations "
                   "WHERE operation = 'sign'",
                   "sign CKM_SHA256_RSA_PKCS CKK_RSA 2048 2 27 256 11");
    fixture_expect(
        "SELECT state || ' ' || kind || ' ' || name || ' ' || duration_ns || ' ' || "
        "(host IS NULL) || (cpu IS NULL) || (clock IS NULL) || ' ' || token_label || ' ' "
        "|| options FROM runs",
        "finished profile imported 12000000 111 tok "
        "{\"imported\":{\"format\":\"pkcs11-spy\",\"file\":\"a.log\",\"started_at\":\"first "
        "call\"}}");
    fixture_expect("SELECT module_path || ' ' || (pid IS NULL) || (user IS NULL) || "
                   "(overhead_ns IS NULL) FROM processes",
                   "/usr/lib/softhsm/libsofthsm2.so 111");
    fixture_expect("SELECT count(*) FROM threads", "0");
    fixture_expect("SELECT count(*) FROM group_bucket", "0");
}

static void counts_without_times(void **state)
{
    (void)state;
    imports(OPEN("1") "1: C_Login\n" AT("00.000") "[in] hSession = 0x1\nReturned:  160 "
                                                  "CKR_PIN_INCORRECT\n\n");
    fixture_expect("SELECT function || ' ' || count || ' ' || error_count || ' ' || "
                   "(total_ns IS NULL) || (mean_ns IS NULL) || (min_ns IS NULL) || "
                   "(p50_ns IS NULL) FROM function_stats WHERE function = 'C_Login'",
                   "C_Login 1 1 1111");
    fixture_expect("SELECT rv || ' ' || count || ' ' || (total_ns IS NULL) || (max_ns IS NULL) "
                   "FROM errors",
                   "CKR_PIN_INCORRECT 1 11");
    fixture_expect("SELECT slot_id || ' ' || opened_ns || ' ' || (closed_ns IS NULL) FROM sessions",
                   "5 0 1");
}

static void knows_the_same_content(void **state)
{
    (void)state;
    imports(OPEN("1"));
    assert_int_equal(known_run, 0);
    imports(OPEN("1"));
    assert_int_equal(known_run, 1);
    imports(OPEN("2"));
    assert_int_equal(known_run, 0);
    fixture_expect("SELECT count(*) FROM runs", "2");
}

/* The same ids in every database: `merge` knows the run again. */
static void has_ids_of_its_content(void **state)
{
    char first[64];
    (void)state;
    imports(OPEN("1"));
    snprintf(
        first, sizeof first, "%s",
        fixture_text(fixture_store, "SELECT r.uuid || hex(p.uuid) FROM runs AS r, process AS p"));
    fixture_store_teardown(state);
    fixture_store_setup(state);
    imports(OPEN("1"));
    fixture_expect("SELECT substr(r.uuid || hex(p.uuid), 1, 63) FROM runs AS r, process AS p",
                   first);
}

static void takes_local_time(void **state)
{
    (void)state;
    setenv("TZ", "EST5", 1);
    tzset();
    imports(OPEN("1"));
    fixture_expect("SELECT started_at FROM runs", "2026-03-01T15:00:00.000Z");
    setenv("TZ", "UTC", 1);
    tzset();
}

static void clamps_a_clock_that_went_back(void **state)
{
    (void)state;
    imports(OPEN("1") "1: C_Logout\n2026-03-01 09:59:59.000\n[in] hSession = 0x1\n" OK
                      "2: C_Finalize\n" AT("01.500") OK);
    fixture_expect("SELECT group_concat(start_ns || ' ' || clamped, ', ') FROM calls",
                   "0 0, 0 1, 1500000000 0");
    fixture_expect("SELECT clamped_count FROM processes", "1");
}

static void parts_processes(void **state)
{
    (void)state;
    imports(BANNER OPEN("1") BANNER OPEN("1"));
    assert_int_equal(imported.process_count, 2);
    fixture_expect("SELECT count(*) || ' ' || count(DISTINCT process_id) FROM sessions", "2 2");
}

/* Since OpenSC 0.24 the log says process and thread. */
static void reads_processes_and_threads(void **state)
{
    (void)state;
    imports("0: C_OpenSession\nP:70; T:0x7f10\n" AT(
        "00.000") "[in] slotID = 0x5\n[out] *phSession "
                  "= 0x1\n" OK "0: C_OpenSession\nP:71; T:0x7f10\n" AT(
                      "00.001") "[in] slotID = 0x6\n[out] *phSession "
                                "= 0x1\n" OK "1: C_Logout\nP:70; T:0x8f10\n" AT(
                                    "00.002") "[in] hSession = 0x1\n" OK);
    fixture_expect(
        "SELECT group_concat(p.pid || ' ' || c.thread_id || ' ' || c.slot_id, ', ') FROM "
        "calls AS c JOIN processes AS p USING (process_id)",
        "70 1 5, 70 2 5, 71 1 6");
}

/* Workers of a server take turns: none of them ends by that. */
static void keeps_many_processes_apart(void **state)
{
    enum { PROCESSES = 300 };
    static char text[PROCESSES * 400];
    size_t used = 0;
    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < PROCESSES; i++)
            used += (size_t)snprintf(
                text + used, sizeof text - used, "%d: %s\nP:%d; T:0x7f10\n%s%s" OK, round,
                round ? "C_Sign" : "C_SignInit", 1000 + i, AT("00.000") "[in] hSession = 0x1\n",
                round ? "" : "[in] pMechanism->type = CKM_ECDSA\n[in] hKey = 0x2\n");
    imports(text);
    assert_int_equal(imported.process_count, PROCESSES);
    fixture_expect("SELECT count(*) || ' ' || count(DISTINCT process_id) || ' ' || "
                   "min(mechanism) FROM operations",
                   "300 300 CKM_ECDSA");
    fixture_expect("SELECT count(*) FROM calls WHERE thread_id IS NOT 1", "0");
}

#define MIXED(first, second)                                                                       \
    OPEN("1")                                                                                      \
    "1: C_Sign\n" AT("01.000") "[in] hSession = 0x1\n2: C_Verify\n" AT(                            \
        "01.001") "[in] hSession = 0x2\n" first second "3: C_Finalize\n" AT("02.000") OK

static void recovers_mixed_lines_of_one_result(void **state)
{
    (void)state;
    imports(MIXED("Returned:  0 CKR_OK\n", OK));
    assert_int_equal(imported.call_count, 4);
    assert_int_equal(imported.lost_count, 0);
    fixture_expect("SELECT group_concat(function || ' ' || rv || ' ' || start_ns || ' ' || "
                   "(session IS NULL), ', ') FROM calls WHERE start_ns BETWEEN 1 AND 1999999999",
                   "C_Sign CKR_OK 1000000000 1, C_Verify CKR_OK 1001000000 1");
}

static void counts_mixed_lines_of_two_results(void **state)
{
    (void)state;
    imports(MIXED("Returned:  192 CKR_SIGNATURE_INVALID\n", OK));
    assert_int_equal(imported.call_count, 2);
    assert_int_equal(imported.lost_count, 2);
    fixture_expect("SELECT call_count || ' ' || lost_count FROM runs", "4 2");
    fixture_expect("SELECT group_concat(function || ' ' || cause, ', ') FROM losses",
                   "C_Sign torn, C_Verify torn");
}

/* Two threads that never pause: there is always a call without a result. */
static void recovers_a_long_line_of_mixed_calls(void **state)
{
    static char text[400000];
    size_t used = 0;
    (void)state;
    for (int i = 0; i <= 1000; i++) {
        if (i < 1000)
            used +=
                (size_t)snprintf(text + used, sizeof text - used, "%d: C_Sign\n" AT("00.001"), i);
        if (i > 0)
            used += (size_t)snprintf(text + used, sizeof text - used, OK);
    }
    assert_int_equal(import_text(text), P11PROF_OK);
    assert_int_equal(imported.call_count, 1000);
    assert_int_equal(imported.lost_count, 0);
}

/* It waits for minutes while other threads go on. */
static void lets_a_wait_be(void **state)
{
    (void)state;
    imports("0: C_WaitForSlotEvent\n" AT("00.000") "[in] flags = 0x0\n" OPEN(
        "1") "2: C_Logout\n" AT("01.000") "[in] hSession = 0x1\n" OK
                                          "Returned:  5 CKR_GENERAL_ERROR\n");
    assert_int_equal(imported.lost_count, 0);
    fixture_expect("SELECT group_concat(function || ' ' || kind || ' ' || rv, ', ') FROM calls",
                   "C_OpenSession call CKR_OK, C_Logout call CKR_OK, "
                   "C_WaitForSlotEvent blocking CKR_GENERAL_ERROR");
}

static void counts_what_is_cut_off(void **state)
{
    (void)state;
    imports(OPEN("1") "1: C_Login\n" AT("01.000") "[in] hSession = 0x1\n");
    assert_int_equal(imported.call_count, 1);
    assert_int_equal(imported.lost_count, 1);
    fixture_expect("SELECT function FROM losses", "C_Login");
}

static void counts_odd_lines(void **state)
{
    (void)state;
    imports("some program says hello\n" OPEN("1") "warning of the program\nReturned:  0 CKR_OK\n"
                                                  "9: C_NoSuchFunction\n");
    assert_int_equal(imported.call_count, 1);
    assert_int_equal(imported.odd_line_count, 4);
    assert_int_equal(imported.first_odd_line, 1);
}

static void finds_kinds(void **state)
{
    (void)state;
    imports(OPEN("1") "1: C_DigestInit\n" AT(
        "00.001") "[in] hSession = 0x1\n[in] pMechanism->type = "
                  "CKM_SHA256  \n" OK "2: C_Digest\n" AT(
                      "00.001") "[in] hSession = 0x1\n[in] pData[ulDataLen] "
                                "00007ffd / 5\n    00000000  41 41 41 41 41  "
                                "AAAAA\n[out] pDigest[*pulDigestLen] NULL [size "
                                ": 0x20 (32)]\n" OK "3: C_Login\n" AT(
                                    "00.002") "[in] hSession = 0x1\n[in] pPin[ulPinLen] NULL "
                                              "[size : 0x0 (0)]\n" OK "4: C_GetAttributeValue\n" AT(
                                                  "00.003") "[in] hSession = 0x1\n[in] hObject = "
                                                            "0x4\n[in] pTemplate[1]: \n    "
                                                            "CKA_VALUE 0000000000000000 / 0\n" OK);
    fixture_expect("SELECT group_concat(function || ' ' || kind, ', ') FROM calls WHERE kind <> "
                   "'call'",
                   "C_Digest size-query, C_Login blocking, C_GetAttributeValue size-query");
}

static void learns_keys(void **state)
{
    (void)state;
    imports(OPEN("1") "1: C_GenerateKey\n" AT(
        "00.001") "[in] hSession = 0x1\n[in] pMechanism->type = "
                  "CKM_AES_KEY_GEN\n[in] pTemplate[2]: \n    "
                  "CKA_KEY_TYPE          CKK_AES\n    "
                  "CKA_VALUE_LEN         00007ffe / 8\n    "
                  "00000000  20 00 00 00 00 00 00 00   "
                  ".......\n[out] hKey = 0x2\n" OK "2: C_EncryptInit\n" AT(
                      "00.001") "[in] hSession = 0x1\n[in] pMechanism->type = "
                                "CKM_AES_GCM\n[in] hKey = 0x2\n" OK "3: C_GenerateKeyPair\n" AT(
                                    "00.002") "[in] hSession = 0x1\n[in] pMechanism->type = "
                                              "CKM_EC_KEY_PAIR_GEN\n[in] pPublicKeyTemplate[1]: \n "
                                              "   "
                                              "CKA_EC_PARAMS         000055e1 / 10\n    00000000  "
                                              "06 08 2A 86 "
                                              "48 CE 3D 03 01 07      ..*.H.=...\n[in] "
                                              "pPrivateKeyTemplate[1]: \n    CKA_KEY_TYPE          "
                                              "CKK_EC\n"
                                              "[out] hPublicKey = 0x3\n[out] hPrivateKey = 0x4\n" OK
                                              "4: C_SignInit\n" AT(
                                                  "00.003") "[in] hSession = 0x1\n[in] "
                                                            "pMechanism->type = "
                                                            "CKM_ECDSA\n[in] hKey = 0x4\n" OK);
    fixture_expect("SELECT key_type || ' ' || key_bits FROM calls WHERE function = 'C_EncryptInit'",
                   "CKK_AES 256");
    fixture_expect("SELECT key_type || ' ' || key_bits FROM calls WHERE function = 'C_SignInit'",
                   "CKK_EC 256");
}

/* Of some mechanisms the spy prints members of the parameter without an end of the line. */
static void reads_behind_parameters(void **state)
{
    (void)state;
    imports(OPEN("1") "1: C_DeriveKey\n" AT(
        "00.001") "[in] hSession = 0x1\n[in] pMechanism->type = "
                  "CKM_ECDH1_DERIVE\n"
                  "[in] pMechanism->pParameter->kdf = CKD_NULL\n"
                  "pMechanism->pParameter->publicKey = 5[in] "
                  "hBaseKey = 0x7\n[out] hKey = 0x8\n" OK
                  "2: C_Logout\nP:70; T:0x7f10 2026-03-01 10:00:02.000\n[in] hSession = 0x1\n" OK);
    assert_int_equal(imported.odd_line_count, 0);
    fixture_expect("SELECT (key_id IS NOT NULL) || ' ' || mechanism FROM calls "
                   "WHERE function = 'C_DeriveKey'",
                   "1 CKM_ECDH1_DERIVE");
    fixture_expect("SELECT start_ns FROM calls WHERE function = 'C_Logout'", "2000000000");
}

/* Else the database would be the log of a padding oracle. */
static void discloses_no_decryption(void **state)
{
    (void)state;
    imports(OPEN("1") "1: C_DecryptInit\n" AT(
        "00.001") "[in] hSession = 0x1\n[in] pMechanism->type "
                  "= CKM_RSA_PKCS\n[in] hKey = 0x2\n" OK
                  "2: C_Decrypt\n" AT("00.001") "[in] hSession = 0x1\n[in] "
                                                "pEncryptedData[ulEncryptedDataLen] 00007ffe / "
                                                "256\nReturned:  64 "
                                                "CKR_ENCRYPTED_DATA_INVALID\n");
    fixture_expect("SELECT rv || ' ' || (rv_code IS NULL) || (out_bytes IS NULL) FROM calls WHERE "
                   "function = 'C_Decrypt'",
                   "undisclosed 11");
    fixture_expect("SELECT count(*) FROM errors", "0");
}

static void refuses_what_is_no_log(void **state)
{
    (void)state;
    refuses("", "empty");
    refuses("\xEF\xBB\xBF", "empty");
    refuses("\x1f\x8b\x08", "compressed: 'gzip -dc FILE | p11prof import -'");
    refuses("\xff\xfe{", "UTF-16: 'iconv -f UTF-16 -t UTF-8 FILE | p11prof import -'");
    refuses("hello\n", "neither a log");
    refuses(BANNER, "no call");
    refuses("\n: C_Sign\n", "neither a log");
    assert_int_equal(import_bytes(P11PROF_IMPORT_SPY, "hello\n", 6), P11PROF_BAD_INPUT);
}

/* A line of 200 KB, bytes of any value, numbers that no type holds. */
static void survives_hostile_lines(void **state)
{
    static char text[400000];
    (void)state;
    size_t used = (size_t)snprintf(text, sizeof text, "%s", OPEN("1"));
    memset(text + used, 'A', 200000);
    used += 200000;
    used += (size_t)snprintf(
        text + used, sizeof text - used,
        "\n1: C_GetTokenInfo\n" AT(
            "00.001") "[in] slotID = 0xffffffffffffffffffff\n      label:   "
                      "'\x1b[31mred'\n" OK "2: C_Sign\n" AT(
                          "00.002") "[in] hSession = 0x1\n[in] pData[ulDataLen] 1 / "
                                    "99999999999999999999\n[in] ] = [\n[out] [ / \nReturned:  "
                                    "99999999999999999999 X\n"
                                    "3: C_GetTokenInfo\n" AT(
                                        "00.003") "[in] slotID = 0x5\n      label:   "
                                                  "'\x1b[31mred'\n" OK);
    for (int i = 1; i < 256; i++)
        text[used++] = (char)i;
    text[used++] = '\0';
    text[used++] = '\n';
    assert_int_equal(import_bytes(P11PROF_IMPORT_UNKNOWN, text, used), P11PROF_OK);
    assert_int_equal(imported.call_count, 4);
    fixture_expect("SELECT token_label FROM runs", "?[31mred");
}

static void reads_codes_of_32_bits(void **state)
{
    (void)state;
    imports("0: C_Initialize\n" AT("00.000") "Returned:  -2147483647 Unknown error\n");
    fixture_expect("SELECT printf('%X', rv_code) FROM calls", "80000001");
}

/* As programs of other systems write it when they save a text. */
static void lets_a_byte_order_mark_be(void **state)
{
    (void)state;
    imports("\xEF\xBB\xBF" OPEN("1"));
    assert_int_equal(imported.call_count, 1);
    assert_int_equal(imported.odd_line_count, 0);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_store_setup, fixture_store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_real_log),
        TEST(counts_without_times),
        TEST(knows_the_same_content),
        TEST(has_ids_of_its_content),
        TEST(takes_local_time),
        TEST(clamps_a_clock_that_went_back),
        TEST(parts_processes),
        TEST(reads_processes_and_threads),
        TEST(keeps_many_processes_apart),
        TEST(recovers_mixed_lines_of_one_result),
        TEST(counts_mixed_lines_of_two_results),
        TEST(recovers_a_long_line_of_mixed_calls),
        TEST(lets_a_wait_be),
        TEST(counts_what_is_cut_off),
        TEST(counts_odd_lines),
        TEST(lets_a_byte_order_mark_be),
        TEST(reads_codes_of_32_bits),
        TEST(finds_kinds),
        TEST(learns_keys),
        TEST(reads_behind_parameters),
        TEST(discloses_no_decryption),
        TEST(refuses_what_is_no_log),
        TEST(survives_hostile_lines),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
