/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "compare_table.h"
#include "compare_grid.h"

#include <math.h>

static const char *const metric_columns[P11PROF_METRICS] = {
    [P11PROF_METRIC_THROUGHPUT] = "ops_per_s", [P11PROF_METRIC_P50] = "p50_ns",
    [P11PROF_METRIC_P95] = "p95_ns",           [P11PROF_METRIC_P99] = "p99_ns",
    [P11PROF_METRIC_ERRORS] = "error_share",
};

static void set_known(const struct p11prof_table *table, struct p11prof_cell *cells,
                      const char *column, int64_t number)
{
    if (number >= 0)
        p11prof_table_set_integer(table, cells, column, number);
}

void p11prof_compare_set_row(const struct p11prof_table *table, struct p11prof_cell *cells,
                             const struct p11prof_sample_row *row)
{
    static const char *const kinds[] = {[P11PROF_SAMPLE_TEST] = "test",
                                        [P11PROF_SAMPLE_OPERATION] = "operation",
                                        [P11PROF_SAMPLE_FUNCTION] = "function"};
    const struct p11prof_sample_key *key = &row->key;
    p11prof_table_set_text(table, cells, kinds[key->kind], key->what);
    p11prof_table_set_text(table, cells, "mechanism", *key->mechanism ? key->mechanism : NULL);
    p11prof_table_set_text(table, cells, "key_type", *key->key_type ? key->key_type : NULL);
    set_known(table, cells, "key_bits", key->key_bits);
    set_known(table, cells, "data_bytes", key->data_bytes);
    set_known(table, cells, "threads", key->threads);
    set_known(table, cells, "processes", key->processes);
    if (key->suite) {
        p11prof_table_set_text(table, cells, "suite", key->suite);
        p11prof_table_set_integer(table, cells, "step", key->step);
    }
    if (key->weight > 0)
        p11prof_table_set_real(table, cells, "weight", (double)key->weight / 1e6);
    if (key->rate > 0) {
        p11prof_table_set_real(table, cells, "rate", (double)key->rate / 1e6);
        p11prof_table_set_text(table, cells, "arrivals", key->poisson ? "poisson" : "constant");
    }
    if (key->think_time_ns > 0)
        p11prof_table_set_integer(table, cells, "think_time_ns", key->think_time_ns);
}

static void set_real(const struct p11prof_table *table, struct p11prof_cell *cells,
                     const char *column, double real)
{
    if (isfinite(real))
        p11prof_table_set_real(table, cells, column, real);
}

static void set_interval(const struct p11prof_table *table, struct p11prof_cell *cells,
                         const struct p11prof_metric_result *result)
{
    set_real(table, cells, "effect_low", result->corrected_low);
    set_real(table, cells, "effect_high", result->corrected_high);
    set_real(table, cells, "effect_level", 1 - result->tail);
    set_real(table, cells, "plain_low", result->low);
    set_real(table, cells, "plain_high", result->high);
    if (result->p_value >= 0)
        set_real(table, cells, "p_value", result->p_value);
}

void p11prof_compare_set_metric(const struct p11prof_table *table, struct p11prof_cell *cells,
                                const struct p11prof_metric_result *result,
                                enum p11prof_metric metric)
{
    p11prof_table_set_text(table, cells, "metric", metric_columns[metric]);
    p11prof_table_set_integer(table, cells, "gated", result->gated);
    set_real(table, cells, "threshold", result->threshold);
    p11prof_table_set_text(table, cells, "metric_verdict",
                           result->gated ? p11prof_verdict_name(result->verdict) : NULL);
    p11prof_table_set_text(table, cells, "reason",
                           result->lack == P11PROF_LACK_NOTHING ? NULL
                                                                : p11prof_lack_text(result->lack));
    if (!result->known)
        return;
    set_real(table, cells, "baseline", result->base_value);
    set_real(table, cells, "current", result->current_value);
    set_real(table, cells, "delta", result->current_value - result->base_value);
    set_real(table, cells, "change", p11prof_change_of(metric, result->effect));
    set_real(table, cells, "effect", result->effect);
    if (result->lack == P11PROF_LACK_NOTHING)
        set_interval(table, cells, result);
}
