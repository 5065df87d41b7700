/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the charts of an HTML page are drawn from. */
#include "histogram.h"
#include "html_parts.h"
#include "percentile_curve.h"
#include "timeline_load.h"

#include <cjson/cJSON.h>

enum { GROUPS_MOST = 100, STEPS_MOST = 300, STEPS_LEAST = 60, TIMELINES_MOST = 8 };

static void add_numbers(cJSON *object, const char *name, const uint64_t *numbers, size_t count)
{
    cJSON *array = cJSON_AddArrayToObject(object, name);
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateNumber((double)numbers[i]));
}

/* Bins of its own: those of a histogram are of all its groups. */
static void add_bins(cJSON *object, const struct p11prof_histogram_group *group)
{
    struct p11prof_bins bins = {.count = 0};
    uint64_t counts[P11PROF_BINS_MOST] = {0};
    if (group->stats.count > 0) {
        p11prof_bins_choose(&bins, group->stats.min_ns, group->stats.max_ns,
                            group->tally->sums.count > 0);
        p11prof_bins_count(&bins, group->tally, counts);
    }
    add_numbers(object, "edges", bins.edges_ns, bins.count > 0 ? bins.count + 1 : 0);
    add_numbers(object, "counts", counts, bins.count);
}

/* [share beyond, ns, whether it is supported] of each point. */
static void add_curve(cJSON *object, const struct p11prof_histogram_group *group)
{
    struct p11prof_curve curve;
    cJSON *points = cJSON_AddArrayToObject(object, "curve");
    p11prof_curve_make(&curve, group->tally, &group->stats);
    for (size_t i = 0; i < curve.count; i++) {
        cJSON *point = cJSON_CreateArray();
        cJSON_AddItemToArray(point, cJSON_CreateNumber(curve.points[i].beyond));
        cJSON_AddItemToArray(point, cJSON_CreateNumber((double)curve.points[i].ns));
        cJSON_AddItemToArray(point, cJSON_CreateBool(curve.points[i].supported));
        cJSON_AddItemToArray(points, point);
    }
}

/* What others need not know, or would only need room. */
static void strip(cJSON *object)
{
    cJSON *worst = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(object, "outliers"), "worst");
    for (cJSON *one = worst ? worst->child : NULL; one; one = one->next) {
        cJSON_DeleteItemFromObjectCaseSensitive(one, "program");
        cJSON_DeleteItemFromObjectCaseSensitive(one, "process_id");
    }
    cJSON_DeleteItemFromObjectCaseSensitive(object, "bins");
}

static void add_groups(const struct p11prof_html_charts *charts, const char *of,
                       const struct p11prof_histogram *histogram)
{
    struct p11prof_html_room room = {.items = GROUPS_MOST, .bytes = charts->bytes};
    cJSON *distribution = cJSON_CreateObject();
    cJSON_AddStringToObject(distribution, "of", of);
    cJSON *groups = cJSON_AddArrayToObject(distribution, "groups");
    for (size_t i = 0; i < histogram->group_count && room.items > 0; i++) {
        cJSON *group = p11prof_histogram_group_json(histogram, i);
        strip(group);
        add_bins(group, &histogram->groups[i]);
        add_curve(group, &histogram->groups[i]);
        p11prof_html_put(groups, group, &room);
    }
    size_t left_out =
        histogram->group_count + histogram->rest_count - (size_t)cJSON_GetArraySize(groups);
    cJSON_AddNumberToObject(distribution, "left_out", (double)left_out);
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(charts->section, "distributions"),
                         distribution);
}

static enum p11prof_status add_distribution(const struct p11prof_html_charts *charts,
                                            const char *of, bool operations,
                                            const struct p11prof_grouping *by,
                                            struct p11prof_error *error)
{
    struct p11prof_histogram histogram = {.sets = NULL};
    const struct p11prof_histogram_options options = {.by = *by,
                                                      .operations = operations,
                                                      .selection = charts->options->selection,
                                                      .top = GROUPS_MOST};
    enum p11prof_status status =
        p11prof_histogram_load(&histogram, charts->db, charts->runs, 1, &options, error);
    if (status == P11PROF_OK)
        add_groups(charts, of, &histogram);
    p11prof_histogram_clear(&histogram);
    return status == P11PROF_BAD_INPUT ? P11PROF_OK
                                       : status; /* there is none: the report says why */
}

enum p11prof_status p11prof_html_distributions(const struct p11prof_html_charts *charts,
                                               bool is_bench, struct p11prof_error *error)
{
    static const struct p11prof_grouping usual = {.count = 0};
    cJSON_AddArrayToObject(charts->section, "distributions");
    enum p11prof_status status =
        add_distribution(charts, is_bench ? "results" : "operations", !is_bench, &usual, error);
    if (status == P11PROF_OK)
        status = add_distribution(charts, "functions", false, &p11prof_default_grouping, error);
    return status;
}

static enum p11prof_status add_timeline(const struct p11prof_html_charts *charts, int64_t run_id,
                                        struct p11prof_html_room room, struct p11prof_error *error)
{
    struct p11prof_run_timelines timelines = {.timelines = NULL};
    struct p11prof_table steps = {.columns = NULL};
    const struct p11prof_timeline_options options = {.selection = charts->options->selection,
                                                     .room = room.items};
    enum p11prof_status status =
        p11prof_run_timelines_load(&timelines, charts->db, run_id, &options, error);
    if (status == P11PROF_OK) {
        p11prof_run_timelines_table(&steps, &timelines);
        cJSON *timeline = p11prof_html_table(
            &steps,
            "start_ns duration_ns ops_per_s in_flight count error_count p50_ns p99_ns max_ns", room,
            charts->columns);
        cJSON_AddNumberToObject(timeline, "run_id", (double)run_id);
        cJSON_AddStringToObject(timeline, "source", timelines.of_windows ? "windows" : "calls");
        cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(charts->section, "timelines"),
                             timeline);
    }
    p11prof_table_clear(&steps);
    p11prof_run_timelines_clear(&timelines);
    return status == P11PROF_BAD_INPUT ? P11PROF_OK : status;
}

enum p11prof_status p11prof_html_timelines(const struct p11prof_html_charts *charts,
                                           struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    size_t count =
        charts->runs->run_count < TIMELINES_MOST ? charts->runs->run_count : TIMELINES_MOST;
    size_t steps = STEPS_MOST / count > STEPS_LEAST ? STEPS_MOST / count : STEPS_LEAST;
    const struct p11prof_html_room room = {.items = steps, .bytes = charts->bytes / count};
    cJSON_AddArrayToObject(charts->section, "timelines");
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = add_timeline(charts, charts->runs->run_ids[i], room, error);
    return status;
}
