/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the wrappers make of arguments and answers: values, flags and notes. */
#include "facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

/* --- where notes and texts go --- */

static struct {
    uint64_t head;
    uint64_t words[7];
} notes[64];
static unsigned note_count;
static struct p11prof_spool_header *spool_header;

void p11prof_frame_append_slow(struct p11prof_frame *frame, uint64_t head, const uint64_t words[7])
{
    (void)frame;
    notes[note_count].head = head;
    memcpy(notes[note_count].words, words, 7 * sizeof *words);
    note_count++;
}

struct p11prof_spool_header *p11prof_spool_current(void);
struct p11prof_spool_header *p11prof_spool_current(void)
{
    return spool_header;
}

struct p11prof_process_page p11prof_process_page;
__thread struct p11prof_thread p11prof_thread;

struct p11prof_ring *p11prof_thread_enter(unsigned function)
{
    (void)function;
    return NULL;
}

static void *dangling(void)
{
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page, 4096);
    return page;
}

static struct p11prof_object_note object_note(unsigned i, unsigned kind, uint32_t known)
{
    struct p11prof_object_note note;
    assert_in_range(i, 0, note_count - 1);
    assert_int_equal(p11prof_head_kind(notes[i].head), kind);
    assert_int_equal(p11prof_head_flags(notes[i].head), known);
    memcpy(&note, notes[i].words, sizeof note);
    return note;
}

/* --- values --- */

static void test_lengths(void **state)
{
    (void)state;
    CK_ULONG length = 42;
    assert_int_equal(p11prof_length(&length, CKR_OK), 42);
    assert_int_equal(p11prof_length(&length, CKR_BUFFER_TOO_SMALL), 42);
    assert_int_equal(p11prof_length(&length, CKR_DEVICE_ERROR), P11PROF_UNKNOWN_VALUE);
    assert_int_equal(p11prof_length(dangling(), CKR_DEVICE_ERROR), P11PROF_UNKNOWN_VALUE);
    assert_int_equal(p11prof_length(NULL, CKR_OK), P11PROF_UNKNOWN_VALUE);
    assert_int_equal(p11prof_length((CK_ULONG *)1, CKR_OK), P11PROF_UNKNOWN_VALUE);
    assert_int_equal(p11prof_length((CK_ULONG *)-8, CKR_OK), P11PROF_UNKNOWN_VALUE);
    assert_int_equal(p11prof_length((CK_ULONG *)0xdeadbeefdeadbeef, CKR_OK), P11PROF_UNKNOWN_VALUE);
}

static void test_handles(void **state)
{
    (void)state;
    CK_ULONG handle = 7, none = UINT64_MAX;
    assert_int_equal(p11prof_handle(&handle, CKR_OK), 7);
    assert_int_equal(p11prof_handle(&handle, CKR_BUFFER_TOO_SMALL), 0);
    assert_int_equal(p11prof_handle(&none, CKR_OK), 0);
    assert_int_equal(p11prof_handle(NULL, CKR_OK), 0);
    assert_int_equal(p11prof_handle(dangling(), CKR_GENERAL_ERROR), 0);
}

static void test_mechanisms(void **state)
{
    (void)state;
    struct p11prof_frame frame = {.function = P11PROF_C_SignInit};
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    assert_int_equal(p11prof_mechanism_of(&frame, CKR_OK, &mechanism), CKM_ECDSA);
    assert_int_equal(p11prof_mechanism_of(&frame, CKR_MECHANISM_INVALID, &mechanism), CKM_ECDSA);
    assert_int_equal(p11prof_mechanism_of(&frame, CKR_ARGUMENTS_BAD, NULL), P11PROF_UNKNOWN_VALUE);
    assert_int_equal(p11prof_mechanism_of(&frame, CKR_ARGUMENTS_BAD, dangling()),
                     P11PROF_UNKNOWN_VALUE);
    frame.function = P11PROF_C_UnwrapKey;
    assert_int_equal(p11prof_mechanism_of(&frame, CKR_OK, dangling()), P11PROF_UNKNOWN_VALUE);
}

static void test_function_names(void **state)
{
    (void)state;
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + 4096, 4096);
    char *end = pages + 4096 - sizeof "C_Sign";
    memcpy(end, "C_Sign", sizeof "C_Sign");
    assert_int_equal(p11prof_function_at((CK_UTF8CHAR *)end), P11PROF_C_Sign);
    end[6] = 'X'; /* goes on into nothing */
    assert_int_equal(p11prof_function_at((CK_UTF8CHAR *)end), 0);
    assert_int_equal(p11prof_function_at(NULL), 0);
    assert_int_equal(p11prof_function_at((CK_UTF8CHAR *)"C_SignOrSomethingThatIsMuchLongerThanAny"),
                     0);
}

static void test_curves(void **state)
{
    (void)state;
    static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    static const uint8_t ed448[] = {0x06, 0x03, 0x2b, 0x65, 0x71};
    static const uint8_t named[] = "\x13\x0c"
                                   "edwards25519";
    assert_int_equal(p11prof_curve_bits(p256, sizeof p256), 256);
    assert_int_equal(p11prof_curve_bits(p256, sizeof p256 - 1), 0);
    assert_int_equal(p11prof_curve_bits(ed448, sizeof ed448), 448);
    assert_int_equal(p11prof_curve_bits(named, sizeof named - 1), 255);
    assert_int_equal(p11prof_curve_bits(named, 0), 0);
}

/* --- notes --- */

static void test_made(void **state)
{
    (void)state;
    struct p11prof_frame frame = {.function = P11PROF_C_GenerateKey};
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_ULONG bytes = 32;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                               {CKA_KEY_TYPE, &type, sizeof type},
                               {CKA_VALUE_LEN, &bytes, sizeof bytes}};
    note_count = 0;
    p11prof_note_made(&frame, CKR_OK, 5, template, 3);
    struct p11prof_object_note note =
        object_note(0, P11PROF_RECORD_OBJECT,
                    P11PROF_OBJECT_MADE | P11PROF_OBJECT_CLASS | P11PROF_OBJECT_KEY_TYPE |
                        P11PROF_OBJECT_KEY_BITS);
    assert_int_equal(note.handle, 5);
    assert_int_equal(note.class, CKO_SECRET_KEY);
    assert_int_equal(note.key_type, CKK_AES);
    assert_int_equal(note.key_bits, 256);
    p11prof_note_made(&frame, CKR_TEMPLATE_INCONSISTENT, 0, template, 3);
    assert_int_equal(note_count, 1);
}

/* The same records whether a key was unwrapped or not: only the handle differs. */
static void test_made_undisclosed(void **state)
{
    (void)state;
    struct p11prof_frame frame = {.function = P11PROF_C_UnwrapKey};
    note_count = 0;
    p11prof_note_made(&frame, CKR_OK, 5, NULL, 0);
    p11prof_note_made(&frame, CKR_WRAPPED_KEY_INVALID, 0, dangling(), 3);
    assert_int_equal(note_count, 2);
    assert_int_equal(notes[0].head, notes[1].head);
}

static void test_pair(void **state)
{
    (void)state;
    struct p11prof_frame frame = {.function = P11PROF_C_GenerateKeyPair};
    CK_ULONG bits = 3072;
    CK_ATTRIBUTE public[] = {{CKA_MODULUS_BITS, &bits, sizeof bits}};
    CK_ATTRIBUTE private[] = {{CKA_LABEL, "label", 5}};
    note_count = 0;
    p11prof_note_pair_made(&frame, CKR_OK, 5, public, 1, 6, private, 1);
    assert_int_equal(note_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        struct p11prof_object_note note =
            object_note(i, P11PROF_RECORD_OBJECT, P11PROF_OBJECT_MADE | P11PROF_OBJECT_KEY_BITS);
        assert_int_equal(note.handle, 5 + i);
        assert_int_equal(note.key_bits, 3072);
    }
}

static void test_secret_value_length(void **state)
{
    (void)state;
    struct p11prof_frame frame = {.function = P11PROF_C_CreateObject};
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_ATTRIBUTE template[] = {{CKA_VALUE, "0123456789abcdef", 16},
                               {CKA_CLASS, &class, sizeof class}};
    note_count = 0;
    p11prof_note_made(&frame, CKR_OK, 5, template, 2);
    assert_int_equal(
        object_note(0, P11PROF_RECORD_OBJECT,
                    P11PROF_OBJECT_MADE | P11PROF_OBJECT_CLASS | P11PROF_OBJECT_KEY_BITS)
            .key_bits,
        128);
    class = CKO_CERTIFICATE;
    p11prof_note_made(&frame, CKR_OK, 5, template, 2);
    object_note(1, P11PROF_RECORD_OBJECT, P11PROF_OBJECT_MADE | P11PROF_OBJECT_CLASS);
}

static void test_read(void **state)
{
    (void)state;
    struct p11prof_frame frame = {.function = P11PROF_C_GetAttributeValue};
    CK_ATTRIBUTE lengths[] = {{CKA_MODULUS, NULL, 256}, {CKA_LABEL, NULL, 4}};
    CK_ATTRIBUTE hidden[] = {{CKA_MODULUS, NULL, CK_UNAVAILABLE_INFORMATION}};
    note_count = 0;
    p11prof_note_read(&frame, CKR_OK, 9, lengths, 2);
    struct p11prof_object_note note =
        object_note(0, P11PROF_RECORD_OBJECT, P11PROF_OBJECT_KEY_BITS);
    assert_int_equal(note.handle, 9);
    assert_int_equal(note.key_bits, 2048);
    lengths[0].ulValueLen = 257; /* with a leading zero */
    p11prof_note_read(&frame, CKR_ATTRIBUTE_SENSITIVE, 9, lengths, 2);
    assert_int_equal(object_note(1, P11PROF_RECORD_OBJECT, P11PROF_OBJECT_KEY_BITS).key_bits, 2048);
    p11prof_note_read(&frame, CKR_OK, 9, hidden, 1);
    p11prof_note_read(&frame, CKR_OK, 9, lengths + 1, 1);
    p11prof_note_read(&frame, CKR_OBJECT_HANDLE_INVALID, 9, lengths, 2);
    p11prof_note_read(&frame, CKR_ATTRIBUTE_TYPE_INVALID, 9, dangling(), 2);
    assert_int_equal(note_count, 2);
}

static void test_found(void **state)
{
    (void)state;
    struct p11prof_frame frame = {.function = P11PROF_C_FindObjects};
    CK_OBJECT_HANDLE handles[1000];
    for (size_t i = 0; i < 1000; i++)
        handles[i] = i + 1;
    note_count = 0;
    p11prof_note_found(&frame, CKR_OK, handles, 9, 1000);
    assert_int_equal(note_count, 2);
    assert_int_equal(p11prof_head_depth(notes[0].head), 7);
    assert_int_equal(p11prof_head_depth(notes[1].head), 2);
    assert_int_equal(notes[1].words[1], 9);
    p11prof_note_found(&frame, CKR_OK, handles, P11PROF_UNKNOWN_VALUE, 1000);
    p11prof_note_found(&frame, CKR_OPERATION_NOT_INITIALIZED, handles, 9, 1000);
    assert_int_equal(note_count, 2);
    p11prof_note_found(&frame, CKR_OK, handles, 1000, 1000);
    assert_int_equal(note_count, 2 + 37); /* 256 of them */
}

static void test_asks_lengths(void **state)
{
    (void)state;
    struct p11prof_frame frame = {.function = P11PROF_C_GetAttributeValue};
    char value[4];
    CK_ATTRIBUTE template[] = {{CKA_ID, NULL, 0}, {CKA_LABEL, value, 4}};
    assert_true(p11prof_asks_lengths(&frame, CKR_OK, template, 1));
    assert_false(p11prof_asks_lengths(&frame, CKR_OK, template, 2));
    assert_false(p11prof_asks_lengths(&frame, CKR_OK, template, 0));
    assert_false(p11prof_asks_lengths(&frame, CKR_OK, NULL, 2));
    assert_false(p11prof_asks_lengths(&frame, CKR_OK, template, UINT64_MAX));
}

static void test_texts(void **state)
{
    (void)state;
    CK_TOKEN_INFO info = {.firmwareVersion = {1, 2}};
    memset(info.label, 'a', sizeof info.label);
    spool_header = calloc(1, sizeof *spool_header);
    p11prof_keep_token(CKR_OK, 3, &info);
    p11prof_keep_token(CKR_OK, 3, &info); /* nothing new */
    assert_int_equal(spool_header->tokens[0].version, 2);
    assert_int_equal(spool_header->tokens[0].slot_id, 3);
    assert_int_equal(spool_header->tokens[0].label[31], 'a');
    assert_int_equal(spool_header->tokens[0].firmware_minor, 2);
    info.label[0] = 'b';
    p11prof_keep_token(CKR_OK, 3, &info);
    assert_int_equal(spool_header->tokens[0].version, 4);
    p11prof_keep_token(CKR_TOKEN_NOT_PRESENT, 4, &info);
    assert_int_equal(spool_header->tokens[1].version, 0);
    for (CK_SLOT_ID slot = 100; slot < 200; slot++)
        p11prof_keep_token(CKR_OK, slot, &info);
    free(spool_header);
    spool_header = NULL;
    p11prof_keep_token(CKR_OK, 3, &info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_mechanisms),
        cmocka_unit_test(test_function_names),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_made_undisclosed),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_secret_value_length),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_asks_lengths),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
