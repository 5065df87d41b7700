/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "http.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A client that says nothing, or reads nothing, is left after a while; until then others have
 * their turn. */
enum { CLIENTS_MOST = 64, SILENCE_SECONDS = 10, CLIENT_BYTES = 16384 };

struct server {
    struct MHD_Daemon *daemon;
    p11prof_http_make *make;
    void *payload;
};

static const char metrics_type[] = "text/plain; version=0.0.4; charset=utf-8";
static const char start_page[] =
    "<!DOCTYPE html><html lang=\"en\"><title>p11prof exporter</title>"
    "<h1>p11prof exporter</h1><p><a href=\"/metrics\">Metrics</a></p></html>\n";

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code, const char *type,
                              struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned code,
                                   const char *type, const char *text)
{
    return answer(
        connection, code, type,
        MHD_create_response_from_buffer(strlen(text), (char *)text, MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result answer_metrics(struct server *server, struct MHD_Connection *connection)
{
    size_t bytes = 0;
    char *page = server->make(server->payload, &bytes);
    struct MHD_Response *response =
        page ? MHD_create_response_from_buffer(bytes, page, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response)
        free(page);
    return answer(connection, MHD_HTTP_OK, metrics_type, response);
}

static enum MHD_Result on_request(void *payload, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **request)
{
    (void)version, (void)upload, (void)upload_bytes, (void)request;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
                           "Only GET and HEAD.\n");
    if (strcmp(url, "/metrics") == 0)
        return answer_metrics(payload, connection);
    if (strcmp(url, "/") == 0)
        return answer_text(connection, MHD_HTTP_OK, "text/html; charset=utf-8", start_page);
    return answer_text(connection, MHD_HTTP_NOT_FOUND, "text/plain",
                       "There is only /metrics here.\n");
}

static void *start(int socket, p11prof_http_make *make, void *payload)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->make = make;
    server->payload = payload;
    server->daemon = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request,
        server, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CLIENTS_MOST, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_BYTES, MHD_OPTION_END);
    if (!server->daemon) {
        free(server);
        return NULL;
    }
    return server;
}

static void stop(void *payload)
{
    struct server *server = payload;
    MHD_stop_daemon(server->daemon);
    free(server);
}

__attribute__((visibility("default"))) const struct p11prof_http p11prof_http = {start, stop};
