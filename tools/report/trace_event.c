/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "trace_event.h"
#include "allocate.h"
#include "query.h"
#include "safe_text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum names { FUNCTIONS, RESULTS, MECHANISMS, KEY_TYPES, OPERATIONS };
static const char *const name_tables[P11PROF_TRACE_NAMES] = {
    [FUNCTIONS] = "function_name", [RESULTS] = "rv_name",           [MECHANISMS] = "mechanism_name",
    [KEY_TYPES] = "key_type_name", [OPERATIONS] = "operation_name",
};

/* The caller frees it. */
static char *json_text(const char *text)
{
    size_t bytes = 3 * strlen(text) + 1;
    char *valid = p11prof_zalloc(bytes, 1);
    p11prof_valid_text(valid, bytes, text);
    cJSON *item = cJSON_CreateString(valid);
    char *json = cJSON_PrintUnformatted(item);
    cJSON_Delete(item);
    free(valid);
    return json;
}

enum p11prof_status p11prof_trace_names(struct p11prof_trace_writer *writer, struct sqlite3 *db,
                                        struct p11prof_error *error)
{
    for (size_t i = 0; i < P11PROF_TRACE_NAMES; i++) {
        char sql[96];
        sqlite3_stmt *row;
        size_t capacity = 0;
        int result;
        snprintf(sql, sizeof sql, "SELECT code, name FROM %s ORDER BY code", name_tables[i]);
        if (p11prof_query_prepare(db, sql, 0, &row, error) != P11PROF_OK)
            return error->status;
        while ((result = sqlite3_step(row)) == SQLITE_ROW) {
            writer->names[i] = p11prof_grow(writer->names[i], &capacity, writer->name_counts[i] + 1,
                                            sizeof *writer->names[i]);
            writer->names[i][writer->name_counts[i]++] = (struct p11prof_trace_name){
                sqlite3_column_int64(row, 0), json_text(p11prof_query_text(row, 1))};
        }
        if (p11prof_query_end(row, result, error) != P11PROF_OK)
            return error->status;
    }
    return P11PROF_OK;
}

void p11prof_trace_clear(struct p11prof_trace_writer *writer)
{
    for (size_t i = 0; i < P11PROF_TRACE_NAMES; i++) {
        for (size_t k = 0; k < writer->name_counts[i]; k++)
            free(writer->names[i][k].name);
        free(writer->names[i]);
    }
    for (size_t i = 0; i < writer->track_count; i++) {
        free(writer->tracks[i].operations.spans);
        free(writer->tracks[i].calls.spans);
        free(writer->tracks[i].moved.spans);
    }
    free(writer->tracks);
}

static int compare_codes(const void *a, const void *b)
{
    const struct p11prof_trace_name *first = a, *second = b;
    return (first->code > second->code) - (first->code < second->code);
}

/* As JSON; unknown ones in hex, in a buffer of this thread. */
static const char *name_of(const struct p11prof_trace_writer *writer, enum names names,
                           int64_t code)
{
    static char hex[24];
    struct p11prof_trace_name key = {.code = code};
    const struct p11prof_trace_name *found =
        writer->name_counts[names] ? bsearch(&key, writer->names[names], writer->name_counts[names],
                                             sizeof key, compare_codes)
                                   : NULL;
    if (found)
        return found->name;
    snprintf(hex, sizeof hex, "\"0x%08" PRIX64 "\"", (uint64_t)code);
    return hex;
}

void p11prof_trace_begin(struct p11prof_trace_writer *writer)
{
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", writer->stream);
}

void p11prof_trace_end(struct p11prof_trace_writer *writer)
{
    fputs("\n]}\n", writer->stream);
}

static void start_event(struct p11prof_trace_writer *writer)
{
    fputs(writer->started ? ",\n" : "\n", writer->stream);
    writer->started = true;
}

/* "12.345" us */
static void write_us(FILE *stream, const char *name, int64_t ns)
{
    fprintf(stream, ",\"%s\":%" PRId64 ".%03d", name, ns / 1000, (int)(ns % 1000));
}

enum p11prof_status p11prof_trace_processes(struct p11prof_trace_writer *writer, struct sqlite3 *db,
                                            int64_t run_id, struct p11prof_error *error)
{
    static const char sql[] =
        "SELECT process_id, coalesce(program, '?') || ' (pid ' || coalesce(pid, '?') || "
        "', run ' || run_id || ')' FROM processes WHERE run_id = ?1";
    sqlite3_stmt *row;
    int result;
    if (p11prof_query_prepare(db, sql, run_id, &row, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(row)) == SQLITE_ROW) {
        char *name = json_text(p11prof_query_text(row, 1));
        start_event(writer);
        fprintf(writer->stream,
                "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%lld,\"args\":{\"name\":%s}}",
                (long long)sqlite3_column_int64(row, 0), name);
        free(name);
    }
    return p11prof_query_end(row, result, error);
}

static bool known(sqlite3_stmt *row, enum p11prof_trace_column column)
{
    return sqlite3_column_type(row, (int)column) != SQLITE_NULL;
}

static void write_number(FILE *stream, const char *name, sqlite3_stmt *row,
                         enum p11prof_trace_column column)
{
    if (known(row, column))
        fprintf(stream, ",\"%s\":%lld", name, (long long)sqlite3_column_int64(row, (int)column));
}

/* What calls and operations have alike. */
static void write_facts(const struct p11prof_trace_writer *writer, sqlite3_stmt *row)
{
    FILE *stream = writer->stream;
    fprintf(stream, ",\"args\":{\"rv\":%s",
            known(row, P11PROF_TRACE_RV)
                ? name_of(writer, RESULTS, sqlite3_column_int64(row, P11PROF_TRACE_RV))
                : "\"undisclosed\"");
    if (known(row, P11PROF_TRACE_MECHANISM))
        fprintf(stream, ",\"mechanism\":%s",
                name_of(writer, MECHANISMS, sqlite3_column_int64(row, P11PROF_TRACE_MECHANISM)));
    if (known(row, P11PROF_TRACE_KEY_TYPE))
        fprintf(stream, ",\"key_type\":%s",
                name_of(writer, KEY_TYPES, sqlite3_column_int64(row, P11PROF_TRACE_KEY_TYPE)));
    write_number(stream, "key_bits", row, P11PROF_TRACE_KEY_BITS);
    write_number(stream, "session", row, P11PROF_TRACE_SESSION);
}

static void write_place(FILE *stream, sqlite3_stmt *row)
{
    fprintf(stream, ",\"pid\":%lld,\"tid\":%lld",
            (long long)sqlite3_column_int64(row, P11PROF_TRACE_PROCESS),
            (long long)sqlite3_column_int64(row, P11PROF_TRACE_THREAD));
}

static struct p11prof_trace_track *find_track(struct p11prof_trace_writer *writer,
                                              sqlite3_stmt *row)
{
    int64_t process_id = sqlite3_column_int64(row, P11PROF_TRACE_PROCESS);
    int64_t thread_id = sqlite3_column_int64(row, P11PROF_TRACE_THREAD);
    for (size_t i = writer->track_count; i-- > 0;)
        if (writer->tracks[i].thread_id == thread_id && writer->tracks[i].process_id == process_id)
            return &writer->tracks[i];
    writer->tracks = p11prof_grow(writer->tracks, &writer->track_capacity, writer->track_count + 1,
                                  sizeof *writer->tracks);
    struct p11prof_trace_track *track = &writer->tracks[writer->track_count++];
    *track = (struct p11prof_trace_track){.process_id = process_id, .thread_id = thread_id};
    return track;
}

static void spans_add(struct p11prof_trace_spans *spans, int64_t start_ns, int64_t end_ns)
{
    spans->spans =
        p11prof_grow(spans->spans, &spans->capacity, spans->count + 1, sizeof *spans->spans);
    spans->spans[spans->count++] = (struct p11prof_trace_span){start_ns, end_ns};
}

/* End of the last span that begins before start_ns; those that begin later lie in the new one. */
static int64_t last_end_ns(struct p11prof_trace_spans *spans, int64_t start_ns)
{
    while (spans->count > 0 && spans->spans[spans->count - 1].start_ns >= start_ns)
        spans->count--;
    return spans->count > 0 ? spans->spans[spans->count - 1].end_ns : INT64_MIN;
}

/* Events of a track have to lie inside each other or apart. Operations come in the order of their
 * ends; false if this one begins inside one that ended before. */
static bool fits(struct p11prof_trace_track *track, int64_t start_ns, int64_t end_ns)
{
    if (last_end_ns(&track->operations, start_ns) > start_ns)
        return false;
    spans_add(&track->operations, start_ns, end_ns);
    return true;
}

/* Where a call begins on its track: its duration and the end of the one before are rounded, and
 * clocks differ a little, so that its start may lie before that end. */
static int64_t call_place(struct p11prof_trace_track *track, int64_t start_ns, int64_t end_ns)
{
    int64_t before_ns = last_end_ns(&track->calls, start_ns);
    int64_t placed_ns = before_ns <= start_ns ? start_ns : before_ns < end_ns ? before_ns : end_ns;
    spans_add(&track->calls, placed_ns, end_ns);
    return placed_ns;
}

/* Where an operation begins: with its first call. */
static int64_t operation_place(const struct p11prof_trace_track *track, int64_t start_ns)
{
    for (size_t i = track->moved.count; i-- > 0 && track->moved.spans[i].start_ns >= start_ns;)
        if (track->moved.spans[i].start_ns == start_ns)
            return track->moved.spans[i].end_ns;
    return start_ns;
}

void p11prof_trace_rewind(struct p11prof_trace_writer *writer)
{
    for (size_t i = 0; i < writer->track_count; i++)
        writer->tracks[i].calls.count = 0;
}

static void start_operation(struct p11prof_trace_writer *writer, sqlite3_stmt *row,
                            const char *phase, int64_t ns)
{
    int64_t operation = sqlite3_column_int64(row, P11PROF_TRACE_OPERATION);
    start_event(writer);
    fprintf(writer->stream, "{\"ph\":\"%s\",\"cat\":\"operation\",\"name\":%s", phase,
            name_of(writer, OPERATIONS, operation));
    write_place(writer->stream, row);
    write_us(writer->stream, "ts", ns);
}

/* One that does not fit its track is asynchronous. */
static void write_operation(struct p11prof_trace_writer *writer, sqlite3_stmt *row,
                            int64_t start_ns, int64_t end_ns, bool in_track)
{
    FILE *stream = writer->stream;
    long long id = sqlite3_column_int64(row, P11PROF_TRACE_ID);
    start_operation(writer, row, in_track ? "X" : "b", start_ns);
    if (in_track)
        write_us(stream, "dur", end_ns - start_ns);
    else
        fprintf(stream, ",\"id\":%lld", id);
    write_facts(writer, row);
    write_number(stream, "call_count", row, P11PROF_TRACE_OPERATION_CALLS);
    fputs("}}", stream);
    if (in_track)
        return;
    start_operation(writer, row, "e", end_ns);
    fprintf(stream, ",\"id\":%lld}", id);
}

/* One that is a single call is that call. */
void p11prof_trace_operation(struct p11prof_trace_writer *writer, struct sqlite3_stmt *row,
                             int64_t offset_ns)
{
    struct p11prof_trace_track *track = find_track(writer, row);
    int64_t start_ns = offset_ns + sqlite3_column_int64(row, P11PROF_TRACE_START);
    int64_t duration_ns = sqlite3_column_int64(row, P11PROF_TRACE_DURATION);
    int64_t end_ns = start_ns + duration_ns;
    if (duration_ns < 0)
        return;
    int64_t placed_ns = call_place(track, start_ns, end_ns);
    if (placed_ns != start_ns)
        spans_add(&track->moved, start_ns, placed_ns);
    if (!known(row, P11PROF_TRACE_OPERATION) ||
        sqlite3_column_int64(row, P11PROF_TRACE_OPERATION_CALLS) <= 1)
        return;
    start_ns = operation_place(track, offset_ns +
                                          sqlite3_column_int64(row, P11PROF_TRACE_OPERATION_START));
    write_operation(writer, row, start_ns, end_ns, fits(track, start_ns, end_ns));
}

void p11prof_trace_call(struct p11prof_trace_writer *writer, struct sqlite3_stmt *row,
                        int64_t offset_ns)
{
    FILE *stream = writer->stream;
    int64_t start_ns = offset_ns + sqlite3_column_int64(row, P11PROF_TRACE_START);
    int64_t duration_ns = sqlite3_column_int64(row, P11PROF_TRACE_DURATION);
    bool failed = known(row, P11PROF_TRACE_RV) && sqlite3_column_int64(row, P11PROF_TRACE_RV) != 0;
    if (duration_ns >= 0) {
        int64_t end_ns = start_ns + duration_ns;
        start_ns = call_place(find_track(writer, row), start_ns, end_ns);
        duration_ns = end_ns - start_ns;
    }
    start_event(writer);
    fprintf(stream, "{\"ph\":\"%s\",\"cat\":\"%s\",\"name\":%s%s", duration_ns < 0 ? "i" : "X",
            failed ? "call,failed" : "call",
            name_of(writer, FUNCTIONS, sqlite3_column_int64(row, P11PROF_TRACE_FUNCTION)),
            failed ? ",\"cname\":\"terrible\"" : "");
    write_place(stream, row);
    write_us(stream, "ts", start_ns);
    if (duration_ns < 0) /* a moment: when it ended is not known */
        fputs(",\"s\":\"t\"", stream);
    else
        write_us(stream, "dur", duration_ns);
    write_facts(writer, row);
    write_number(stream, "in_bytes", row, P11PROF_TRACE_IN);
    write_number(stream, "out_bytes", row, P11PROF_TRACE_OUT);
    write_number(stream, "call_id", row, P11PROF_TRACE_ID);
    fputs("}}", stream);
}

void p11prof_trace_counter(struct p11prof_trace_writer *writer, int64_t ns, int64_t in_flight)
{
    start_event(writer);
    fputs("{\"ph\":\"C\",\"name\":\"calls in flight\",\"pid\":0", writer->stream);
    write_us(writer->stream, "ts", ns);
    fprintf(writer->stream, ",\"args\":{\"calls\":%" PRId64 "}}", in_flight);
}
