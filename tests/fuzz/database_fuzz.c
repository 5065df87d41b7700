/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Runs a command on a database that somebody else wrote: it ends with one of its exit codes, prints
 * nothing that a terminal obeys, writes nowhere else, and if it only reads, nothing at all.
 *
 * An input is a letter of a command; 's' and SQL that the other one ran on a valid database, or
 * another letter and a list of edits of its bytes, 12 bytes each. */
#include "fuzz.h"

#include "commands.h"
#include "p11prof/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    EDITS_MOST = 400,
    ARGUMENTS_MOST = 8,
    PAGES_MORE = 8,       /* that SQL may add … */
    VALUE_BYTES = 200000, /* … and the longest text: what a command reads has a bound here */
    SQL_STEPS_MOST = 300000,
    COMMAND_STEPS_MOST = 20000000,
};

/* What is wrong has to be said while the streams are a command's. */
static FILE *own_stderr;

static struct {
    uint8_t *bytes;
    size_t size;
} sample;
static char folder[64] = "/dev/shm/p11prof.fuzz.XXXXXX", path[80];
static char into[80];
static char other[80]; /* a database of somebody else; an empty file is one */

static const struct command {
    int (*run)(int argc, char **argv);
    bool writes; /* or brings up to date what an older p11prof made */
    bool binary;
    bool merges; /* the database is the source, another one is written */
    const char *arguments[ARGUMENTS_MOST];
} commands[] = {
    {p11prof_command_report, .arguments = {"report", "4"}},
    {p11prof_command_report, .arguments = {"report", "1", "--format", "json"}},
    {p11prof_command_report, .arguments = {"report", "2", "--format", "csv"}},
    {p11prof_command_report, .arguments = {"report", "3", "--format", "markdown"}},
    {p11prof_command_report, .arguments = {"report", "4", "--by", "caller,hour,key,session"}},
    {p11prof_command_errors, .arguments = {"errors", "4"}},
    {p11prof_command_errors, .arguments = {"errors", "4", "--by", "program", "--format", "json"}},
    {p11prof_command_runs, true, .arguments = {"runs"}},
    {p11prof_command_runs, true, .arguments = {"runs", "--trend", "p99_ns"}},
    {p11prof_command_calls, .arguments = {"calls", "4", "--all"}},
    {p11prof_command_calls, .arguments = {"calls", "1", "--slowest", "5", "--format", "csv"}},
    {p11prof_command_calls, .arguments = {"calls", "4", "--failed", "2"}},
    {p11prof_command_histogram, .arguments = {"histogram", "1"}},
    {p11prof_command_histogram, .arguments = {"histogram", "4", "--by", "function"}},
    {p11prof_command_timeline, .arguments = {"timeline", "2"}},
    {p11prof_command_timeline, .arguments = {"timeline", "4"}},
    {p11prof_command_export, .arguments = {"export", "2", "--format", "json"}},
    {p11prof_command_export, .arguments = {"export", "1", "--format", "prometheus"}},
    {p11prof_command_export, .arguments = {"export", "4", "--format", "trace"}},
    {p11prof_command_export, .binary = true, .arguments = {"export", "3", "--format", "html"}},
    {p11prof_command_compare, .arguments = {"compare", "@base", "3"}},
    {p11prof_command_compare, .arguments = {"compare", "1", "2", "--format", "json"}},
    {p11prof_command_baseline, .arguments = {"baseline", "list"}},
    {p11prof_command_sql, .arguments = {"sql", "SELECT * FROM runs"}},
    {p11prof_command_bench, .arguments = {"bench", "--suite-from", "4"}},
    {p11prof_command_prune, true, .arguments = {"prune", "--calls-older-than", "1m"}},
    {p11prof_command_prune, true, .arguments = {"prune", "--windows-older-than", "1m"}},
    {p11prof_command_runs, true, .arguments = {"runs", "delete", "4", "--yes"}},
    {p11prof_command_runs, true, .arguments = {"runs", "rename", "1", "new"}},
    {p11prof_command_merge, .merges = true, .arguments = {"merge"}},
};

static void expect(bool holds, const char *what)
{
    if (!holds && own_stderr)
        stderr = own_stderr;
    check(holds, what);
}

/* Removes what is in the folder; the number of files that have no business there. The database
 * itself is written anew: another file in its place would be refused to this process. */
static unsigned folder_empty(void)
{
    static const char *const known[] = {"db",        "db-wal",     "db-shm",
                                        "db-writer", "db-journal", "other"};
    unsigned strange = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        bool is_known = entry->d_name[0] == '.' || strncmp(entry->d_name, "into", 4) == 0;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known |= strcmp(entry->d_name, known[i]) == 0;
        strange += !is_known;
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "db") != 0)
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries)
        closedir(entries);
    return strange;
}

static void folder_remove(void)
{
    folder_empty();
    unlink(path);
    rmdir(folder);
}

static uint8_t *file_read(const char *name, size_t *size)
{
    struct stat facts;
    int fd = open(name, O_RDONLY);
    expect(fd >= 0 && fstat(fd, &facts) == 0, name);
    *size = (size_t)facts.st_size;
    uint8_t *bytes = malloc(*size + 1);
    expect(bytes && read(fd, bytes, *size) == facts.st_size, name);
    bytes[*size] = '\0';
    close(fd);
    return bytes;
}

static void file_write(const char *name, const uint8_t *bytes, size_t size)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    expect(fd >= 0 && write(fd, bytes, size) == (ssize_t)size, name);
    close(fd);
}

static void sample_make(void)
{
    struct p11prof_store *store;
    struct p11prof_error error;
    size_t sql_bytes;
    uint8_t *sql = file_read(P11PROF_FUZZ_SAMPLE, &sql_bytes);
    own_stderr = stderr;
    expect(mkdtemp(folder) != NULL, "no folder");
    atexit(folder_remove);
    snprintf(path, sizeof path, "%s/db", folder);
    snprintf(into, sizeof into, "%s/into", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    expect(p11prof_store_open(&store, path, P11PROF_STORE_CREATE, &error) == P11PROF_OK,
           "no database");
    sqlite3 *db = p11prof_store_sqlite(store);
    expect(sqlite3_exec(db, (const char *)sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    p11prof_store_close(store);
    free(sql);
    sample.bytes = file_read(path, &sample.size);
}

/* --- what the other one did --- */

static int give_up(void *payload)
{
    (void)payload;
    return 1;
}

/* A command on a damaged database ends itself, and its process, after some seconds: here as soon as
 * it has taken many steps. */
static bool is_damaged(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *check = NULL;
    bool damaged = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
                   sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &check, NULL) == SQLITE_OK &&
                   sqlite3_step(check) == SQLITE_ROW &&
                   strcmp((const char *)sqlite3_column_text(check, 0), "ok") != 0;
    sqlite3_finalize(check);
    sqlite3_close(db);
    return damaged;
}

static int connection_limit(sqlite3 *db, char **error, const void *api)
{
    (void)error, (void)api;
    sqlite3_progress_handler(db, COMMAND_STEPS_MOST, give_up, NULL);
    return SQLITE_OK;
}

static void sql_run(const uint8_t *data, size_t size)
{
    sqlite3 *db = NULL;
    char *sql = malloc(size + 1), *error = NULL, most[64];
    expect(sql && sqlite3_open(path, &db) == SQLITE_OK, "no database");
    memcpy(sql, data, size);
    sql[size] = '\0';
    snprintf(most, sizeof most, "PRAGMA max_page_count = %zu", sample.size / 16384 + PAGES_MORE);
    sqlite3_exec(db, most, NULL, NULL, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_BYTES);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_progress_handler(db, SQL_STEPS_MOST, give_up, NULL);
    sqlite3_exec(db, sql, NULL, NULL, &error);
    sqlite3_free(error);
    sqlite3_close(db);
    free(sql);
}

static void bytes_change(const uint8_t *data, size_t size)
{
    struct edit {
        uint32_t place;
        uint8_t value[8];
    } edit;
    uint8_t *bytes = malloc(sample.size);
    expect(bytes, "no memory");
    memcpy(bytes, sample.bytes, sample.size);
    for (size_t i = 0; i < EDITS_MOST && (i + 1) * sizeof edit <= size; i++) {
        memcpy(&edit, data + i * sizeof edit, sizeof edit);
        memcpy(bytes + edit.place % (sample.size - sizeof edit.value), edit.value,
               sizeof edit.value);
    }
    file_write(path, bytes, sample.size);
    free(bytes);
}

/* --- what a command does then --- */

static void check_output(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        expect(((uint8_t)text[i] >= ' ' || strchr("\n\r\t", text[i])) && text[i] != 127 &&
                   ((uint8_t)text[i] != 0xc2 || (uint8_t)text[i + 1] >= 0xa0),
               "a control character for a terminal");
}

static void command_run(const struct command *command)
{
    char words[ARGUMENTS_MOST + 5][sizeof path], *arguments[ARGUMENTS_MOST + 6], *text = NULL;
    size_t bytes = 0;
    int count = 0;
    for (; count < ARGUMENTS_MOST && command->arguments[count]; count++)
        snprintf(words[count], sizeof words[count], "%s", command->arguments[count]);
    if (command->merges)
        snprintf(words[count++], sizeof words[0], "%s", path);
    snprintf(words[count++], sizeof words[0], "--db");
    snprintf(words[count++], sizeof words[0], "%s", command->merges ? into : path);
    if (command->run != p11prof_command_bench && command->run != p11prof_command_prune &&
        !command->merges)
        snprintf(words[count++], sizeof words[0], "--no-collect");
    for (int i = 0; i <= count; i++)
        arguments[i] = i < count ? words[i] : NULL;
    FILE *own_stdout = stdout, *null = fopen("/dev/null", "w"),
         *stream = open_memstream(&text, &bytes);
    expect(null && stream, "no stream");
    stdout = stream;
    stderr = null;
    int code = command->run(count, arguments);
    stdout = own_stdout;
    stderr = own_stderr;
    fclose(stream);
    fclose(null);
    expect(code >= P11PROF_EXIT_DONE && code <= P11PROF_EXIT_FAILED, "another exit code");
    if (!command->binary)
        check_output(text, bytes);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!sample.bytes)
        sample_make();
    if (size < 2)
        return 0;
    const struct command *command =
        &commands[(unsigned)(data[0] - 'A') % (sizeof commands / sizeof *commands)];
    file_write(other, NULL, 0);
    if (data[1] == 's') {
        file_write(path, sample.bytes, sample.size);
        sql_run(data + 2, size - 2);
    } else {
        bytes_change(data + 2, size - 2);
    }
    struct stat facts;
    size_t before_size, after_size;
    uint8_t *before = file_read(path, &before_size);
    if (is_damaged())
        sqlite3_auto_extension((void (*)(void))connection_limit);
    command_run(command);
    sqlite3_reset_auto_extension();
    uint8_t *after = file_read(path, &after_size);
    expect(command->writes ||
               (before_size == after_size && memcmp(before, after, before_size) == 0),
           "it wrote what it was to read");
    free(before);
    free(after);
    expect(stat(other, &facts) == 0 && facts.st_size == 0, "it wrote into another database");
    expect(folder_empty() == 0, "a file that nobody asked for");
    return 0;
}
