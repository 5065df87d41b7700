/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reads any text as a script: it is refused with a reason, or all that it names is there, it is
 * walked through to its end, and printed and read again it is as long. */
#include "bench/like/script.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_WALKED = 100000 };

static void check_call(const struct like_script *script, const struct like_call *call)
{
    check(call->function >= 1 && call->function <= P11PROF_CALLS, "no function");
    check(call->object <= script->object_count, "no such object");
    for (int i = 0; i < 2; i++)
        check(call->made[i] <= script->object_count &&
                  (call->made[i] == 0 || script->objects[call->made[i] - 1].made),
              "makes what is not made");
}

static void check_script(const struct like_script *script)
{
    uint64_t counts[P11PROF_CALLS + 1] = {0}, sum = 0;
    for (size_t i = 0; i < script->object_count; i++) {
        uint32_t pair = script->objects[i].pair;
        check(script->objects[i].number == i + 1, "a wrong number");
        check(pair == 0 || script->objects[pair - 1].pair == i + 1, "half a pair");
    }
    check(script->process_count > 0, "no processes");
    for (size_t i = 0; i < script->process_count; i++)
        for (size_t j = 0; j < script->processes[i].thread_count; j++) {
            struct like_walk walk;
            const struct like_call *call;
            like_walk_start(&walk, &script->processes[i].threads[j]);
            for (int n = 0; n < CALLS_WALKED && (call = like_walk_next(&walk)); n++)
                check_call(script, call);
        }
    like_script_count(script, counts);
    for (unsigned i = 0; i <= P11PROF_CALLS; i++)
        sum += counts[i];
    check(sum == script->call_count, "counts that are not exact");
}

static void check_again(const struct like_script *script)
{
    struct like_script again;
    struct p11prof_error error = {.text = ""};
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    check(stream, "no memory");
    like_script_print(script, stream);
    fclose(stream);
    check(like_script_is(text, bytes), "what is printed is no script");
    if (like_script_parse(&again, text, bytes, "again", &error) != P11PROF_OK)
        check(false, error.text);
    check(again.call_count == script->call_count &&
              like_script_nodes(&again) == like_script_nodes(script) &&
              again.object_count == script->object_count,
          "what is printed is another script");
    like_script_clear(&again);
    free(text);
}

static void try_script(const uint8_t *data, size_t size)
{
    struct like_script script;
    struct p11prof_error error = {.text = ""};
    enum p11prof_status status =
        like_script_parse(&script, (const char *)data, size, "s.toml", &error);
    check(status == P11PROF_OK || (status == P11PROF_BAD_INPUT && error.text[0]), "no reason");
    check((status == P11PROF_OK) == (script.process_count > 0), "something in spite of it");
    if (status == P11PROF_OK) {
        check_script(&script);
        check_again(&script);
    }
    like_script_clear(&script);
}

/* As it is; and with digits for what is no text, so that a change is a value more often than no
 * TOML. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *digits = malloc(size + 1);
    check(digits, "no memory");
    for (size_t i = 0; i < size; i++) {
        bool text = (data[i] >= ' ' && data[i] <= '~') || data[i] == '\n';
        digits[i] = text ? data[i] : (uint8_t)('0' + data[i] % 10);
    }
    try_script(data, size);
    try_script(digits, size);
    free(digits);
    return 0;
}
