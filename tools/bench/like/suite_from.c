/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "suite_from.h"

#include "commands.h"
#include "database.h"
#include "message.h"
#include "output_file.h"
#include "recorded.h"
#include "run_select.h"
#include "script.h"

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void note_left_out(const struct like_script *script)
{
    static const char *const reasons[LIKE_REASONS] = {
        [LIKE_NESTED] = "made by the module inside another call",
        [LIKE_WAITING] = "C_WaitForSlotEvent that waits (its time is kept)",
        [LIKE_PIN_CHANGED] = "C_InitToken, C_InitPIN or C_SetPIN",
        [LIKE_LOGIN_FAILED] = "a login that failed",
        [LIKE_NO_FUNCTION] = "of a function that is not known",
    };
    for (int i = 0; i < LIKE_REASONS; i++)
        if (script->left_out[i] > 0)
            p11prof_note("%llu call%s left out: %s", (unsigned long long)script->left_out[i],
                         plural(script->left_out[i]), reasons[i]);
}

void suite_from_note(const struct like_script *script)
{
    size_t threads = 0, lines = like_script_nodes(script);
    for (size_t i = 0; i < script->process_count; i++)
        threads += script->processes[i].thread_count;
    p11prof_note("%s: %llu call%s of %zu thread%s in %zu process%s, in %zu line%s", script->name,
                 (unsigned long long)script->call_count, plural(script->call_count), threads,
                 plural(threads), script->process_count, script->process_count == 1 ? "" : "es",
                 lines, plural(lines));
    note_left_out(script);
    if (script->missing_count > 0)
        p11prof_warn("%llu calls are missing: they were lost or pruned; what they opened or made "
                     "may be missing too",
                     (unsigned long long)script->missing_count);
    if (script->untimed)
        p11prof_warn("the recording has no durations: no call waits for a think time");
}

static int script_write(const struct bench_settings *settings, const struct like_script *script)
{
    struct output_file file;
    int code = output_file_open(&file, settings->output);
    if (code)
        return code;
    like_script_print(script, file.stream);
    code = output_file_close(&file);
    if (code == 0 && !settings->quiet)
        suite_from_note(script);
    return code;
}

int suite_from(const struct bench_settings *settings)
{
    const struct p11prof_database_options options = {.path = settings->db};
    struct p11prof_database database;
    struct p11prof_error error;
    struct like_script script = {.objects = NULL};
    int64_t run_id;
    int code = p11prof_database_open(&database, &options);
    if (code)
        return code;
    struct sqlite3 *db = p11prof_store_sqlite(database.store);
    if (p11prof_run_select(db, settings->suite_from, &run_id, &error) == P11PROF_OK &&
        like_script_from_run(&script, db, run_id, &error) == P11PROF_OK) {
        p11prof_note_newest(db, settings->suite_from, run_id);
        p11prof_note_recorded(db, &(struct p11prof_run_set){&run_id, 1});
        code = script_write(settings, &script);
    } else {
        code = p11prof_complain_of(&error);
    }
    like_script_clear(&script);
    p11prof_database_close(&database);
    return code;
}
