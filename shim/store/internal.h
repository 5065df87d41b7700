/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the files of the store share. */
#ifndef P11PROF_STORE_INTERNAL_H
#define P11PROF_STORE_INTERNAL_H

#include "descriptor.h"
#include "p11prof/store.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

/* Statements that are prepared once and kept with the connection. */
enum p11prof_statement {
    P11PROF_SQL_BEGIN,
    P11PROF_SQL_COMMIT,
    P11PROF_SQL_RUN_FIND,
    P11PROF_SQL_RUN_ADD,
    P11PROF_SQL_RUN_END,
    P11PROF_SQL_RUN_OPTIONS,
    P11PROF_SQL_RUN_ELSEWHERE,
    P11PROF_SQL_PROCESS_ELSEWHERE,
    P11PROF_SQL_RUN_LIBRARY,
    P11PROF_SQL_RUN_CLOCK,
    P11PROF_SQL_PROCESS_ADD,
    P11PROF_SQL_PROCESS_FIND,
    P11PROF_SQL_PROCESS_COUNT,
    P11PROF_SQL_SPOOL_ADD,
    P11PROF_SQL_SPOOL_FIND,
    P11PROF_SQL_SPOOL_BATCH,
    P11PROF_SQL_SPOOL_END,
    P11PROF_SQL_LOAD_POSITIONS,
    P11PROF_SQL_LOAD_STATES,
    P11PROF_SQL_LOAD_PARENT,
    P11PROF_SQL_LOAD_CALLERS,
    P11PROF_SQL_ROWS,
    P11PROF_SQL_SEGMENT_EXTEND,
    P11PROF_SQL_SEGMENT_ADD,
    P11PROF_SQL_GROUP,
    P11PROF_SQL_GROUP_BUCKET,
    P11PROF_SQL_WINDOW,
    P11PROF_SQL_WINDOW_BUCKET,
    P11PROF_SQL_ERROR,
    P11PROF_SQL_THREAD,
    P11PROF_SQL_SESSION,
    P11PROF_SQL_CALLER,
    P11PROF_SQL_STATE_SET,
    P11PROF_SQL_STATE_REMOVE,
    P11PROF_SQL_STATE_CLEAR,
    P11PROF_SQL_POSITION,
    P11PROF_SQL_LOSS,
    P11PROF_SQL_OPEN_CALL,
    P11PROF_SQL_TOKEN,
    P11PROF_SQL_LOAD_ADD,
    P11PROF_SQL_SLICE_ADD,
    P11PROF_SQL_FIGURE_ADD,
    P11PROF_SQL_INTERVAL_ADD,
    P11PROF_SQL_THREAD_SET,
    P11PROF_SQL_SKIP_ADD,
    P11PROF_STATEMENTS,
};

/* What has become of a spool; stored on disk. */
enum p11prof_spool_outcome {
    P11PROF_SPOOL_FINISHED = 1,
    P11PROF_SPOOL_RECOVERED = 2, /* its process was killed */
    P11PROF_SPOOL_RUNNING = 3,   /* not drained to its end */
};

struct p11prof_store {
    sqlite3 *sqlite;
    int log_page_count;  /* of the write-ahead log after the last commit */
    char *path;          /* absolute, links in its folder resolved */
    bool shared_folder;  /* others may make files beside it */
    dev_t folder_device; /* the folder that was looked at */
    ino_t folder_inode;
    char *writer_path;              /* path + "-writer" */
    unsigned flags;                 /* enum p11prof_store_flag */
    struct stat file;               /* of the database that was opened */
    struct stat side_files[2];      /* of "-wal" and "-shm" in use; st_ino 0: not known yet */
    int writer_fd;                  /* of writer_path, -1: not open */
    struct stat writer_file;        /* of writer_fd */
    bool uses_views_of_file;        /* they are ours to the letter */
    bool in_transaction;            /* from begin to commit or rollback */
    uint64_t id[2];                 /* meta.id */
    const _Atomic(uint32_t) *stop;  /* NULL: none */
    const struct p11prof_row *rows; /* what the virtual table shows */
    size_t row_count;
    sqlite3_stmt *statements[P11PROF_STATEMENTS];
};

/* A value for a parameter of a statement. */
struct p11prof_value {
    int type; /* SQLITE_INTEGER, … */
    int64_t integer;
    double real;
    const void *data; /* of a text or blob; valid until the statement is reset */
    size_t data_bytes;
};

static inline struct p11prof_value p11prof_integer(int64_t integer)
{
    return (struct p11prof_value){.type = SQLITE_INTEGER, .integer = integer};
}

/* A quantity: what is past the signed range saturates. */
static inline struct p11prof_value p11prof_quantity(uint64_t quantity)
{
    return p11prof_integer(quantity > INT64_MAX ? INT64_MAX : (int64_t)quantity);
}

static inline struct p11prof_value p11prof_real(double real)
{
    return (struct p11prof_value){.type = SQLITE_FLOAT, .real = real};
}

static inline struct p11prof_value p11prof_null(void)
{
    return (struct p11prof_value){.type = SQLITE_NULL};
}

/* NULL and "" are unknown; at most max_bytes are read. */
static inline struct p11prof_value p11prof_text(const char *text, size_t max_bytes)
{
    size_t bytes = text ? strnlen(text, max_bytes) : 0;
    return (struct p11prof_value){
        .type = bytes ? SQLITE_TEXT : SQLITE_NULL, .data = text, .data_bytes = bytes};
}

static inline struct p11prof_value p11prof_string(const char *text)
{
    return p11prof_text(text, text ? strlen(text) : 0);
}

static inline struct p11prof_value p11prof_blob(const void *data, size_t data_bytes)
{
    return (struct p11prof_value){.type = SQLITE_BLOB, .data = data, .data_bytes = data_bytes};
}

/* A list of values and its length, as two arguments. */
#define P11PROF_VALUES(...)                                                                        \
    (const struct p11prof_value[]){__VA_ARGS__},                                                   \
        sizeof((const struct p11prof_value[]){__VA_ARGS__}) / sizeof(struct p11prof_value)

/* "column = column + more" that saturates: a batch that can never be written would stop the drain.
 */
#define P11PROF_SQL_PLUS(column, more) column " = min(9223372036854775807, " column " + " more ")"
#define P11PROF_SQL_ADD(column)        P11PROF_SQL_PLUS(column, "excluded." column)

/* --- statement.c --- */

/* Describes what SQLite said last: "<path>: cannot <what>: …" and what to do. */
enum p11prof_status p11prof_store_failed(const struct p11prof_store *store, const char *what,
                                         struct p11prof_error *error);

/* The statement with its parameters bound, ready to step; NULL on failure. Reset it after use. */
sqlite3_stmt *p11prof_store_bind(struct p11prof_store *store, enum p11prof_statement statement,
                                 const char *sql, const struct p11prof_value *values,
                                 size_t value_count);

/* Runs a statement that returns no rows. */
enum p11prof_status p11prof_store_do(struct p11prof_store *store, enum p11prof_statement statement,
                                     const char *sql, const struct p11prof_value *values,
                                     size_t value_count, struct p11prof_error *error);

/* Runs a statement that returns one row or none, of column_count integers. *found may be NULL where
 * there always is one. */
enum p11prof_status p11prof_store_get(struct p11prof_store *store, enum p11prof_statement statement,
                                      const char *sql, const struct p11prof_value *values,
                                      size_t value_count, int64_t *columns, int column_count,
                                      bool *found, struct p11prof_error *error);

/* Runs SQL text of several statements. */
enum p11prof_status p11prof_store_script(struct p11prof_store *store, const char *sql,
                                         const char *what, struct p11prof_error *error);

/* The first column of a query without parameters, as an integer. */
enum p11prof_status p11prof_store_number(struct p11prof_store *store, const char *sql,
                                         int64_t *number, struct p11prof_error *error);

void p11prof_store_finalize(struct p11prof_store *store);

static inline bool p11prof_store_stopped(const struct p11prof_store *store)
{
    return store->stop && atomic_load_explicit(store->stop, memory_order_relaxed) != 0;
}

/* --- create.c --- */

extern const char p11prof_schema_sql[], p11prof_views_sql[], p11prof_migration_1_sql[],
    p11prof_migration_2_sql[], p11prof_migration_3_sql[], p11prof_migration_4_sql[],
    p11prof_migration_5_sql[];

/* Makes the database of store->path, unless somebody else does at the same time. */
enum p11prof_status p11prof_store_create(struct p11prof_store *store, struct p11prof_error *error);

/* --- place.c --- */

/* Finds the folder of `path`, with P11PROF_STORE_CREATE makes it, and sets store->path. Refused
 * where others could exchange the database. */
enum p11prof_status p11prof_store_place(struct p11prof_store *store, const char *path,
                                        struct p11prof_error *error);

/* Opens (O_PATH) the database's folder, if it still is the one that was found: P11PROF_BUSY if not.
 * *name, within store->path, is the database's name in it. */
enum p11prof_status p11prof_store_folder_open(const struct p11prof_store *store,
                                              struct p11prof_descriptor *folder, const char **name,
                                              struct p11prof_error *error);

/* Looks at the database and the files beside it, into store->file: nobody else may have put them
 * there. */
enum p11prof_status p11prof_store_look(struct p11prof_store *store, struct p11prof_error *error);

/* --- connect.c --- */

/* Opens store->path, checks whose it is and sets the connection up. */
enum p11prof_status p11prof_store_connect(struct p11prof_store *store, struct p11prof_error *error);

/* --- defend.c --- */

/* For commands: the connection's views are those of this p11prof, and no other: the file's, if they
 * are the same, or temporary ones. */
enum p11prof_status p11prof_store_own_views(struct p11prof_store *store,
                                            struct p11prof_error *error);

/* --- migrate.c --- */

/* Brings schema, names and views up to this p11prof's, in one transaction. */
enum p11prof_status p11prof_store_migrate(struct p11prof_store *store, int64_t version,
                                          struct p11prof_error *error);

/* --- descriptors.c --- */

/* Before SQLite opens a file: what lies beside a database must be a file of one name that belongs
 * to root, to us or to the database's owner, and root makes it in the database's folder alone. */
void p11prof_store_check_files(const char *path, const struct stat *database);

/* open() with O_CLOEXEC and close(); where the application shares our descriptors, of a file that
 * is known and out of its way. */
int p11prof_store_file_open(const char *path, int flags, int mode);
int p11prof_store_file_close(int fd);

/* Forgets a descriptor that is the application's by now. */
void p11prof_store_file_forget(int fd);

/* --- lock.c --- */

/* The moment after wait_ms, of CLOCK_MONOTONIC. Sleeps for a moment; false: it is that late, or the
 * store is to stop. */
uint64_t p11prof_store_deadline_ns(unsigned wait_ms);
bool p11prof_store_wait(const struct p11prof_store *store, uint64_t deadline_ns);

/* Takes the lock of writers, waiting until then at most. */
enum p11prof_status p11prof_store_lock(struct p11prof_store *store, uint64_t deadline_ns,
                                       struct p11prof_error *error);
void p11prof_store_unlock(struct p11prof_store *store);

/* --- names.c --- */

/* Inserts or replaces all names that this p11prof knows. */
enum p11prof_status p11prof_store_names(struct p11prof_store *store, struct p11prof_error *error);

/* --- rows.c --- */

/* Makes the virtual table `p11prof_rows` over store->rows known to the connection. */
enum p11prof_status p11prof_store_rows_module(struct p11prof_store *store,
                                              struct p11prof_error *error);

/* Writes rows of calls of one process. */
enum p11prof_status p11prof_store_write_rows(struct p11prof_store *store,
                                             const struct p11prof_process_rows *process,
                                             const struct p11prof_batch *batch,
                                             struct p11prof_error *error);

/* --- run.c --- */

/* For what commands write: in the caller's transaction, or, where none is open, in one of its own,
 * which end commits or, after a failure, rolls back. */
enum p11prof_status p11prof_store_begin_own(struct p11prof_store *store, bool *own,
                                            struct p11prof_error *error);
enum p11prof_status p11prof_store_end_own(struct p11prof_store *store, bool own,
                                          enum p11prof_status status, struct p11prof_error *error);

/* --- groups.c --- */

enum p11prof_status p11prof_store_write_group(struct p11prof_store *store, int64_t run_id,
                                              const struct p11prof_group *group,
                                              struct p11prof_error *error);

/* --- host.c --- */

/* Facts of this machine; "" and 0 are unknown. */
struct p11prof_host {
    char name[65], os[128], kernel[65], cpu[128], governor[32], boot_id[40], user[12];
    int64_t cpu_count, memory_bytes;
};
void p11prof_host_read(struct p11prof_host *host, uint32_t user_id);

/* "root" or the number. */
void p11prof_host_user(char user[12], uint32_t user_id);

#endif
