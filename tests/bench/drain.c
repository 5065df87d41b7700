/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* How fast a spool is drained, against the raw INSERT … SELECT of the same rows into the same
 * table.
 *
 *   drain NULL_MODULE SHIM [PAIRS] [ROUNDS]
 *
 * A child makes PAIRS pairs of C_SignInit and C_Sign; their durations are then spread as those of a
 * real token (log-normal around 200 µs), so that histograms have hundreds of buckets. raw writes
 * the rows alone, in batches of the same size. Processor time says the same where other work
 * disturbs the clock on the wall. */
#include "bench.h"

#include "p11prof/drain.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH_ROWS = 65536, ROUNDS_MOST = 15 };

/* What writing a number of rows took. */
struct cost {
    double per_s;      /* rows a second */
    double cpu_s_of_m; /* processor seconds for a million */
};

static uint64_t cpu_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct cost cost_since(uint64_t start_ns, uint64_t start_cpu_ns, uint64_t count)
{
    uint64_t taken_ns = bench_now_ns() - start_ns, cpu_ns = cpu_now_ns() - start_cpu_ns;
    return (struct cost){.per_s = (double)count * 1e9 / (double)taken_ns,
                         .cpu_s_of_m = (double)cpu_ns / 1e3 / (double)count};
}

static void fail(const char *what, const struct p11prof_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->text);
    exit(1);
}

/* The child ends without a destructor: its spool stays. */
static void spool_fill(struct bench_place *place, const char *shim, const char *module,
                       unsigned pairs)
{
    pid_t child = fork();
    if (child == 0) {
        setenv("P11PROF_SPOOL_LIMIT", "1GB", 1);
        CK_FUNCTION_LIST *list = bench_shim(place, shim, module, "auto", "external");
        CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
        CK_BYTE data[32] = {0}, signature[64];
        CK_ULONG length = sizeof signature;
        list->C_Initialize(NULL);
        for (unsigned i = 0; i < pairs; i++) {
            list->C_SignInit(1, &mechanism, 7);
            list->C_Sign(1, data, sizeof data, signature, &length);
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static double normal(void)
{
    double u = (rand() + 1.0) / (RAND_MAX + 2.0), v = (rand() + 1.0) / (RAND_MAX + 2.0);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* Gives every call of the spool a duration like a token's; its end stays where it is. */
static void spool_spread(const char *path)
{
    static struct p11prof_record records[P11PROF_CHUNK_RECORDS];
    struct p11prof_spool_header header;
    struct p11prof_spool_layout layout;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        !p11prof_spool_layout(&layout, header.file_bytes))
        exit(1);
    for (uint32_t chunk = 0; chunk < layout.chunk_count; chunk++) {
        off_t offset = (off_t)(layout.chunks_offset + (uint64_t)chunk * P11PROF_CHUNK_BYTES);
        if (pread(fd, records, sizeof records, offset) != (ssize_t)sizeof records ||
            records[0].head == 0)
            continue;
        for (int i = 0; i < P11PROF_CHUNK_RECORDS && records[i].head; i++) {
            if (p11prof_head_kind(records[i].head) != P11PROF_RECORD_CALL)
                continue;
            uint64_t end_ticks = records[i].start_ticks + records[i].duration_ticks;
            records[i].duration_ticks = (uint64_t)(5e5 * exp(0.5 * normal()));
            records[i].start_ticks = end_ticks - records[i].duration_ticks;
        }
        if (pwrite(fd, records, sizeof records, offset) != (ssize_t)sizeof records)
            exit(1);
    }
    close(fd);
}

static void spool_find(const struct bench_place *place, char *path, size_t bytes)
{
    DIR *folder = opendir(place->spool);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strstr(entry->d_name, P11PROF_SPOOL_SUFFIX))
            snprintf(path, bytes, "%s/%s", place->spool, entry->d_name);
    if (folder)
        closedir(folder);
}

static struct p11prof_store *store_open(const char *path)
{
    struct p11prof_store *store;
    struct p11prof_error error = {0};
    if (p11prof_store_open(&store, path, P11PROF_STORE_CREATE, &error) != P11PROF_OK)
        fail("cannot open the database", &error);
    return store;
}

static void db_remove(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-writer"};
    char name[256];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

/* Everything included. */
static struct cost drain_cost(const struct bench_place *place)
{
    struct p11prof_collect_options options = {.folder = place->spool, .wait_ms = 1000};
    struct p11prof_collect_result result;
    struct p11prof_error error = {0};
    db_remove(place->db);
    struct p11prof_store *store = store_open(place->db);
    uint64_t start_ns = bench_now_ns(), start_cpu_ns = cpu_now_ns();
    if (p11prof_collect(store, &options, &result, &error) != P11PROF_OK)
        fail("cannot drain", &error);
    struct cost cost = cost_since(start_ns, start_cpu_ns, result.call_count);
    p11prof_store_close(store);
    return cost;
}

/* The rows of table `call` as the drain wrote them. */
static struct p11prof_row *rows_load(const struct bench_place *place, size_t *count)
{
    static const uint32_t known[] = {
        P11PROF_ROW_RV,       P11PROF_ROW_SESSION, P11PROF_ROW_MECHANISM, P11PROF_ROW_KEY_TYPE,
        P11PROF_ROW_KEY_BITS, P11PROF_ROW_KEY,     P11PROF_ROW_IN_BYTES,  P11PROF_ROW_OUT_BYTES,
        P11PROF_ROW_CALLER,   P11PROF_ROW_SLOT,    P11PROF_ROW_OPERATION};
    sqlite3 *db;
    sqlite3_stmt *statement;
    struct p11prof_row *rows = NULL;
    size_t capacity = 0;
    *count = 0;
    if (sqlite3_open(place->db, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(
            db,
            "SELECT rv, session, mechanism, key_type, key_bits, key_id, in_bytes, out_bytes, "
            "caller, slot_id, operation, start_ns, duration_ns, function, kind, thread_id, "
            "operation_call_count, operation_start_ns, operation_duration_ns FROM call",
            -1, &statement, NULL) != SQLITE_OK)
        exit(1);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        uint64_t value[19];
        if (*count == capacity) {
            capacity = capacity ? capacity * 2 : 65536;
            rows = realloc(rows, capacity * sizeof *rows);
        }
        struct p11prof_row *row = memset(&rows[(*count)++], 0, sizeof *row);
        for (int i = 0; i < 19; i++)
            value[i] = (uint64_t)sqlite3_column_int64(statement, i);
        for (int i = 0; i < 11; i++)
            row->known |= sqlite3_column_type(statement, i) == SQLITE_NULL ? 0 : known[i];
        row->rv = value[0], row->session = value[1], row->mechanism = value[2];
        row->key_type = value[3], row->key_bits = (uint32_t)value[4],
        row->key_id = (uint32_t)value[5];
        row->in_bytes = value[6], row->out_bytes = value[7], row->caller_id = (uint32_t)value[8];
        row->slot_id = value[9], row->operation = (uint8_t)value[10], row->start_ns = value[11];
        row->duration_ns = value[12], row->function = (uint16_t)value[13],
        row->kind = (uint8_t)value[14];
        row->thread_id = (uint32_t)value[15], row->operation_call_count = (uint32_t)value[16];
        row->operation_start_ns = value[17], row->operation_duration_ns = value[18];
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return rows;
}

static struct cost raw_cost(const struct bench_place *place,
                            const struct p11prof_spool_header *header, struct p11prof_row *rows,
                            size_t count)
{
    struct p11prof_error error = {0};
    struct p11prof_process_rows process;
    char path[160];
    snprintf(path, sizeof path, "%s/raw.db", place->folder);
    db_remove(path);
    struct p11prof_store *store = store_open(path);
    if (p11prof_store_begin(store, 1000, &error) ||
        p11prof_store_enter(store, header, &process, &error) || p11prof_store_commit(store, &error))
        fail("cannot enter", &error);
    uint64_t start_ns = bench_now_ns(), start_cpu_ns = cpu_now_ns();
    for (size_t first = 0; first < count; first += BATCH_ROWS) {
        struct p11prof_batch batch = {.rows = rows + first,
                                      .row_count =
                                          count - first < BATCH_ROWS ? count - first : BATCH_ROWS};
        if (p11prof_store_begin(store, 1000, &error) ||
            p11prof_store_write(store, &process, &batch, true, &error) ||
            p11prof_store_commit(store, &error))
            fail("cannot write", &error);
        process.batch++;
    }
    struct cost cost = cost_since(start_ns, start_cpu_ns, count);
    p11prof_store_close(store);
    return cost;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: drain NULL_MODULE SHIM [PAIRS] [ROUNDS]\n");
        return 2;
    }
    unsigned pairs = argc > 3 ? (unsigned)atoi(argv[3]) : 750000;
    unsigned rounds = argc > 4 ? (unsigned)atoi(argv[4]) : 5;
    double drained[ROUNDS_MOST], raw[ROUNDS_MOST], ratio[ROUNDS_MOST];
    double drained_cpu[ROUNDS_MOST], raw_cpu[ROUNDS_MOST];
    rounds = rounds > ROUNDS_MOST ? ROUNDS_MOST : rounds;
    struct bench_place place;
    bench_place_make(&place);
    for (unsigned round = 0; round < rounds; round++) {
        char path[512] = "";
        struct p11prof_spool_header header;
        spool_fill(&place, argv[2], argv[1], pairs);
        spool_find(&place, path, sizeof path);
        spool_spread(path);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header)
            return 1;
        close(fd);
        size_t count;
        struct cost cost = drain_cost(&place);
        drained[round] = cost.per_s, drained_cpu[round] = cost.cpu_s_of_m;
        struct p11prof_row *rows = rows_load(&place, &count);
        cost = raw_cost(&place, &header, rows, count);
        raw[round] = cost.per_s, raw_cpu[round] = cost.cpu_s_of_m;
        ratio[round] = drained[round] / raw[round];
        free(rows);
    }
    printf("%u rounds of %u calls: drained %.2f M rows/s, raw INSERT ... SELECT %.2f M rows/s, "
           "ratio %.2f "
           "(%.2f ... %.2f)\n",
           rounds, 2 * pairs, bench_quantile(drained, rounds, 0.5) / 1e6,
           bench_quantile(raw, rounds, 0.5) / 1e6, bench_quantile(ratio, rounds, 0.5), ratio[0],
           ratio[rounds - 1]);
    double drained_s = bench_quantile(drained_cpu, rounds, 0.5),
           raw_s = bench_quantile(raw_cpu, rounds, 0.5);
    printf("processor for 1 M rows: drained %.2f s, raw %.2f s, ratio %.2f\n", drained_s, raw_s,
           raw_s / drained_s);
    bench_place_remove(&place);
    return 0;
}
