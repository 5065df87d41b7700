/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency.h"
#include "latency_tables.h"
#include "report/allocate.h"

#include <stdlib.h>

/* A report that does not ask for it has what takes a part of the time in the module, and first
 * calls that somebody waits for. */
static const double share_least = 0.02, first_share_least = 0.01;
static const double share_least_full = 0.001;
static const double first_ratio_least = 3, mode_ratio_least = 1.5;
enum { SENTENCES_MOST = 6, SENTENCES_MOST_FULL = 24, WAIT_LEAST_NS = 10000000 };

/* A sentence, and the time that it is about. */
struct item {
    char *text;
    size_t bytes;
    double cost_ns;
};

struct items {
    struct item *all;
    size_t count, capacity;
    const struct p11prof_latency_told *told;
    double total_ns; /* in the module */
    bool full;
};

/* A stream for the text of a new item; it is closed before the next one is opened. */
static FILE *open_item(struct items *items, double cost_ns)
{
    items->all = p11prof_grow(items->all, &items->capacity, items->count + 1, sizeof *items->all);
    struct item *item = &items->all[items->count++];
    item->cost_ns = cost_ns;
    return p11prof_text_open(&item->text, &item->bytes);
}

static bool is_worth(const struct items *items, double cost_ns, double share)
{
    return cost_ns >= (items->full ? share_least_full : share) * items->total_ns;
}

static void say_firsts(struct items *items, const struct p11prof_latency_findings *findings)
{
    for (size_t i = 0; i < findings->first_count; i++) {
        const struct p11prof_latency_first *first = &findings->firsts[i];
        double cost_ns = (double)first->cost_ns;
        bool waits = first->ratio >= first_ratio_least &&
                     cost_ns >= WAIT_LEAST_NS * (double)first->unit_count;
        if (!waits && !is_worth(items, cost_ns, first_share_least))
            continue;
        FILE *stream = open_item(items, cost_ns);
        p11prof_latency_first_print(stream, items->told, first);
        fclose(stream);
    }
}

static bool has_line(const struct p11prof_latency_findings *findings,
                     const struct p11prof_latency_gather *gather, size_t shape)
{
    for (size_t i = 0; i < findings->line_count; i++)
        if (gather->groups[findings->lines[i].group].shape == shape)
            return true;
    return false;
}

/* Sizes may have a line already. In a short report: kinds of keys have rows of their own among the
 * operations, who searches finds more or less, and what is hardly slower is nobody's concern. */
static bool is_plain(const struct items *items, const struct p11prof_latency_mode *mode,
                     const struct p11prof_latency_findings *findings)
{
    if (mode->cause_count == 0)
        return false;
    enum p11prof_latency_factor factor = mode->causes[0].factor;
    if (factor == P11PROF_FACTOR_BYTES)
        return has_line(findings, items->told->gather, mode->shape);
    bool slight = (double)mode->mode.peak_ns < mode_ratio_least * (double)mode->faster_ns;
    return !items->full &&
           (slight || factor == P11PROF_FACTOR_KEY_KIND || factor == P11PROF_FACTOR_ITEMS);
}

/* Modes that nothing tells apart are one sentence, for who asks: a busy machine makes some of each
 * function. */
static void say_untold(struct items *items, const struct p11prof_latency_findings *findings)
{
    const struct p11prof_latency_mode *costliest = NULL;
    double cost_ns = 0;
    size_t count = 0;
    for (size_t i = 0; i < findings->mode_count; i++) {
        const struct p11prof_latency_mode *mode = &findings->modes[i];
        if (p11prof_latency_mode_is_told(mode))
            continue;
        costliest = costliest ? costliest : mode;
        cost_ns += (double)mode->cost_ns;
        count++;
    }
    if (count == 0 || !items->full || !is_worth(items, cost_ns, share_least))
        return;
    FILE *stream = open_item(items, cost_ns);
    p11prof_latency_mode_print(stream, items->told, costliest);
    if (count > 1)
        fprintf(stream, " The same is true of %zu more slow modes.", count - 1);
    fclose(stream);
}

static void say_modes(struct items *items, const struct p11prof_latency_findings *findings)
{
    for (size_t i = 0; i < findings->mode_count; i++) {
        const struct p11prof_latency_mode *mode = &findings->modes[i];
        if (!p11prof_latency_mode_is_told(mode) ||
            !is_worth(items, (double)mode->cost_ns, share_least) || is_plain(items, mode, findings))
            continue;
        FILE *stream = open_item(items, (double)mode->cost_ns);
        p11prof_latency_mode_print(stream, items->told, mode);
        fclose(stream);
    }
    say_untold(items, findings);
}

static void say_lines(struct items *items, const struct p11prof_latency_findings *findings)
{
    for (size_t i = 0; i < findings->line_count; i++) {
        const struct p11prof_latency_line *line = &findings->lines[i];
        double cost_ns =
            line->bytes_share * (double)items->told->gather->groups[line->group].total_ns;
        if (!is_worth(items, cost_ns, share_least))
            continue;
        FILE *stream = open_item(items, cost_ns);
        p11prof_latency_line_print(stream, items->told, line);
        fclose(stream);
    }
}

/* Of the crypto call that most of its time goes to round trips of. */
static void say_floor(struct items *items, const struct p11prof_latency_findings *findings)
{
    const struct p11prof_latency_gather *gather = items->told->gather;
    double floor_ns = (double)p11prof_latency_floor_ns(&findings->floor), most = 0;
    size_t chosen = 0;
    if (findings->floor.agreed_count < 2 && !items->full)
        return;
    for (size_t i = 0; i < gather->group_map.count; i++) {
        uint64_t on_top_ns;
        double trips_ns = floor_ns * (double)gather->groups[i].count;
        if (p11prof_latency_on_top(&on_top_ns, findings, gather, i) && trips_ns > most) {
            most = trips_ns;
            chosen = i;
        }
    }
    if (most <= 0 || !is_worth(items, most, share_least))
        return;
    FILE *stream = open_item(items, most);
    p11prof_latency_floor_print(stream, items->told, &findings->floor, chosen);
    fclose(stream);
}

static int by_cost(const void *a, const void *b)
{
    const struct item *first = a, *second = b;
    return (first->cost_ns < second->cost_ns) - (first->cost_ns > second->cost_ns);
}

static void say_all(struct p11prof_section *out, struct items *items)
{
    size_t most = items->full ? SENTENCES_MOST_FULL : SENTENCES_MOST;
    if (items->count > 0)
        qsort(items->all, items->count, sizeof *items->all, by_cost);
    for (size_t i = 0; i < items->count; i++) {
        if (i < most)
            p11prof_section_say(out, "%s", items->all[i].text);
        free(items->all[i].text);
    }
    free(items->all);
}

static void tell(struct p11prof_section *out, const struct p11prof_latency_told *told, bool full)
{
    struct p11prof_latency_findings findings;
    struct items items = {.told = told, .total_ns = (double)told->gather->total_ns, .full = full};
    p11prof_latency_findings_make(&findings, told->gather);
    say_firsts(&items, &findings);
    say_modes(&items, &findings);
    say_lines(&items, &findings);
    say_floor(&items, &findings);
    say_all(out, &items);
    if (full)
        p11prof_latency_tables(out, told, &findings);
    p11prof_latency_findings_clear(&findings);
}

enum p11prof_status p11prof_latency_section(struct p11prof_section *out, struct sqlite3 *db,
                                            int64_t run_id,
                                            const struct p11prof_selection *selection, bool full,
                                            struct p11prof_error *error)
{
    struct p11prof_latency_gather gather;
    struct p11prof_latency_names names = {.mechanisms.count = 0};
    struct p11prof_latency_callers callers = {.entries = NULL};
    p11prof_latency_gather_init(&gather);
    gather.callers = &callers;
    enum p11prof_status status =
        p11prof_latency_callers_load(&callers, db, run_id, out->redact, error);
    if (status == P11PROF_OK)
        status =
            p11prof_events_read(db, run_id, selection, p11prof_latency_gather_take, &gather, error);
    p11prof_latency_gather_end(&gather);
    if (status == P11PROF_OK)
        status = p11prof_latency_names_load(&names, db, error);
    if (status == P11PROF_OK)
        tell(out, &(struct p11prof_latency_told){&gather, &names}, full);
    p11prof_latency_names_clear(&names);
    p11prof_latency_gather_clear(&gather);
    p11prof_latency_callers_clear(&callers);
    return status;
}
