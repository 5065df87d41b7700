/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof exporter: serves what is recorded to Prometheus. */
#include "commands.h"
#include "common_options.h"
#include "exporter/serve.h"
#include "exporter/textfile.h"
#include "message.h"
#include "report/units.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPTION_LISTEN = 'l',
    OPTION_SOCKET_MODE = 'm',
    OPTION_TEXTFILE = 't',
    OPTION_INTERVAL = 'i',
    OPTION_SERIES_MAX = 's',
    OPTION_NO_PROGRAMS = 'P',
    OPTION_NO_TOKENS = 'T',
    SERIES_MAX = 20000,
};

static const char default_place[] = "127.0.0.1:9711";

static const struct p11prof_option options[] = {
    {"listen", OPTION_LISTEN, "PLACE",
     "ADDRESS:PORT of this machine or unix:/PATH (default: 127.0.0.1:9711)"},
    {"socket-mode", OPTION_SOCKET_MODE, "MODE", "mode of a unix: socket (default: 0660)"},
    {"textfile", OPTION_TEXTFILE, "FILE", "write the metrics to FILE and do not listen",
     P11PROF_VALUE_FILE},
    {"interval", OPTION_INTERVAL, "TIME", "write it again and again (default: once)"},
    {"series-max", OPTION_SERIES_MAX, "N", "series of counters at most (default: 20000)"},
    {"no-program-labels", OPTION_NO_PROGRAMS, NULL, "leave out what programs are called"},
    {"no-token-labels", OPTION_NO_TOKENS, NULL, "leave out what tokens are called"},
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "exporter",
    .arguments = "",
    .summary = "Serves what is recorded to Prometheus, at http://127.0.0.1:9711/metrics.",
    .options = options,
    .notes = "  p11prof exporter\n"
             "  p11prof exporter --listen unix:/run/p11prof/exporter.sock\n"
             "  p11prof exporter --textfile /var/lib/prometheus/node-exporter/p11prof.prom",
};

struct settings {
    struct p11prof_common_options common;
    struct exporter_place place; /* text NULL: the default one */
    const char *textfile;
    uint64_t interval_ns, series_max;
    bool no_programs, no_tokens, has_mode;
};

static bool take_interval(const char *value, uint64_t *out_ns)
{
    const uint64_t LEAST_NS = 1000000000, MOST_NS = UINT64_C(86400000000000);
    if (p11prof_parse_ns(value, out_ns) && *out_ns >= LEAST_NS && *out_ns <= MOST_NS)
        return true;
    p11prof_complain(0, "--interval is a time from 1s to 1d, not '%s'", value);
    return false;
}

static bool take_mode(const char *value, mode_t *out)
{
    size_t length = strlen(value);
    if (length >= 3 && length <= 4 && strspn(value, "01234567") == length) {
        *out = (mode_t)strtoul(value, NULL, 8);
        if (*out != 0 && *out <= 0777)
            return true;
    }
    p11prof_complain(0, "--socket-mode is a mode like 0660, not '%s'", value);
    return false;
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    switch (id) {
    case OPTION_LISTEN:
        return exporter_place_read(&settings->place, value);
    case OPTION_SOCKET_MODE:
        settings->has_mode = true;
        return take_mode(value, &settings->place.mode);
    case OPTION_TEXTFILE:
        settings->textfile = value;
        return true;
    case OPTION_INTERVAL:
        return take_interval(value, &settings->interval_ns);
    case OPTION_SERIES_MAX:
        return p11prof_option_number("series-max", value, 10000000, &settings->series_max);
    case OPTION_NO_PROGRAMS:
        return settings->no_programs = true;
    case OPTION_NO_TOKENS:
        return settings->no_tokens = true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

/* Returns 0, or an exit code after it said what does not go together. */
static int check(const struct settings *settings)
{
    const char *wrong = NULL;
    if (settings->textfile && settings->place.text)
        wrong = "--listen does not go with --textfile";
    else if (settings->textfile && !settings->textfile[0])
        wrong = "--textfile wants the path of a file";
    else if (!settings->textfile && settings->interval_ns > 0)
        wrong = "--interval goes with --textfile";
    else if (settings->has_mode && !exporter_place_is_file(&settings->place))
        wrong = "--socket-mode goes with --listen unix:/PATH";
    if (!wrong)
        return P11PROF_EXIT_DONE;
    p11prof_complain(0, "%s", wrong);
    return p11prof_usage_hint(&usage);
}

static void block(sigset_t *end_signals)
{
    sigemptyset(end_signals);
    sigaddset(end_signals, SIGINT);
    sigaddset(end_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, end_signals, NULL);
}

int p11prof_command_exporter(int argc, char **argv)
{
    struct settings settings = {.series_max = SERIES_MAX};
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (first < argc) {
        p11prof_complain(0, "exporter takes no arguments, not '%s'", argv[first]);
        return p11prof_usage_hint(&usage);
    }
    if ((code = check(&settings)) != P11PROF_EXIT_DONE)
        return code;
    struct exporter exporter = {.no_collect = settings.common.database.no_collect};
    exporter.sums.book = (struct exporter_book){.series_max = settings.series_max,
                                                .no_programs = settings.no_programs,
                                                .no_tokens = settings.no_tokens};
    if (!p11prof_database_choose(&exporter.database, settings.common.database.path))
        return P11PROF_EXIT_USAGE;
    block(&exporter.end_signals);
    if (!settings.textfile && !settings.place.text)
        exporter_place_read(&settings.place, default_place);
    code = settings.textfile ? exporter_textfile(&exporter, settings.textfile, settings.interval_ns)
                             : exporter_serve(&exporter, &settings.place);
    exporter_clear(&exporter);
    return code;
}
