/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The web server of the exporter: p11prof-http.so, loaded by the one command that needs it, for
 * libmicrohttpd brings a TLS library along whose start would slow every other command. */
#ifndef P11PROF_EXPORTER_HTTP_H
#define P11PROF_EXPORTER_HTTP_H

#include <stddef.h>

/* Makes the page of /metrics; the server frees it. Called by one thread at a time. */
typedef char *p11prof_http_make(void *payload, size_t *bytes);

struct p11prof_http {
    /* Serves on a socket that listens, in a thread of its own, which gets the signal mask of the
     * caller. NULL, with errno, if it cannot. */
    void *(*start)(int socket, p11prof_http_make *make, void *payload);
    /* Waits for the page that is being made; the socket is closed. */
    void (*stop)(void *server);
};

/* What the library exports. */
#define P11PROF_HTTP_SYMBOL "p11prof_http"
extern const struct p11prof_http p11prof_http;

#endif
