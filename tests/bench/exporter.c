/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a scrape of the exporter takes, beside a page of it that needs no database.
 *
 *   exporter P11PROF [CALLS] [RUNS]
 *
 * The database has one run of so many calls and so many runs of 600 calls. Scrapes where nothing
 * was recorded since the last one, and where each of the large run's series has changed. The
 * exporter keeps a page for a second, so there is more than that between two. */
#include "bench.h"
#include "fill.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 9, SMALL_CALLS = 600, PAUSE_MS = 1050, START_TRIES = 6000 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct p11prof_store *store_open(const char *path)
{
    struct p11prof_store *store;
    struct p11prof_error error;
    if (p11prof_store_open(&store, path, P11PROF_STORE_CREATE, &error) != P11PROF_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return store;
}

static void small_runs_fill(struct p11prof_store *store, unsigned runs)
{
    struct p11prof_spool_header **headers = calloc(runs, sizeof *headers);
    for (unsigned i = 0; i < runs; i++)
        headers[i] = bench_header(2 + i);
    bench_fill(store, headers, runs, SMALL_CALLS, true);
    for (unsigned i = 0; i < runs; i++)
        free(headers[i]);
    free(headers);
}

static pid_t exporter_start(const char *program, const struct bench_place *place,
                            const char *listen)
{
    pid_t child = fork();
    if (child == 0) {
        setenv("P11PROF_SPOOL", place->spool, 1);
        execl(program, program, "exporter", "--db", place->db, "--listen", listen, NULL);
        fail(program);
    }
    return child;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (unsigned i = 0; connect(fd, (struct sockaddr *)&address, sizeof address) != 0; i++) {
        if (i == START_TRIES)
            fail(path);
        bench_sleep_ms(10);
    }
    return fd;
}

/* Time until all of the page is there; *bytes is how long it is. */
static double get(const char *path, const char *page, size_t *bytes)
{
    char text[65536];
    int fd = connect_to(path);
    uint64_t start_ns = bench_now_ns();
    int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", page);
    if (write(fd, text, (size_t)length) != length)
        fail("write");
    *bytes = 0;
    for (ssize_t got; (got = read(fd, text, sizeof text)) > 0;)
        *bytes += (size_t)got;
    close(fd);
    return (double)(bench_now_ns() - start_ns);
}

static void measure(const char *what, const char *path, const char *page,
                    struct p11prof_store *store, struct p11prof_spool_header *changing)
{
    double times[ROUNDS];
    size_t bytes = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (changing)
            bench_fill(store, &changing, 1, SMALL_CALLS, false);
        bench_sleep_ms(PAUSE_MS);
        times[round] = get(path, page, &bytes);
    }
    printf("  %-28s median %6.2f ms, at most %6.2f ms, %4.0f KB\n", what,
           bench_quantile(times, ROUNDS, 0.5) / 1e6, bench_quantile(times, ROUNDS, 1) / 1e6,
           (double)bytes / 1024);
}

int main(int argc, char **argv)
{
    struct bench_place place;
    size_t bytes, calls = strtoull(argc > 2 ? argv[2] : "10000000", NULL, 10);
    unsigned runs = (unsigned)strtoul(argc > 3 ? argv[3] : "2000", NULL, 10);
    char path[128], listen[160];
    if (argc < 2) {
        fputs("usage: exporter P11PROF [CALLS] [RUNS]\n", stderr);
        return 2;
    }
    bench_place_make(&place);
    snprintf(path, sizeof path, "%s/exporter.sock", place.folder);
    snprintf(listen, sizeof listen, "unix:%s", path);
    struct p11prof_store *store = store_open(place.db);
    struct p11prof_spool_header *large = bench_header(1);
    bench_fill(store, &large, 1, calls, false);
    if (runs > 0)
        small_runs_fill(store, runs);
    uint64_t start_ns = bench_now_ns();
    pid_t child = exporter_start(argv[1], &place, listen);
    get(path, "/metrics", &bytes);
    printf("%zu calls in one run, %u other runs: first page after %.0f ms\n", calls, runs,
           (double)(bench_now_ns() - start_ns) / 1e6);
    measure("the start page", path, "/", store, NULL);
    measure("metrics, nothing new", path, "/metrics", store, NULL);
    measure("metrics, the run goes on", path, "/metrics", store, large);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    p11prof_store_close(store);
    free(large);
    bench_place_remove(&place);
    return 0;
}
