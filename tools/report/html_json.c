/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "html_parts.h"
#include "safe_text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *bytes, *escape;
} escapes[] = {{"<", "\\u003c"},
               {">", "\\u003e"},
               {"&", "\\u0026"},
               {"\u2028", "\\u2028"},
               {"\u2029", "\\u2029"}};
enum { ESCAPES = sizeof escapes / sizeof escapes[0], ESCAPE_BYTES = 6 };

/* Index of the escape for what `json` starts with; ESCAPES if it needs none. */
static size_t escape_of(const char *json)
{
    size_t i = 0;
    while (i < ESCAPES && strncmp(json, escapes[i].bytes, strlen(escapes[i].bytes)) != 0)
        i++;
    return i;
}

void p11prof_html_write_json(FILE *stream, const char *json)
{
    while (*json) {
        size_t escape = escape_of(json);
        if (escape < ESCAPES)
            fputs(escapes[escape].escape, stream);
        else
            putc(*json, stream);
        json += escape < ESCAPES ? strlen(escapes[escape].bytes) : 1;
    }
}

size_t p11prof_html_json_bytes(const char *json)
{
    size_t bytes = 0;
    while (*json) {
        size_t escape = escape_of(json);
        bytes += escape < ESCAPES ? ESCAPE_BYTES : 1;
        json += escape < ESCAPES ? strlen(escapes[escape].bytes) : 1;
    }
    return bytes;
}

struct cJSON *p11prof_html_text(const char *text, size_t bytes)
{
    char *safe = p11prof_safe_copy(text);
    if (strlen(safe) > bytes) {
        p11prof_safe_text(safe, bytes - strlen("…"), text);
        strcat(safe, "…");
    }
    cJSON *json = cJSON_CreateString(safe);
    free(safe);
    return json;
}

bool p11prof_html_put(struct cJSON *array, struct cJSON *item, struct p11prof_html_room *room)
{
    char *text = cJSON_PrintUnformatted(item);
    size_t bytes = text ? p11prof_html_json_bytes(text) + strlen(",") : SIZE_MAX;
    cJSON_free(text);
    if (room->items > 0 && bytes <= room->bytes) {
        room->items--;
        room->bytes -= bytes;
        return cJSON_AddItemToArray(array, item);
    }
    room->items = 0;
    room->left_out++;
    cJSON_Delete(item);
    return false;
}
