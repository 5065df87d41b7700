/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_words.h"
#include "latency_median.h"
#include "report/quantile.h"
#include "report/units.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum p11prof_status p11prof_latency_names_load(struct p11prof_latency_names *out,
                                               struct sqlite3 *db, struct p11prof_error *error)
{
    if (p11prof_code_names_load(&out->mechanisms, db, "mechanism_name", error) != P11PROF_OK ||
        p11prof_code_names_load(&out->key_types, db, "key_type_name", error) != P11PROF_OK)
        return error->status;
    return p11prof_code_names_load(&out->rvs, db, "rv_name", error);
}

void p11prof_latency_names_clear(struct p11prof_latency_names *names)
{
    p11prof_code_names_clear(&names->mechanisms);
    p11prof_code_names_clear(&names->key_types);
    p11prof_code_names_clear(&names->rvs);
}

static void print_ns(FILE *stream, double ns)
{
    char text[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_ns(text, ns > 0 ? (uint64_t)llround(ns) : 0);
    fputs(text, stream);
}

static void print_share(FILE *stream, double share)
{
    char text[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_share(text, share);
    fputs(text, stream);
}

void p11prof_latency_kind_print(FILE *stream, const struct p11prof_latency_told *told, size_t group)
{
    const struct p11prof_latency_group *of = &told->gather->groups[group];
    char buffer[P11PROF_CODE_BYTES];
    if (of->key_type == P11PROF_EVENT_UNKNOWN)
        return;
    const char *name = p11prof_code_names_text(&told->names->key_types, of->key_type, buffer);
    fputs(strncmp(name, "CKK_", 4) == 0 ? name + 4 : name, stream);
    if (of->key_bits != P11PROF_EVENT_UNKNOWN)
        fprintf(stream, " %" PRId64, of->key_bits);
}

void p11prof_latency_shape_print(FILE *stream, const struct p11prof_latency_told *told,
                                 size_t shape)
{
    const struct p11prof_latency_shape *of = &told->gather->shapes[shape];
    char buffer[P11PROF_CODE_BYTES];
    fputs(p11prof_calls[of->function].name, stream);
    if (of->mechanism != P11PROF_EVENT_UNKNOWN)
        fprintf(stream, " %s",
                p11prof_code_names_text(&told->names->mechanisms, of->mechanism, buffer));
}

void p11prof_latency_group_print(FILE *stream, const struct p11prof_latency_told *told,
                                 size_t group)
{
    const struct p11prof_latency_group *of = &told->gather->groups[group];
    p11prof_latency_shape_print(stream, told, of->shape);
    if (of->key_type != P11PROF_EVENT_UNKNOWN)
        fputc(' ', stream);
    p11prof_latency_kind_print(stream, told, group);
}

const char *p11prof_latency_keys_note(const struct p11prof_latency_told *told)
{
    return told->gather->several_processes ? " (one that several processes use counts in each)"
                                           : "";
}

void p11prof_latency_first_print(FILE *stream, const struct p11prof_latency_told *told,
                                 const struct p11prof_latency_first *first)
{
    static const char *const where[] = {"in a process", "with a key", "in a session"};
    static const char *const units[] = {"processes", "keys", "sessions"};
    p11prof_latency_group_print(stream, told, first->group);
    if (first->slow_count > 1)
        fprintf(stream, ": the first %zu calls %s are slow; the very first takes ",
                first->slow_count, where[first->scope]);
    else
        fprintf(stream, ": the first call %s takes ", where[first->scope]);
    print_ns(stream, (double)first->first_ns);
    fputs(", the median of the others is ", stream);
    print_ns(stream, (double)first->rest_ns);
    if (first->ratio_low >= 0)
        fprintf(stream, ": %.1f times as long (%.1f to %.1f)", first->ratio, first->ratio_low,
                first->ratio_high);
    else if (first->ratio >= 1.05)
        fprintf(stream, ": %.1f times as long", first->ratio);
    if (first->unit_count > 1)
        fprintf(stream, ", of %zu %s%s", first->unit_count, units[first->scope],
                first->scope == P11PROF_SCOPE_KEY ? p11prof_latency_keys_note(told) : "");
    fputs("; ", stream);
    print_ns(stream, (double)first->cost_ns);
    fputs(first->unit_count > 1 || first->slow_count > 1 ? " in all." : " more.", stream);
}

void p11prof_latency_period_print(FILE *stream, const struct p11prof_latency_period *period)
{
    fputs("come every ", stream);
    if (period->every_count > 0)
        fprintf(stream, "%" PRIu64 " calls", period->every_count);
    else
        print_ns(stream, (double)period->every_ns);
}

static void print_causes(FILE *stream, const struct p11prof_latency_told *told,
                         const struct p11prof_latency_mode *mode)
{
    print_share(stream, mode->causes[0].of_slow);
    fputs(" of these ", stream);
    p11prof_latency_cause_print(stream, told, &mode->causes[0]);
    fputs(", of the faster ones ", stream);
    print_share(stream, mode->causes[0].of_fast);
    for (size_t i = 1; i < mode->cause_count; i++) {
        fputs(i == 1 ? "; as well told: they " : ", or ", stream);
        p11prof_latency_cause_print(stream, told, &mode->causes[i]);
    }
}

void p11prof_latency_mode_print(FILE *stream, const struct p11prof_latency_told *told,
                                const struct p11prof_latency_mode *mode)
{
    p11prof_latency_shape_print(stream, told, mode->shape);
    fputs(" has a slow mode about ", stream);
    print_ns(stream, (double)mode->mode.peak_ns);
    fputs(" (", stream);
    print_share(stream, mode->share);
    fputs(" of its calls) beside one about ", stream);
    print_ns(stream, (double)mode->faster_ns);
    fputs(": ", stream);
    if (mode->cause_count > 0) {
        print_causes(stream, told, mode);
    } else if (mode->periodic) {
        fputs("slow ones ", stream);
        p11prof_latency_period_print(stream, &mode->period);
    } else {
        fputs("nothing that was recorded tells them apart", stream);
    }
    fputc('.', stream);
}

/* "95.0 us per KB"; of a MB where a KB takes next to nothing. */
static void print_per_byte(FILE *stream, double per_byte_ns)
{
    bool small = per_byte_ns * 0x1p10 < 100;
    print_ns(stream, per_byte_ns * (small ? 0x1p20 : 0x1p10));
    fputs(small ? " per MB" : " per KB", stream);
}

void p11prof_latency_line_print(FILE *stream, const struct p11prof_latency_told *told,
                                const struct p11prof_latency_line *line)
{
    char rate[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_bytes(rate, (uint64_t)llround(1e9 / line->per_byte_ns));
    p11prof_latency_group_print(stream, told, line->group);
    fputs(" takes ", stream);
    if (line->fixed_low_ns > 0) {
        print_ns(stream, line->fixed_ns);
        fputs(" whatever its size, and ", stream);
    }
    print_per_byte(stream, line->per_byte_ns);
    fprintf(stream, " (%s/s)%s: ", rate,
            line->fixed_low_ns > 0 ? ""
                                   : "; what it takes whatever its size is too little to tell");
    print_share(stream, line->bytes_share);
    fprintf(stream, " of its time goes by size (medians of %zu sizes are %.0f %% off the line).",
            line->size_count, 100 * line->stray);
}

void p11prof_latency_floor_print(FILE *stream, const struct p11prof_latency_told *told,
                                 const struct p11prof_latency_floor *floor, size_t group)
{
    uint64_t floor_ns = p11prof_latency_floor_ns(floor);
    uint64_t median_ns =
        p11prof_latency_quantile(&told->gather->groups[group].buckets, P11PROF_MILLION / 2);
    bool sure = floor->agreed_count > 1;
    p11prof_latency_group_print(stream, told, group);
    fputs(": median ", stream);
    print_ns(stream, (double)median_ns);
    fputs(sure ? " = about " : " = at most ", stream);
    print_ns(stream, (double)floor_ns);
    fputs(sure ? " for a round trip + " : " for a round trip + at least ", stream);
    print_ns(stream, (double)(median_ns > floor_ns ? median_ns - floor_ns : 0));
    fprintf(stream,
            " on top: an estimate, by %s, the cheapest call of 10 us or more without crypto",
            p11prof_calls[floor->cheap[floor->taken].function].name);
    if (sure)
        fprintf(stream, "; %zu such functions agree.", floor->agreed_count);
    else
        fputs("; no other agrees with it.", stream);
}
