/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "block_spread.h"
#include "allocate.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCKS_LEAST = 5 };
static const double correlation_most = 0.97;

/* As many windows of equal weight would say as much. */
static size_t effective_count(const struct p11prof_part_of_mean *windows, size_t count)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += windows[i].weight * windows[i].weight;
    double effective = squares > 0 ? round(1 / squares) : 0;
    return effective < (double)count ? (size_t)effective : count;
}

double p11prof_neighbour_correlation(const struct p11prof_part_of_mean *windows, size_t count)
{
    double squares = 0, products = 0, n = (double)effective_count(windows, count);
    if (n < 4)
        return 0;
    for (size_t i = 0; i < count; i++) {
        squares += windows[i].residual * windows[i].residual;
        products += i > 0 ? windows[i].residual * windows[i - 1].residual : 0;
    }
    if (!(squares > 0))
        return 0;
    double unbiased = (n * products / squares + 1) / (n - 3);
    return unbiased < 0 ? 0 : unbiased > correlation_most ? correlation_most : unbiased;
}

/* Blocks of the length with the least mean squared error for windows that follow an autoregressive
 * process (Carlstein 1986). */
static size_t count_blocks(double correlation, size_t count)
{
    double bias = 2 * correlation / (1 - correlation * correlation);
    double length = cbrt(bias * bias * (double)count);
    size_t blocks = length > 1 ? (size_t)((double)count / length) : count;
    return blocks >= BLOCKS_LEAST ? blocks : count < BLOCKS_LEAST ? count : BLOCKS_LEAST;
}

/* Variance of the mean of n windows of that process, in variances of one window over n. */
static double inflation(double correlation, double n)
{
    double rest = 1 - correlation;
    return (1 + correlation) / rest -
           2 * correlation * (1 - pow(correlation, n)) / (n * rest * rest);
}

/* By how much blocks of that length fall short, since blocks are neighbours too. */
static double shortfall(double correlation, size_t count, size_t blocks)
{
    double length = (double)count / (double)blocks, share = 1 / (double)blocks;
    double of_mean = inflation(correlation, (double)count);
    return (inflation(correlation, length) - share * of_mean) / ((1 - share) * of_mean);
}

/* Cuts time where each block gets about the same weight. */
static struct p11prof_spread spread_of_blocks(const struct p11prof_part_of_mean *windows,
                                              size_t count, size_t blocks)
{
    struct p11prof_part_of_mean *sums = p11prof_zalloc(blocks, sizeof *sums);
    struct p11prof_spread spread = {.variance = INFINITY};
    double before = 0, weights = 0, residuals = 0;
    for (size_t i = 0; i < count; i++) {
        size_t block = (size_t)((before + windows[i].weight / 2) * (double)blocks);
        block = block < blocks ? block : blocks - 1;
        sums[block].weight += windows[i].weight;
        sums[block].residual += windows[i].residual;
        before += windows[i].weight;
    }
    for (size_t i = 0; i < blocks; i++) {
        spread.block_count += sums[i].weight > 0;
        weights += sums[i].weight * sums[i].weight;
        residuals += sums[i].residual * sums[i].residual;
    }
    free(sums);
    if (spread.block_count < 2 || weights >= 1)
        return spread;
    spread.variance = residuals / (1 - weights);
    spread.freedom = 1 / weights - 1;
    return spread;
}

struct p11prof_spread p11prof_block_spread(const struct p11prof_part_of_mean *windows, size_t count)
{
    double correlation = p11prof_neighbour_correlation(windows, count);
    size_t effective = effective_count(windows, count);
    if (effective < 2)
        return (struct p11prof_spread){.variance = INFINITY, .block_count = effective};
    size_t blocks = count_blocks(correlation, effective);
    struct p11prof_spread spread = spread_of_blocks(windows, count, blocks);
    spread.variance /= shortfall(correlation, effective, blocks);
    return spread;
}
