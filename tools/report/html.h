/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reports of runs as one HTML file that needs nothing else: tools/html/ has its page, the runs
 * stand in it as JSON. One thread. */
#ifndef P11PROF_REPORT_HTML_H
#define P11PROF_REPORT_HTML_H

#include "run_report.h"

/* What the rows, curves and steps of all runs may come to; the page itself has 250 KB. What does
 * not fit is left out and counted, the rows that cost least first. */
enum { P11PROF_HTML_DATA_BYTES = 1650 * 1000 };

/* Writes the file. Of the options, selection, redact and spool_folder count. Runs of more than 40
 * sets have 40 KB each, whatever that comes to. What was written before a failure stays. */
enum p11prof_status p11prof_html_write(FILE *stream, struct sqlite3 *db,
                                       const struct p11prof_run_set *sets, size_t count,
                                       const struct p11prof_report_options *options,
                                       struct p11prof_error *error);

#endif
