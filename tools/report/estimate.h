/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What one side of a comparison says of a row, and how far it may be off: docs/statistics.md. Pure
 * functions. */
#ifndef P11PROF_REPORT_ESTIMATE_H
#define P11PROF_REPORT_ESTIMATE_H

#include "proportion.h"
#include "samples.h"

enum p11prof_metric {
    P11PROF_METRIC_THROUGHPUT, /* successes in a second */
    P11PROF_METRIC_P50,        /* ns, of those that did not fail */
    P11PROF_METRIC_P95,
    P11PROF_METRIC_P99,
    P11PROF_METRIC_ERRORS, /* failed ones of all */
    P11PROF_METRICS
};

/* From so many runs on, runs are what is resampled; with fewer, blocks of windows. */
enum { P11PROF_RUNS_RESAMPLED = 3 };

/* Why a side says too little; a text for people is p11prof_lack_text(). */
enum p11prof_lack {
    P11PROF_LACK_NOTHING,
    P11PROF_LACK_WINDOWS_KNOWN, /* the document has no windows */
    P11PROF_LACK_WINDOWS,       /* fewer than 10, and fewer than three runs */
    P11PROF_LACK_OPERATIONS,    /* fewer than 30 that did not fail */
    P11PROF_LACK_TAIL, /* fewer than 10 beyond the percentile, or in fewer than 5 windows */
    P11PROF_LACKS
};
const char *p11prof_lack_text(enum p11prof_lack lack);

/* A throughput or a percentile: the geometric mean of its runs. */
struct p11prof_estimate {
    enum p11prof_lack lack;
    bool known;      /* there is a value, be it of little */
    double value;    /* 1/s or ns */
    double variance; /* of its logarithm */
    double freedom;
    double run_variance; /* between runs, of a run's logarithm; negative: fewer than three runs */
    size_t run_count, block_count;
};

void p11prof_estimate_make(struct p11prof_estimate *out, const struct p11prof_sample_row *row,
                           enum p11prof_metric metric);

/* A side of fewer than three runs varies between runs too, as far as the other side tells. */
void p11prof_estimate_widen(struct p11prof_estimate *estimate,
                            const struct p11prof_estimate *other);

/* Failed ones of all. */
struct p11prof_error_estimate {
    enum p11prof_lack lack;
    struct p11prof_proportion share; /* whole is 0 where there is nothing */
    double grouping;                 /* variance, in variances of independent failures; 1 or more */
    double freedom;                  /* of that; infinite: failures are taken as independent */
};

void p11prof_error_estimate_make(struct p11prof_error_estimate *out,
                                 const struct p11prof_sample_row *row);

#endif
