/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Little's law: what is in flight on average is the rate times the mean duration. */
#include "concurrency_tables.h"

#include <math.h>

/* What rate times mean duration says of the time in a function; calls that were lost have both. */
static double expected_ns(const struct p11prof_concurrency *of, unsigned function)
{
    const struct p11prof_function_flow *flow = &of->flows[function];
    return flow->total_ns * (double)(flow->call_count + of->lost_counts[function]) /
           (double)flow->call_count;
}

double p11prof_concurrency_deviation(const struct p11prof_concurrency *of, double than,
                                     unsigned *function)
{
    double largest_ns = 0, found = 0;
    *function = 0;
    for (unsigned i = 0; i <= P11PROF_CALLS; i++) {
        const struct p11prof_function_flow *flow = &of->flows[i];
        if (flow->call_count == 0 || flow->total_ns <= largest_ns)
            continue;
        double deviation = flow->occupied_ns / expected_ns(of, i) - 1;
        if (fabs(deviation) <= than)
            continue;
        largest_ns = flow->total_ns;
        found = deviation;
        *function = i;
    }
    return found;
}

static void active_time(const struct p11prof_concurrency *of, double *out_ns)
{
    int64_t first_ns = INT64_MAX, last_ns = 0;
    for (size_t i = 0; i < of->process_count; i++) {
        first_ns = of->processes[i]->first_ns < first_ns ? of->processes[i]->first_ns : first_ns;
        last_ns = of->processes[i]->last_ns > last_ns ? of->processes[i]->last_ns : last_ns;
    }
    *out_ns = last_ns > first_ns ? (double)(last_ns - first_ns) : 1;
}

void p11prof_concurrency_flow_table(struct p11prof_section *out,
                                    const struct p11prof_concurrency *of)
{
    struct p11prof_table *table = p11prof_section_add(
        out, "flow", "Little's law: in flight is the rate times the mean duration",
        "function call_count lost_count in_flight calls_per_s mean_ns in_flight_expected deviation "
        "total_ns",
        "function call_count lost_count in_flight calls_per_s mean_ns in_flight_expected "
        "deviation");
    double active_ns;
    active_time(of, &active_ns);
    for (unsigned i = 0; i <= P11PROF_CALLS; i++) {
        const struct p11prof_function_flow *flow = &of->flows[i];
        if (flow->call_count == 0 || flow->total_ns <= 0)
            continue;
        struct p11prof_cell *row = p11prof_table_add_row(table);
        double all_count = (double)(flow->call_count + of->lost_counts[i]);
        p11prof_table_set_text(table, row, "function", p11prof_calls[i].name);
        p11prof_table_set_integer(table, row, "call_count", (int64_t)flow->call_count);
        p11prof_table_set_integer(table, row, "lost_count", (int64_t)of->lost_counts[i]);
        p11prof_table_set_real(table, row, "in_flight", flow->occupied_ns / active_ns);
        p11prof_table_set_real(table, row, "calls_per_s", all_count / active_ns * 1e9);
        p11prof_table_set_integer(table, row, "mean_ns",
                                  llround(flow->total_ns / (double)flow->call_count));
        p11prof_table_set_real(table, row, "in_flight_expected", expected_ns(of, i) / active_ns);
        p11prof_table_set_real(table, row, "deviation", flow->occupied_ns / expected_ns(of, i) - 1);
        p11prof_table_set_integer(table, row, "total_ns", (int64_t)flow->total_ns);
    }
    p11prof_table_sort(table, "total_ns");
}
