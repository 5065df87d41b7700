/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stress.h"

#include "../report/safe_text.h"
#include "../report/units.h"
#include "templates.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

FILE *stress_lines(const struct bench_settings *settings)
{
    if (settings->format == P11PROF_FORMAT_TEXT && !settings->metrics)
        return stdout;
    return settings->quiet ? NULL : stderr;
}

enum { TIME, RATE, P50, P99, ERRORS, CPU, TEMPERATURE, RSS, SESSIONS, CELLS };
static const struct {
    const char *heading;
    unsigned width;
} cells[CELLS] = {{"TIME", 8}, {"OPS/S", 9}, {"P50", 9}, {"P99", 9},     {"ERRORS", 7},
                  {"CPU", 7},  {"TEMP", 8},  {"RSS", 8}, {"SESSIONS", 8}};

static void cell_print(FILE *stream, unsigned cell, const char *text)
{
    size_t width = p11prof_text_width(text);
    size_t blanks = cells[cell].width > width ? cells[cell].width - width : 0;
    fprintf(stream, "  %*s%s", (int)blanks, "", text);
}

/* --- the head --- */

static void key_print(FILE *stream, const struct bench_run *run,
                      const struct p11prof_bench_test *test)
{
    static const char *const kinds[] = {
        [P11PROF_BENCH_KEY_RSA] = "RSA",
        [P11PROF_BENCH_KEY_EC] = "EC",
        [P11PROF_BENCH_KEY_EDWARDS] = "Edwards",
        [P11PROF_BENCH_KEY_MONTGOMERY] = "Montgomery",
        [P11PROF_BENCH_KEY_AES] = "AES",
        [P11PROF_BENCH_KEY_DES3] = "DES3",
        [P11PROF_BENCH_KEY_GENERIC] = "generic secret",
    };
    const struct p11prof_parameter_set *set =
        p11prof_bench_parameter_set(test->key_kind, test->key_bits);
    char label[256];
    if (test->key_kind == P11PROF_BENCH_KEY_NONE)
        return;
    p11prof_safe_text(label, sizeof label, run->own_key.label);
    if (run->own_key.wanted)
        fprintf(stream, ", key \"%s\"", label);
    else
        fputs(", key made for it", stream);
    if (set)
        fprintf(stream, " (%s)", set->name);
    else
        fprintf(stream, " (%s, %" PRIu32 " bits)", kinds[test->key_kind], test->key_bits);
}

void stress_head_print(FILE *stream, const struct stress *stress)
{
    const struct bench_run *run = stress->run;
    const struct bench_load *load = stress->load;
    char duration[P11PROF_UNIT_TEXT_BYTES], interval[P11PROF_UNIT_TEXT_BYTES], processes[48] = "";
    char rate[48] = "";
    if (!stream)
        return;
    p11prof_format_ns(duration, run->settings->measured.ns);
    p11prof_format_ns(interval, run->settings->stress.interval_ns);
    if (load->processes > 1)
        snprintf(processes, sizeof processes, " in each of %u processes", load->processes);
    if (load->rate > 0)
        snprintf(rate, sizeof rate, ", %g operations/s%s", load->rate,
                 load->poisson ? " at random" : "");
    fprintf(stream, "Stress: %s, %u thread%s%s%s", load->test.id, load->threads,
            load->threads == 1 ? "" : "s", processes, rate);
    key_print(stream, run, &load->test);
    fprintf(stream, ", %s, a line each %s\n", duration, interval);
    for (unsigned i = 0; i < CELLS; i++)
        cell_print(stream, i, cells[i].heading);
    fputc('\n', stream);
    fflush(stream);
}

/* --- lines --- */

static void time_text(char *out, int64_t ns)
{
    strcpy(out, "-");
    if (ns >= 0)
        p11prof_format_ns(out, (uint64_t)ns);
}

static void count_text(char *out, int64_t count)
{
    if (count >= 0)
        snprintf(out, P11PROF_UNIT_TEXT_BYTES, "%" PRId64, count);
    else
        strcpy(out, "-");
}

void stress_line_print(FILE *stream, const struct p11prof_interval_row *row)
{
    char text[CELLS][P11PROF_UNIT_TEXT_BYTES] = {
        [RATE] = "-", [CPU] = "-", [TEMPERATURE] = "-", [RSS] = "-"};
    char steal[P11PROF_UNIT_TEXT_BYTES];
    if (!stream)
        return;
    time_text(text[TIME], (int64_t)row->until_ns);
    if (row->measured_ns > 0)
        p11prof_format_rate(text[RATE], (double)(row->count - row->error_count) * 1e9 /
                                            (double)row->measured_ns);
    time_text(text[P50], row->p50_ns);
    time_text(text[P99], row->p99_ns);
    count_text(text[ERRORS], (int64_t)row->error_count);
    if (row->cpu_share >= 0)
        p11prof_format_share(text[CPU], row->cpu_share);
    if (!isnan(row->temperature_celsius))
        snprintf(text[TEMPERATURE], sizeof text[0], "%.1f °C", row->temperature_celsius);
    if (row->rss_bytes >= 0)
        p11prof_format_bytes(text[RSS], (uint64_t)row->rss_bytes);
    count_text(text[SESSIONS], row->session_count);
    for (unsigned i = 0; i < CELLS; i++)
        cell_print(stream, i, text[i]);
    if (row->steal_share > 0) {
        p11prof_format_share(steal, row->steal_share);
        fprintf(stream, "  stolen %s", steal);
    }
    fputc('\n', stream);
    fflush(stream);
}

void stress_errors_text(char *out, size_t out_bytes, const struct stress *stress)
{
    char after[P11PROF_UNIT_TEXT_BYTES], rv[32];
    uint64_t begin_ns = stress->begin_ns, first_ns = stress->first_error_ns;
    p11prof_format_ns(after, first_ns > begin_ns ? first_ns - begin_ns : 0);
    snprintf(out, out_bytes, "%s, the first after %s",
             stress->first_rv == CKR_OK ? "wrong results" : p11prof_rv_text(stress->first_rv, rv),
             after);
}
