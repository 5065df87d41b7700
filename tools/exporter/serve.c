/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "serve.h"

#include "commands.h"
#include "http.h"
#include "message.h"
#include "record/parts.h"
#include "report/allocate.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A page is the answer to all who ask within a second; one is given up, for a scraper does not wait
 * for ever. */
static const double page_seconds = 1, scrape_seconds = 5;

/* What the server's thread makes pages with. */
struct serving {
    struct exporter *exporter;
    char *page;
    size_t page_bytes;
    double made_seconds; /* when */
};

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static char *make_page(void *payload, size_t *bytes)
{
    struct serving *serving = payload;
    if (!serving->page || now_seconds() - serving->made_seconds >= page_seconds) {
        free(serving->page);
        serving->page = exporter_scrape(serving->exporter, scrape_seconds, &serving->page_bytes);
        serving->made_seconds = now_seconds();
    }
    *bytes = serving->page_bytes;
    char *copy = p11prof_zalloc(1, serving->page_bytes + 1);
    memcpy(copy, serving->page, serving->page_bytes);
    return copy;
}

static const struct p11prof_http *load(void)
{
    char path[PATH_MAX];
    struct p11prof_error error;
    if (p11prof_find_http(path, sizeof path, &error) != P11PROF_OK) {
        p11prof_complain_of(&error);
        return NULL;
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct p11prof_http *http = library ? dlsym(library, P11PROF_HTTP_SYMBOL) : NULL;
    if (!http)
        p11prof_complain(0,
                         "the web server cannot be loaded: %s: install libmicrohttpd12, or use "
                         "--textfile",
                         dlerror());
    return http;
}

/* What is there when it begins may take long: clients wait, the system holds their connections. */
static void scrape_first(struct exporter *exporter)
{
    size_t bytes;
    free(exporter_scrape(exporter, 0, &bytes));
}

int exporter_serve(struct exporter *exporter, struct exporter_place *place)
{
    struct serving serving = {.exporter = exporter};
    int number, code = P11PROF_EXIT_DONE;
    const struct p11prof_http *http = load();
    int socket = http ? exporter_listen(place) : -1;
    if (socket < 0)
        return P11PROF_EXIT_FAILED;
    scrape_first(exporter);
    void *server = http->start(socket, make_page, &serving);
    if (server) {
        sigwait(&exporter->end_signals, &number);
        kill(getpid(), number); /* it is pending again: a scrape that goes on gives up */
        http->stop(server);
    } else {
        code = p11prof_complain(P11PROF_EXIT_FAILED, "the web server cannot be started: %m");
        close(socket);
    }
    exporter_listen_end(place);
    free(serving.page);
    return code;
}
