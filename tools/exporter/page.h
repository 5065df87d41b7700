/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The page of the exporter: Prometheus' text format (version 0.0.4). docs/exporter.md lists its
 * metrics; those of calls and operations are the ones of report/metrics.h. */
#ifndef P11PROF_EXPORTER_PAGE_H
#define P11PROF_EXPORTER_PAGE_H

#include "live.h"
#include "sums.h"

#include <stdio.h>

struct exporter_page {
    const struct exporter_sums *sums; /* NULL: the database could not be read */
    const struct exporter_live *live;
    uint64_t database_bytes; /* with its log; 0: there is none */
};

/* All but what the page says of itself. */
void exporter_page_write(FILE *stream, const struct exporter_page *page);

/* What it says of itself: it comes last. */
void exporter_page_end(FILE *stream, bool failed, double seconds);

#endif
