/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Scripts as files: what is printed is read again as it was; what is wrong is said with its place.
 */
#include "like_fixture.h"

#include "p11prof/batch.h"

#include <stdlib.h>
#include <string.h>

static uint64_t seed = 4711;

static uint64_t draw(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

/* Any amount, small or large. */
static int64_t draw_amount(void)
{
    uint64_t value = draw(UINT64_C(1) << 31) << 31 | draw(UINT64_C(1) << 31);
    return (int64_t)(value >> draw(62));
}

/* --- there and back --- */

static char *printed(const struct like_script *script, size_t *bytes)
{
    char *text;
    FILE *stream = open_memstream(&text, bytes);
    assert_non_null(stream);
    like_script_print(script, stream);
    fclose(stream);
    return text;
}

static void there_and_back(const struct like_script *script)
{
    size_t bytes;
    char *text = printed(script, &bytes);
    struct like_script again;
    struct p11prof_error error = {0};
    assert_true(like_script_is(text, bytes));
    if (like_script_parse(&again, text, bytes, "script.toml", &error) != P11PROF_OK)
        fail_msg("%s\n%.2000s", error.text, text);
    if (!like_same(script, &again))
        fail_msg("not the same:\n%.4000s", text);
    like_script_clear(&again);
    free(text);
}

/* That the thread may wait for; 0: none. */
static uint64_t other_thread;

static struct like_call draw_call(const struct like_script *script)
{
    static const int64_t mechanisms[] = {LIKE_UNKNOWN, CKM_ECDSA,  CKM_AES_CBC,
                                         CKM_RSA_PKCS, 0x80001234, 0x7fffffff};
    struct like_call call = {.function = 1 + (unsigned)draw(P11PROF_CALLS),
                             .kind = (unsigned)draw(4),
                             .mechanism = mechanisms[draw(6)],
                             .session = (uint32_t)draw(9),
                             .object = (uint32_t)draw(script->object_count + 1),
                             .in_bytes = draw(2) ? draw_amount() : LIKE_UNKNOWN,
                             .out_bytes = draw(2) ? draw_amount() : LIKE_UNKNOWN,
                             .item_count = draw(4) ? LIKE_UNKNOWN : draw_amount(),
                             .user = draw(9) ? LIKE_UNKNOWN : (int64_t)draw(5),
                             .flags = draw(4) ? LIKE_UNKNOWN : draw_amount(),
                             .rv = draw(4) ? CKR_OK : (CK_RV)draw(0x200) | draw(2) << 31,
                             .think_ns = draw(3) ? (uint64_t)draw_amount() : 0};
    if (other_thread && draw(9) == 0) {
        call.join_thread = other_thread;
        call.join_gap_ns = (uint64_t)draw_amount();
        call.join_count = 1 + (uint64_t)draw(3);
    }
    for (size_t i = 0; i < script->object_count && draw(4) == 0; i++)
        if (script->objects[i].made && (call.made[0] == 0 || call.made[1] == 0))
            call.made[call.made[0] != 0] = script->objects[i].number;
    return call;
}

static struct like_node *draw_nodes(const struct like_script *script, unsigned depth, size_t *count,
                                    uint64_t times)
{
    *count = 1 + draw(5);
    struct like_node *nodes = calloc(*count, sizeof *nodes);
    for (size_t i = 0; i < *count; i++) {
        nodes[i].times = draw(3) ? 1 : 1 + draw(5);
        if (depth < LIKE_DEPTH_MOST && times < 1000 && draw(4) == 0)
            nodes[i].nodes = draw_nodes(script, depth + 1, &nodes[i].count, times * nodes[i].times);
        else
            nodes[i].call = draw_call(script);
    }
    return nodes;
}

static void draw_objects(struct like_script *script)
{
    static const int64_t classes[] = {LIKE_UNKNOWN, CKO_SECRET_KEY, CKO_DATA, 0x80000001};
    script->object_count = draw(8);
    script->objects = calloc(script->object_count + 1, sizeof *script->objects);
    for (size_t i = 0; i < script->object_count; i++) {
        script->objects[i] = (struct like_object){
            .number = (uint32_t)i + 1,
            .class = classes[draw(4)],
            .key_type = draw(2) ? (int64_t)CKK_AES : LIKE_UNKNOWN,
            .key_bits = draw(2) ? (int64_t)draw(5000) : LIKE_UNKNOWN,
            .uses = draw(2) ? 1U << P11PROF_OPERATION_SIGN | 1U << P11PROF_OPERATION_DIGEST : 0,
            .made = draw(2)};
        if (i % 2 == 1 && draw(2)) {
            script->objects[i].pair = (uint32_t)i;
            script->objects[i - 1].pair = (uint32_t)i + 1;
        }
    }
}

static void drawn_scripts(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct like_script script = {.name = "run 7 (a \"b\" \\ \xC3\xA9)",
                                     .origin = "a\tb",
                                     .duration_ns = (uint64_t)draw_amount(),
                                     .missing_count = draw(3),
                                     .untimed = draw(2)};
        uint64_t counts[P11PROF_CALLS + 1] = {0};
        script.left_out_count = script.left_out[draw(LIKE_REASONS)] = draw(4);
        draw_objects(&script);
        script.process_count = 1 + draw(3);
        script.processes = calloc(script.process_count, sizeof *script.processes);
        for (size_t i = 0; i < script.process_count; i++) {
            struct like_process *process = &script.processes[i];
            process->start_ns = (uint64_t)draw_amount();
            process->thread_count = 1 + draw(3);
            if (i > 0 && draw(2))
                process->anchor = (struct like_anchor){(uint32_t)draw(i) + 1, 1, draw(2),
                                                       (uint64_t)draw_amount()};
            process->threads = calloc(process->thread_count, sizeof *process->threads);
            for (size_t j = 0; j < process->thread_count; j++) {
                other_thread = j > 0 ? 1 : process->thread_count > 1 ? 2 : 0;
                process->threads[j].start_ns = (uint64_t)draw_amount();
                if (j > 0 && draw(2))
                    process->threads[j].anchor = (struct like_anchor){
                        (uint32_t)i + 1, (uint32_t)draw(j) + 1, draw(2), (uint64_t)draw_amount()};
                process->threads[j].nodes = draw_nodes(&script, 0, &process->threads[j].count, 1);
            }
        }
        like_script_count(&script, counts);
        for (unsigned i = 0; i <= P11PROF_CALLS; i++)
            script.call_count += counts[i];
        there_and_back(&script);
        like_script_clear(&script);
    }
}

/* Of a recording, with what is in one: sizes, sessions, objects, results, times. */
static void recorded_script(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        like_call_row(1, P11PROF_C_OpenSession, 100 + i, -1, -1)->detail = 6;
        like_call_row(1, P11PROF_C_SignInit, 100 + i, CKM_ECDSA, 1);
        like_call_row(1, P11PROF_C_Sign, 100 + i, 0x80000001, 1)->rv = CKR_DEVICE_ERROR;
        like_row(1, P11PROF_C_Login, draw(1u << 30))->rv = CKR_PIN_LOCKED;
        like_row(2, P11PROF_C_GetInfo, draw(1u << 30));
    }
    like_write(1);
    struct like_script script = like_made();
    there_and_back(&script);
    like_script_clear(&script);
}

/* --- what is wrong --- */

#define HEAD    "script = 1\n"
#define OBJECTS "objects = [\n{ number = 1 },\n{ number = 2, made = true } ]\n"
#define THREAD  "[[processes]]\n[[processes.threads]]\n"

static enum p11prof_status parse(const char *text, struct p11prof_error *error)
{
    struct like_script script;
    enum p11prof_status status = like_script_parse(&script, text, strlen(text), "s.toml", error);
    like_script_clear(&script);
    return status;
}

static void good(const char *text)
{
    struct p11prof_error error = {0};
    if (parse(text, &error) != P11PROF_OK)
        fail_msg("%s", error.text);
}

static void bad(const char *text, const char *message)
{
    struct p11prof_error error = {0};
    assert_int_equal(parse(text, &error), P11PROF_BAD_INPUT);
    if (strcmp(error.text, message) != 0)
        fail_msg("\"%s\" instead of \"%s\"", error.text, message);
}

static void mistakes(void **state)
{
    (void)state;
    good(HEAD OBJECTS THREAD "calls = [ { call = \"C_Sign\", in = \"10KB\", object = 2 } ]");
    bad("script = 2\nname = 4\n", "s.toml:1:10: script wants 1: this p11prof knows no other");
    bad("name = \"a\"\n" THREAD "calls = [ { call = \"C_Sign\" } ]",
        "s.toml:1:1: script = 1 is missing");
    bad(HEAD, "s.toml:1:1: there are no [[processes]] with threads and calls");
    bad(HEAD "nam = \"a\"\n", "s.toml:2:1: a script has no 'nam'; did you mean 'name'?");
    bad(HEAD "processes = 3\n", "s.toml:2:13: processes wants a table or a list");
    bad(HEAD "[[processes]]\nstart = \"1s\"\n", "s.toml:2:1: this process has no threads");
    bad(HEAD THREAD "start = \"1s\"\n", "s.toml:3:1: this thread has no calls");
    bad(HEAD THREAD "calls = []\n", "s.toml:4:9: calls has none");
    bad(HEAD THREAD "calls = [ { call = \"C_Sing\" } ]",
        "s.toml:4:20: call is not 'C_Sing'; did you mean 'C_Sign'?");
    bad(HEAD THREAD "calls = [\n  { call = \"C_Sign\", mechanism = \"CKM_ECDS\" } ]",
        "s.toml:5:34: mechanism is not 'CKM_ECDS'; did you mean 'CKM_ECDSA'?");
    bad(HEAD THREAD "calls = [ { call = \"C_Sign\", thinks = \"1s\" } ]",
        "s.toml:4:30: a call has no 'thinks'; did you mean 'think'?");
    bad(HEAD THREAD "calls = [ { call = \"C_Sign\", think = 3 } ]",
        "s.toml:4:38: think wants a time (\"1.25ms\", \"10s\", \"0ns\")");
    bad(HEAD THREAD "calls = [ { call = \"C_Sign\", in = -1 } ]",
        "s.toml:4:35: in wants a number from 0 to 9223372036854775807");
    bad(HEAD THREAD "calls = [ { repeat = 3 } ]",
        "s.toml:4:11: this is neither a call nor a repeat of calls");
    bad(HEAD THREAD "calls = [ { call = \"C_Sign\", calls = [ { call = \"C_Sign\" } ] } ]",
        "s.toml:4:11: this is neither a call nor a repeat of calls, but both");
    bad(HEAD THREAD "calls = [ { call = \"C_Sign\", repeat = 0 } ]",
        "s.toml:4:39: repeat wants a number from 1 to 281474976710656");
    bad(HEAD THREAD "calls = [ { call = \"C_Sign\", object = 1 } ]",
        "s.toml:4:39: there is no object 1");
    bad(HEAD OBJECTS THREAD "calls = [ { call = \"C_Sign\", made = 1 } ]",
        "s.toml:7:37: object 1 has no 'made = true'");
    bad(HEAD OBJECTS THREAD "calls = [ { call = \"C_Sign\", made = [2] } ]",
        "s.toml:7:37: made wants one object, or a private key and its public one");
    bad(HEAD "objects = [ { number = 2 } ]", "s.toml:2:24: this is object number 1");
    bad(HEAD "objects = [ { number = 1, pair = 4 } ]",
        "s.toml:2:11: object 1: there is no object 4 for a pair");
    bad(HEAD "objects = [ { number = 1, pair = 1 }, { number = 2, pair = 1 } ]",
        "s.toml:2:11: object 2: object 1 is of no pair with it");
    bad(HEAD "left_out = { neste = 1 }",
        "s.toml:2:14: left_out has no 'neste'; did you mean 'nested'?");
    bad(HEAD THREAD "after = { thread = 2 }\ncalls = [ { call = \"C_Sign\" } ]",
        "s.toml:3:1: after: there is no thread 2 in process 1");
    bad(HEAD THREAD "after = { thread = 1 }\ncalls = [ { call = \"C_Sign\" } ]",
        "s.toml:3:1: thread 1 begins after itself");
    bad(HEAD THREAD "after = { calls = 1 }\ncalls = [ { call = \"C_Sign\" } ]",
        "s.toml:4:9: after wants a thread");
    bad(HEAD THREAD "calls = [ { call = \"C_Sign\", join = 1 } ]",
        "s.toml:4:37: a thread cannot wait for its own end");
    bad(HEAD THREAD "calls = [ { call = \"C_Sign\", join = 2 } ]",
        "s.toml:4:37: there is no thread 2 to join");
    bad(HEAD THREAD "calls = [ { call = \"C_Sign\" } ]\n[[processes.threads]]\n"
                    "after = { thread = 1, calls = 2 }\ncalls = [ { call = \"C_Sign\" } ]",
        "s.toml:3:1: after: thread 1 of process 1 has 1 calls");
    bad(HEAD "[[processes]]\nafter = { process = 1, thread = 1 }\n"
             "threads = [ { calls = [ { call = \"C_Sign\" } ] } ]",
        "s.toml:2:1: process 1 begins after itself");
    bad(HEAD "objects = [ 1 ]", "s.toml:2:13: here stand tables only");
}

/* Files that are meant to do harm. */
static void hostile(void **state)
{
    (void)state;
    static char text[1 << 20];
    strcpy(text, HEAD THREAD "calls = [");
    for (int i = 0; i < 20; i++)
        strcat(text, "{ repeat = 281474976710656, calls = [");
    strcat(text, "{ call = \"C_Sign\" }");
    for (int i = 0; i < 20; i++)
        strcat(text, "] }");
    strcat(text, "]");
    struct p11prof_error error = {0};
    assert_int_equal(parse(text, &error), P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "more than 16 repeats in one another"));
    bad(HEAD THREAD "calls = [ { repeat = 281474976710656, calls = [ { repeat = 2, calls = [ "
                    "{ call = \"C_Sign\" } ] } ] } ]",
        "s.toml:4:11: these are too many calls");
    memset(text, '[', 100000);
    strcpy(text + 100000, "\n");
    memcpy(text, "a = ", 4);
    assert_int_equal(parse(text, &error), P11PROF_BAD_INPUT);
    assert_false(like_script_is("[[tests]]\nscript = 1\n", 21));
    assert_false(like_script_is("scripts = 1\n", 12));
    assert_true(like_script_is("# a\n\n script=1", 14));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, like_setup, like_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_scripts),
        TEST(recorded_script),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
