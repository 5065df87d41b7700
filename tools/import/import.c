/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "import/import.h"

#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <string.h>

enum { WAIT_MS = 5000 };

static const struct {
    const char *name, *started_at; /* started_at: what a run's column of that name is the time of */
    uint64_t most_bytes;
    enum p11prof_status (*read)(const struct p11prof_import *import,
                                struct p11prof_import_result *result, struct p11prof_error *error);
} formats[] = {
    [P11PROF_IMPORT_SPY] = {"pkcs11-spy", "first call", P11PROF_IMPORT_SPY_BYTES,
                            p11prof_import_spy},
    [P11PROF_IMPORT_P11PERFTEST] = {"p11perftest", "import", P11PROF_IMPORT_P11PERFTEST_BYTES,
                                    p11prof_import_p11perftest},
};

const char *p11prof_import_format_name(enum p11prof_import_format format)
{
    return formats[format].name;
}

/* "12: C_Sign" at the begin of a line. */
static bool has_call(const char *text)
{
    for (const char *at = strstr(text, ": C_"); at; at = strstr(at + 1, ": C_")) {
        const char *digit = at;
        while (digit > text && digit[-1] >= '0' && digit[-1] <= '9')
            digit--;
        if (digit < at && (digit == text || digit[-1] == '\n'))
            return true;
    }
    return false;
}

enum p11prof_import_format p11prof_import_recognise(const char *text, size_t bytes)
{
    size_t blank = strspn(text, " \t\r\n");
    if (blank < bytes && text[blank] == '{')
        return P11PROF_IMPORT_P11PERFTEST;
    return strstr(text, "OpenSC PKCS#11 spy") || has_call(text) ? P11PROF_IMPORT_SPY
                                                                : P11PROF_IMPORT_UNKNOWN;
}

/* Runs a statement with two blobs or numbers bound; its first column, if it has a row, in *out. */
struct bound {
    const void *blob; /* 16 bytes; NULL: number */
    int64_t number;
};
static enum p11prof_status ask(struct p11prof_store *store, const char *sql, struct bound first,
                               struct bound second, int64_t *out, struct p11prof_error *error)
{
    sqlite3 *db = p11prof_store_sqlite(store);
    sqlite3_stmt *statement = NULL;
    const struct bound bounds[] = {first, second};
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    for (int i = 0; code == SQLITE_OK && i < sqlite3_bind_parameter_count(statement); i++)
        code = bounds[i].blob
                   ? sqlite3_bind_blob(statement, i + 1, bounds[i].blob, 16, SQLITE_STATIC)
                   : sqlite3_bind_int64(statement, i + 1, bounds[i].number);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW && out)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE
               ? P11PROF_OK
               : p11prof_error_set(error, P11PROF_FAILED, "cannot write the run: %s",
                                   sqlite3_errmsg(db));
}

/* Ids that the same content has in every database, so that `merge` knows it again: those of
 * processes are the run's with their number added. */
static enum p11prof_status name_after_content(const struct p11prof_import *import, int64_t run_id,
                                              const uint8_t uuid[16], struct p11prof_error *error)
{
    struct p11prof_store *store = import->store;
    enum p11prof_status status =
        ask(store, "UPDATE run SET uuid = ?1 WHERE id = ?2", (struct bound){.blob = uuid},
            (struct bound){.number = run_id}, NULL, error);
    int64_t process = 0;
    for (uint64_t number = 1; !status; number++) {
        uint8_t id[16];
        int64_t next = 0;
        memcpy(id, uuid, sizeof id);
        for (size_t i = 0; i < sizeof number; i++)
            id[15 - i] ^= (uint8_t)(number >> (8 * i));
        status =
            ask(store, "SELECT min(id) FROM process WHERE run = ?1 AND id > ?2",
                (struct bound){.number = run_id}, (struct bound){.number = process}, &next, error);
        if (status || next == 0)
            return status;
        process = next;
        status = ask(store, "UPDATE process SET uuid = ?1 WHERE id = ?2",
                     (struct bound){.blob = id}, (struct bound){.number = process}, NULL, error);
        status = status ? status
                        : ask(store, "UPDATE spool SET spool_id = ?1 WHERE process = ?2",
                              (struct bound){.blob = id}, (struct bound){.number = process}, NULL,
                              error);
    }
    return status;
}

static enum p11prof_status options_write(const struct p11prof_import *import,
                                         enum p11prof_import_format format, int64_t run_id,
                                         struct p11prof_error *error)
{
    cJSON *options = cJSON_CreateObject();
    cJSON *imported = cJSON_AddObjectToObject(options, "imported");
    bool made = cJSON_AddStringToObject(imported, "format", formats[format].name) &&
                cJSON_AddStringToObject(imported, "file", import->file_name) &&
                cJSON_AddStringToObject(imported, "started_at", formats[format].started_at);
    char *text = made ? cJSON_PrintUnformatted(options) : NULL;
    enum p11prof_status status =
        text ? p11prof_store_run_options(import->store, run_id, text, error)
             : p11prof_error_set(error, P11PROF_FAILED, "no memory for an import");
    cJSON_free(text);
    cJSON_Delete(options);
    return status;
}

static enum p11prof_status read_file(const struct p11prof_import *import,
                                     enum p11prof_import_format format,
                                     struct p11prof_import_result *result, int64_t *known_run,
                                     struct p11prof_error *error)
{
    uint8_t uuid[16];
    enum p11prof_status status = formats[format].read(import, result, error);
    if (status)
        return status;
    p11prof_lines_uuid(import->lines, uuid);
    status = ask(import->store, "SELECT id FROM run WHERE uuid = ?1", (struct bound){.blob = uuid},
                 (struct bound){.number = 0}, known_run, error);
    if (status || *known_run)
        return status;
    status = name_after_content(import, result->run_id, uuid, error);
    return status ? status : options_write(import, format, result->run_id, error);
}

/* What else it may be. */
static enum p11prof_status describe_unknown(const struct p11prof_import *import, const char *text,
                                            size_t bytes, struct p11prof_error *error)
{
    static const struct {
        const char *begin, *what;
    } others[] = {
        {"\x1f\x8b", "compressed: 'gzip -dc FILE | p11prof import -' takes what is in it"},
        {"\xff\xfe", "UTF-16: 'iconv -f UTF-16 -t UTF-8 FILE | p11prof import -' takes it"},
        {"\xfe\xff", "UTF-16: 'iconv -f UTF-16 -t UTF-8 FILE | p11prof import -' takes it"},
    };
    const char *what = bytes == 0 ? "empty" : "neither a log of pkcs11-spy nor JSON of p11perftest";
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (bytes >= 2 && memcmp(text, others[i].begin, 2) == 0)
            what = others[i].what;
    enum p11prof_status readable = p11prof_lines_check(import->lines, error);
    return readable
               ? readable
               : p11prof_error_set(error, P11PROF_BAD_INPUT, "%s: %s", import->lines->name, what);
}

enum p11prof_status p11prof_import_file(const struct p11prof_import *import,
                                        enum p11prof_import_format *format,
                                        struct p11prof_import_result *result, int64_t *known_run,
                                        struct p11prof_error *error)
{
    size_t bytes;
    const char *text = p11prof_lines_peek(import->lines, &bytes);
    *known_run = 0;
    *result = (struct p11prof_import_result){.run_id = 0};
    if (*format == P11PROF_IMPORT_UNKNOWN)
        *format = p11prof_import_recognise(text, bytes);
    if (*format == P11PROF_IMPORT_UNKNOWN)
        return describe_unknown(import, text, bytes, error);
    import->lines->most = formats[*format].most_bytes;
    enum p11prof_status status = p11prof_store_begin(import->store, WAIT_MS, error);
    if (status)
        return status;
    status = read_file(import, *format, result, known_run, error);
    if (!status && !*known_run)
        return p11prof_store_commit(import->store, error);
    p11prof_store_rollback(import->store);
    return status;
}
