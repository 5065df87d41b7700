/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_spacing.h"

#include <math.h>

static const double contended_least = 0.8; /* of all ends */
static const double even_variation = 0.5;  /* most, of services in turn */
static const double even_ratio = 0.75;     /* least */
static const double crosswise_ratio = 0.6; /* most */
static const double crosswise_variation = 0.5;
static const double mean_difference = 1.128; /* of two normal values, without sign, by their σ */
static const double tiny = 0.05;             /* of the mean gap: no service is as short */
static const double tiny_least = 0.02;       /* of the gaps */

static double gap_back(const struct p11prof_spacing *spacing, uint64_t back)
{
    return spacing->gaps_ns[(spacing->gap_count - 1 - back) % P11PROF_SPACING_RING];
}

/* The last `level` gaps together, against those before them. */
static void add_turn(struct p11prof_spacing *spacing, unsigned level)
{
    double difference_ns = 0;
    if (level < 2 || 2 * level > P11PROF_SPACING_RING || spacing->run < 2 * level)
        return;
    for (unsigned i = 0; i < level; i++)
        difference_ns += gap_back(spacing, i) - gap_back(spacing, i + level);
    spacing->turn_count++;
    spacing->turn_sum_ns += fabs(difference_ns) / sqrt(level);
}

void p11prof_spacing_add(struct p11prof_spacing *spacing, int64_t start_ns, int64_t end_ns,
                         unsigned level)
{
    if (level > 1 && spacing->end_count > 0) {
        int64_t from_ns = start_ns > spacing->last_end_ns ? start_ns : spacing->last_end_ns;
        double gap_ns = (double)(end_ns - from_ns);
        spacing->gaps_ns[spacing->gap_count++ % P11PROF_SPACING_RING] = gap_ns;
        spacing->sum_ns += gap_ns;
        spacing->tiny_count += gap_ns * (double)spacing->gap_count < tiny * spacing->sum_ns;
        if (++spacing->run > 1) {
            spacing->step_count++;
            spacing->step_sum_ns += fabs(gap_ns - gap_back(spacing, 1));
        }
        add_turn(spacing, level);
    } else
        spacing->run = 0;
    spacing->end_count++;
    spacing->last_end_ns = end_ns;
}

double p11prof_spacing_variation(const struct p11prof_spacing *spacing)
{
    if (spacing->step_count <= 0 || spacing->sum_ns <= 0)
        return 0;
    double deviation_ns = spacing->step_sum_ns / spacing->step_count / mean_difference;
    return deviation_ns * (double)spacing->gap_count / spacing->sum_ns;
}

double p11prof_spacing_ratio(const struct p11prof_spacing *spacing)
{
    if (spacing->turn_count <= 0 || spacing->step_sum_ns <= 0)
        return NAN;
    return spacing->turn_sum_ns / spacing->turn_count /
           (spacing->step_sum_ns / spacing->step_count);
}

enum p11prof_spaced p11prof_spacing_judge(const struct p11prof_spacing *spacing)
{
    double variation = p11prof_spacing_variation(spacing), ratio = p11prof_spacing_ratio(spacing);
    if (spacing->turn_count < P11PROF_SPACING_LEAST ||
        (double)spacing->gap_count < contended_least * (double)spacing->end_count)
        return P11PROF_SPACED_UNKNOWN;
    if (variation <= even_variation && ratio >= even_ratio)
        return P11PROF_SPACED_EVENLY;
    if (variation >= crosswise_variation && ratio <= crosswise_ratio &&
        (double)spacing->tiny_count >= tiny_least * (double)spacing->gap_count)
        return P11PROF_SPACED_CROSSWISE;
    return P11PROF_SPACED_UNKNOWN;
}
