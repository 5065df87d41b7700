/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_tables.h"
#include "latency_median.h"
#include "report/allocate.h"
#include "report/quantile.h"

#include <math.h>
#include <stdlib.h>

void p11prof_latency_findings_make(struct p11prof_latency_findings *out,
                                   const struct p11prof_latency_gather *gather)
{
    out->first_count = p11prof_latency_firsts(&out->firsts, gather);
    out->mode_count = p11prof_latency_modes(&out->modes, gather);
    out->line_count = p11prof_latency_lines(&out->lines, gather);
    p11prof_latency_floor_find(&out->floor, gather);
}

void p11prof_latency_findings_clear(struct p11prof_latency_findings *findings)
{
    free(findings->firsts);
    free(findings->modes);
    free(findings->lines);
    p11prof_latency_floor_clear(&findings->floor);
}

bool p11prof_latency_on_top(uint64_t *out_ns, const struct p11prof_latency_findings *findings,
                            const struct p11prof_latency_gather *gather, size_t group)
{
    uint64_t floor_ns = p11prof_latency_floor_ns(&findings->floor);
    uint64_t median_ns =
        p11prof_latency_quantile(&gather->groups[group].buckets, P11PROF_MILLION / 2);
    *out_ns = median_ns > floor_ns ? median_ns - floor_ns : 0;
    return floor_ns > 0 && *out_ns > 0 && p11prof_latency_is_crypto(gather, group);
}

struct writing {
    struct p11prof_section *out;
    const struct p11prof_latency_told *told;
    struct p11prof_table *table;
    struct p11prof_cell *row;
};

static void integer(struct writing *writing, const char *column, double value)
{
    p11prof_table_set_integer(writing->table, writing->row, column, llround(value));
}

/* To three decimals. */
static void real(struct writing *writing, const char *column, double value)
{
    p11prof_table_set_real(writing->table, writing->row, column, round(value * 1000) / 1000);
}

static void add_row(struct writing *writing)
{
    writing->row = p11prof_table_add_row(writing->table);
    integer(writing, "run_id", (double)writing->out->run_id);
}

static void set_shape(struct writing *writing, size_t index)
{
    const struct p11prof_latency_shape *shape = &writing->told->gather->shapes[index];
    char buffer[P11PROF_CODE_BYTES];
    p11prof_table_set_text(writing->table, writing->row, "function",
                           p11prof_calls[shape->function].name);
    if (shape->mechanism != P11PROF_EVENT_UNKNOWN)
        p11prof_table_set_text(
            writing->table, writing->row, "mechanism",
            p11prof_code_names_text(&writing->told->names->mechanisms, shape->mechanism, buffer));
}

static void set_group(struct writing *writing, size_t index)
{
    const struct p11prof_latency_group *group = &writing->told->gather->groups[index];
    char buffer[P11PROF_CODE_BYTES];
    set_shape(writing, group->shape);
    if (group->key_type != P11PROF_EVENT_UNKNOWN)
        p11prof_table_set_text(
            writing->table, writing->row, "key_type",
            p11prof_code_names_text(&writing->told->names->key_types, group->key_type, buffer));
    if (group->key_bits != P11PROF_EVENT_UNKNOWN)
        p11prof_table_set_integer(writing->table, writing->row, "key_bits", group->key_bits);
}

static void add_firsts(struct writing *writing, const struct p11prof_latency_findings *findings)
{
    static const char *const scopes[] = {"process", "key", "session"};
    writing->table = p11prof_section_add(
        writing->out, "first_calls", "First calls that are slow",
        "run_id first_in function mechanism key_type key_bits unit_count first_call_ns p50_ns "
        "ratio "
        "ratio_low ratio_high slow_count extra_ns",
        "first_in function mechanism key_type key_bits unit_count first_call_ns p50_ns "
        "ratio slow_count extra_ns");
    for (size_t i = 0; i < findings->first_count; i++) {
        const struct p11prof_latency_first *first = &findings->firsts[i];
        add_row(writing);
        p11prof_table_set_text(writing->table, writing->row, "first_in", scopes[first->scope]);
        set_group(writing, first->group);
        integer(writing, "unit_count", (double)first->unit_count);
        integer(writing, "first_call_ns", (double)first->first_ns);
        integer(writing, "p50_ns", (double)first->rest_ns);
        real(writing, "ratio", first->ratio);
        if (first->ratio_low >= 0) {
            real(writing, "ratio_low", first->ratio_low);
            real(writing, "ratio_high", first->ratio_high);
        }
        integer(writing, "slow_count", (double)first->slow_count);
        integer(writing, "extra_ns", (double)first->cost_ns);
    }
}

static void set_rule(struct writing *writing, const struct p11prof_latency_mode *mode)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    if (mode->periodic)
        p11prof_latency_period_print(stream, &mode->period);
    else
        p11prof_latency_cause_print(stream, writing->told, &mode->causes[0]);
    fclose(stream);
    p11prof_table_set_text(writing->table, writing->row, "rule", text);
    p11prof_table_set_text(writing->table, writing->row, "told_by",
                           mode->periodic ? "period"
                                          : p11prof_latency_factor_name(mode->causes[0].factor));
    free(text);
}

static void set_also(struct writing *writing, const struct p11prof_latency_mode *mode)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 1; i < mode->cause_count; i++)
        fprintf(stream, "%s%s", i > 1 ? " " : "",
                p11prof_latency_factor_name(mode->causes[i].factor));
    fclose(stream);
    p11prof_table_set_text(writing->table, writing->row, "also", text);
    free(text);
}

static void set_causes(struct writing *writing, const struct p11prof_latency_mode *mode)
{
    if (p11prof_latency_mode_is_told(mode))
        set_rule(writing, mode);
    if (mode->cause_count == 0)
        return;
    real(writing, "of_slow", mode->causes[0].of_slow);
    real(writing, "of_fast", mode->causes[0].of_fast);
    set_also(writing, mode);
}

static void add_modes(struct writing *writing, const struct p11prof_latency_findings *findings)
{
    writing->table = p11prof_section_add(
        writing->out, "modes", "Slow modes, and what tells them from the faster ones",
        "run_id function mechanism peak_ns faster_ns low_ns high_ns count share told_by rule "
        "of_slow of_fast also extra_ns",
        "function mechanism peak_ns faster_ns count share rule of_slow of_fast extra_ns");
    for (size_t i = 0; i < findings->mode_count; i++) {
        const struct p11prof_latency_mode *mode = &findings->modes[i];
        add_row(writing);
        set_shape(writing, mode->shape);
        integer(writing, "peak_ns", (double)mode->mode.peak_ns);
        integer(writing, "faster_ns", (double)mode->faster_ns);
        integer(writing, "low_ns", (double)mode->mode.low_ns);
        if (mode->mode.high_ns != UINT64_MAX)
            integer(writing, "high_ns", (double)mode->mode.high_ns);
        integer(writing, "count", (double)mode->mode.count);
        real(writing, "share", mode->share);
        set_causes(writing, mode);
        integer(writing, "extra_ns", (double)mode->cost_ns);
    }
}

static void add_lines(struct writing *writing, const struct p11prof_latency_findings *findings)
{
    writing->table = p11prof_section_add(
        writing->out, "sizes", "What a call takes whatever its size, and what a KB adds",
        "run_id function mechanism key_type key_bits count size_count fixed_ns fixed_low_ns "
        "fixed_high_ns per_kb_ns per_kb_low_ns per_kb_high_ns bytes_per_s stray bytes_share",
        "function mechanism key_type key_bits count size_count fixed_ns per_kb_ns per_kb_low_ns "
        "per_kb_high_ns bytes_per_s stray bytes_share");
    for (size_t i = 0; i < findings->line_count; i++) {
        const struct p11prof_latency_line *line = &findings->lines[i];
        add_row(writing);
        set_group(writing, line->group);
        integer(writing, "count", (double)line->count);
        integer(writing, "size_count", (double)line->size_count);
        integer(writing, "fixed_ns", line->fixed_ns);
        integer(writing, "fixed_low_ns", line->fixed_low_ns);
        integer(writing, "fixed_high_ns", line->fixed_high_ns);
        integer(writing, "per_kb_ns", line->per_byte_ns * 0x1p10);
        integer(writing, "per_kb_low_ns", line->per_byte_low_ns * 0x1p10);
        integer(writing, "per_kb_high_ns", line->per_byte_high_ns * 0x1p10);
        real(writing, "bytes_per_s", 1e9 / line->per_byte_ns);
        real(writing, "stray", line->stray);
        real(writing, "bytes_share", line->bytes_share);
    }
}

static void add_floor(struct writing *writing, const struct p11prof_latency_floor *floor)
{
    writing->table = p11prof_section_add(
        writing->out, "floor",
        "Calls without crypto: the cheapest that is no shorter than 10 us is "
        "taken as the floor of a round trip",
        "run_id function count p5_ns p50_ns trip", "function count p5_ns p50_ns trip");
    for (size_t i = 0; i < floor->cheap_count; i++) {
        const struct p11prof_latency_cheap *cheap = &floor->cheap[i];
        add_row(writing);
        p11prof_table_set_text(writing->table, writing->row, "function",
                               p11prof_calls[cheap->function].name);
        integer(writing, "count", (double)cheap->count);
        integer(writing, "p5_ns", (double)cheap->p5_ns);
        integer(writing, "p50_ns", (double)cheap->p50_ns);
        p11prof_table_set_text(writing->table, writing->row, "trip",
                               i == floor->taken   ? "floor"
                               : cheap->in_process ? "none"
                               : cheap->agrees     ? "agrees"
                                                   : "more");
    }
}

static void add_on_top(struct writing *writing, const struct p11prof_latency_findings *findings)
{
    const struct p11prof_latency_gather *gather = writing->told->gather;
    writing->table = p11prof_section_add(
        writing->out, "on_top", "Crypto on top of a round trip, estimated",
        "run_id function mechanism key_type key_bits count p50_ns floor_ns on_top_ns",
        "function mechanism key_type key_bits count p50_ns floor_ns on_top_ns");
    for (size_t i = 0; i < gather->group_map.count; i++) {
        uint64_t on_top_ns, floor_ns = p11prof_latency_floor_ns(&findings->floor);
        if (!p11prof_latency_on_top(&on_top_ns, findings, gather, i))
            continue;
        add_row(writing);
        set_group(writing, i);
        integer(writing, "count", (double)gather->groups[i].count);
        integer(writing, "p50_ns", (double)(floor_ns + on_top_ns));
        integer(writing, "floor_ns", (double)floor_ns);
        integer(writing, "on_top_ns", (double)on_top_ns);
    }
}

void p11prof_latency_tables(struct p11prof_section *out, const struct p11prof_latency_told *told,
                            const struct p11prof_latency_findings *findings)
{
    struct writing writing = {.out = out, .told = told};
    add_firsts(&writing, findings);
    add_modes(&writing, findings);
    add_lines(&writing, findings);
    add_floor(&writing, &findings->floor);
    add_on_top(&writing, findings);
}
