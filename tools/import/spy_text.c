/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "import/spy_text.h"

#include <stdio.h>
#include <string.h>

/* Between quotes, without trailing blanks; bytes that are no text become '?'. */
static void quoted_take(char *out, size_t bytes, const char *value)
{
    const char *open = strchr(value, '\'');
    const char *close = open ? strrchr(open + 1, '\'') : NULL;
    size_t length = close ? (size_t)(close - open) - 1 : 0;
    while (length > 0 && open[length] == ' ')
        length--;
    length = length < bytes ? length : bytes - 1;
    for (size_t i = 0; i < length; i++)
        out[i] =
            (char)((unsigned char)open[1 + i] < 0x20 || open[1 + i] == 0x7f ? '?' : open[1 + i]);
    out[length] = '\0';
}

static void version_take(const char *value, uint8_t *major, uint8_t *minor)
{
    unsigned first = 0, second = 0;
    if (sscanf(value, " %3u.%3u", &first, &second) == 2) {
        *major = (uint8_t)first;
        *minor = (uint8_t)second;
    }
}

void p11prof_spy_text(struct p11prof_spy_call *call, const char *text)
{
    struct p11prof_token_row *texts = &call->texts;
    bool info = call->function == P11PROF_C_GetInfo;
    if (!info && call->function != P11PROF_C_GetTokenInfo)
        return;
    const struct {
        const char *name;
        char *out;
        size_t bytes;
        uint8_t *major, *minor;
    } fields[] = {
        {"label:", texts->label, sizeof texts->label, NULL, NULL},
        {"libraryDescription:", texts->label, sizeof texts->label, NULL, NULL},
        {"manufacturerID:", texts->manufacturer, sizeof texts->manufacturer, NULL, NULL},
        {"model:", texts->model, sizeof texts->model, NULL, NULL},
        {"serialNumber:", texts->serial, sizeof texts->serial, NULL, NULL},
        {"hardwareVersion:", NULL, 0, &texts->hardware_major, &texts->hardware_minor},
        {"cryptokiVersion:", NULL, 0, &texts->hardware_major, &texts->hardware_minor},
        {"firmwareVersion:", NULL, 0, &texts->firmware_major, &texts->firmware_minor},
        {"libraryVersion:", NULL, 0, &texts->firmware_major, &texts->firmware_minor},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        size_t length = strlen(fields[i].name);
        if (strncmp(text, fields[i].name, length) != 0)
            continue;
        texts->described = true;
        if (fields[i].out)
            quoted_take(fields[i].out, fields[i].bytes, text + length);
        else
            version_take(text + length, fields[i].major, fields[i].minor);
    }
}

void p11prof_spy_texts_feed(const struct p11prof_spy_call *call, struct p11prof_feed *feed)
{
    struct p11prof_token_row token = call->texts;
    char library[80];
    if (!token.described)
        return;
    if (call->function == P11PROF_C_GetTokenInfo && call->fact[0] != UINT64_MAX) {
        token.slot_id = call->fact[0];
        p11prof_feed_token(feed, &token);
    } else if (call->function == P11PROF_C_GetInfo) {
        snprintf(library, sizeof library, "%s %u.%u (%s)", token.label, token.firmware_major,
                 token.firmware_minor, token.manufacturer);
        p11prof_feed_library(feed, library, token.hardware_major, token.hardware_minor);
    }
}
