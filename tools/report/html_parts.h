/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The data of an HTML report, for html*.c only. */
#ifndef P11PROF_REPORT_HTML_PARTS_H
#define P11PROF_REPORT_HTML_PARTS_H

#include "run_report.h"

struct cJSON;

/* How much of something may still go into the file. */
struct p11prof_html_room {
    size_t items, bytes;
    size_t left_out; /* items that did not fit */
};

/* Texts of others are cut to that. */
enum { P11PROF_HTML_TEXT_BYTES = 1000, P11PROF_HTML_LINE_BYTES = 4000 };

/* Text made fit for people (safe_text.h) and cut to `bytes`. The caller deletes it. */
struct cJSON *p11prof_html_text(const char *text, size_t bytes);

/* Appends an item, or deletes it where there is no room: nothing follows it then. */
bool p11prof_html_put(struct cJSON *array, struct cJSON *item, struct p11prof_html_room *room);

/* Writes JSON so that nothing in it can end a script element: <, >, &, U+2028 and U+2029 as \u003C.
 */
void p11prof_html_write_json(FILE *stream, const char *json);

/* Bytes that p11prof_html_write_json() writes of it. */
size_t p11prof_html_json_bytes(const char *json);

/* {"columns": names, "rows": arrays of values, "left_out": count}: the columns "name name name" of
 * a table. A value in an array of its own is doubtful (table.h). What columns are called goes into
 * `columns` once. */
struct cJSON *p11prof_html_table(const struct p11prof_table *table, const char *names,
                                 struct p11prof_html_room room, struct cJSON *columns);

/* Where a run's charts go, and what they are made from. */
struct p11prof_html_charts {
    struct cJSON *section, *columns;
    struct sqlite3 *db;
    const struct p11prof_run_set *runs;
    const struct p11prof_report_options *options;
    size_t bytes; /* that there is room for, of each kind of chart */
};

/* Latencies of the groups of calls, and of the operations or loads. */
enum p11prof_status p11prof_html_distributions(const struct p11prof_html_charts *charts,
                                               bool is_bench, struct p11prof_error *error);

/* Calls over time, of each run. */
enum p11prof_status p11prof_html_timelines(const struct p11prof_html_charts *charts,
                                           struct p11prof_error *error);

/* Title, facts, sentences and tables of a report; `bytes` for each table. */
void p11prof_html_report(struct cJSON *section, struct cJSON *columns,
                         const struct p11prof_run_report *report,
                         const struct p11prof_report_options *options, size_t bytes);

#endif
