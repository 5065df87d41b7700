/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench.h"

#include <dlfcn.h>
#include <ftw.h>
#include <p11-kit/p11-kit.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s\n", what, detail);
    exit(1);
}

void bench_place_make(struct bench_place *place)
{
    const char *temporary = getenv("TMPDIR");
    memset(place, 0, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "%.32s/p11prof-bench-XXXXXX",
             temporary ? temporary : "/tmp");
    if (!mkdtemp(place->folder))
        die("cannot make a folder", place->folder);
    snprintf(place->db, sizeof place->db, "%s/bench.db", place->folder);
    snprintf(place->spool, sizeof place->spool, "/dev/shm/bench-p11prof-XXXXXX");
    if (!mkdtemp(place->spool))
        die("cannot make a folder", place->spool);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts, (void)kind, (void)place;
    return remove(path);
}

void bench_place_remove(struct bench_place *place)
{
    nftw(place->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    nftw(place->spool, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_sleep_ms(unsigned milliseconds)
{
    const struct timespec time = {.tv_sec = milliseconds / 1000,
                                  .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

double bench_quantile(double *values, size_t count, double q)
{
    qsort(values, count, sizeof *values, ascending);
    return values[(size_t)((double)(count - 1) * q + 0.5)];
}

CK_FUNCTION_LIST *bench_load(const char *path)
{
    CK_FUNCTION_LIST *list = NULL;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        die("cannot load", dlerror());
    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList");
    if (!get || get(&list) != CKR_OK)
        die("no function list in", path);
    return list;
}

static void file_copy(const char *from, const char *to)
{
    char bytes[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    if (!in || !out)
        die("cannot copy", from);
    for (size_t got; (got = fread(bytes, 1, sizeof bytes, in)) > 0;)
        if (fwrite(bytes, 1, got, out) != got)
            die("cannot write", to);
    fclose(in);
    if (fclose(out) != 0)
        die("cannot write", to);
}

CK_FUNCTION_LIST *bench_shim(struct bench_place *place, const char *shim, const char *module,
                             const char *clock, const char *drain)
{
    char copy[160], conf[160], real[4096];
    unsigned number = place->shim_count++;
    snprintf(copy, sizeof copy, "%s/shim-%u.so", place->folder, number);
    snprintf(conf, sizeof conf, "%s/shim-%u.conf", place->folder, number);
    file_copy(shim, copy);
    if (!realpath(module, real))
        die("no such module", module);
    FILE *out = fopen(conf, "w");
    if (!out)
        die("cannot write", conf);
    fprintf(out, "module = %s\ndb = %s\nspool = %s\nclock = %s\ndrain = %s\nname = %s\n", real,
            place->db, place->spool, clock, drain, clock);
    fclose(out);
    chmod(conf, 0600);
    return bench_load(copy);
}

CK_FUNCTION_LIST *bench_spy(const char *spy, const char *module)
{
    setenv("PKCS11SPY", module, 1);
    setenv("PKCS11SPY_OUTPUT", "/dev/null", 1);
    return bench_load(spy);
}

static void file_write(const char *path, const char *format, const char *value)
{
    FILE *out = fopen(path, "w");
    if (!out)
        die("cannot write", path);
    fprintf(out, format, value);
    fclose(out);
}

CK_FUNCTION_LIST *bench_log_calls(struct bench_place *place, const char *module)
{
    /* Exported for p11-kit's own tests, in no public header. */
    void (*override)(const char *, const char *, const char *, const char *, const char *) =
        (void (*)(const char *, const char *, const char *, const char *, const char *))dlsym(
            RTLD_DEFAULT, "p11_kit_override_system_files");
    char conf[160], modules_path[160], path[192], real[4096];
    if (!override || !realpath(module, real))
        return NULL;
    snprintf(conf, sizeof conf, "%s/pkcs11.conf", place->folder);
    snprintf(modules_path, sizeof modules_path, "%s/modules", place->folder);
    snprintf(path, sizeof path, "%s/null.module", modules_path);
    mkdir(modules_path, 0700);
    file_write(conf, "user-config: none\n", "");
    file_write(path, "module: %s\nlog-calls: yes\n", real);
    override(conf, conf, modules_path, modules_path, modules_path);
    CK_FUNCTION_LIST **modules = p11_kit_modules_load(NULL, 0);
    return modules ? modules[0] : NULL;
}

uint64_t bench_sum(const struct bench_place *place, const char *query)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    uint64_t sum = 0;
    if (sqlite3_open_v2(place->db, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, query, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        sum = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return sum;
}

uint64_t bench_lost(const struct bench_place *place)
{
    return bench_sum(place, "SELECT sum(lost_count) FROM runs");
}
