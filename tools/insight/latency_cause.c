/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_cause.h"
#include "latency_rule.h"
#include "report/allocate.h"
#include "report/proportion.h"
#include "report/student.h"

#include <math.h>
#include <stdlib.h>

/* A rule that surely holds for 30 percentage points more of the slow ones is one, if it goes with
 * them: phi, the correlation of two properties. */
static const double difference_least = 0.3, phi_least = 0.4;
static const double chance = 0.001 / P11PROF_FACTORS;
/* Rules within so many points of the best one do as well. */
static const double as_well = 0.05;
static const double known_least = 0.9;
enum { SLOW_LEAST = 10, FAST_LEAST = 10 };

struct candidate {
    struct p11prof_latency_cause cause;
    double difference; /* of the shares; negative: no cause */
};

bool p11prof_latency_factor_is_number(enum p11prof_latency_factor factor)
{
    return factor == P11PROF_FACTOR_BYTES || factor == P11PROF_FACTOR_ITEMS ||
           factor == P11PROF_FACTOR_IDLE || factor == P11PROF_FACTOR_LEVEL ||
           factor == P11PROF_FACTOR_TIME;
}

/* The halves: by a hash, since places in the sample may go with what is looked for. */
static unsigned half_of(size_t index)
{
    return (unsigned)((uint64_t)index * UINT64_C(0x9E3779B97F4A7C15) >> 63);
}

struct counts {
    size_t slow, fast; /* whose value is known, or not */
};

static size_t take_marks(struct p11prof_latency_mark *marks, struct counts *all,
                         const struct p11prof_latency_sample *samples, size_t count,
                         enum p11prof_latency_factor factor, uint64_t low_ns, uint64_t high_ns)
{
    size_t known = 0;
    *all = (struct counts){0};
    for (size_t i = 0; i < count; i++) {
        if (samples[i].duration_ns >= high_ns)
            continue;
        bool slow = samples[i].duration_ns >= low_ns;
        all->slow += slow;
        all->fast += !slow;
        if (samples[i].values[factor] != P11PROF_EVENT_UNKNOWN)
            marks[known++] =
                (struct p11prof_latency_mark){samples[i].values[factor], slow, half_of(i)};
    }
    return known;
}

static double phi(const struct p11prof_proportion *slow, const struct p11prof_proportion *fast)
{
    double with = slow->part + fast->part, all = slow->whole + fast->whole;
    double root = sqrt(with * (all - with) * slow->whole * fast->whole);
    return (slow->part * fast->whole - fast->part * slow->whole) / root;
}

static bool is_sure(const struct p11prof_latency_hits *hits, double *difference)
{
    double low, high;
    struct p11prof_proportion fast = {(double)hits->fast, (double)hits->all_fast};
    struct p11prof_proportion slow = {(double)hits->slow, (double)hits->all_slow};
    p11prof_newcombe(&fast, &slow, p11prof_normal_quantile(chance), &low, &high);
    *difference = slow.part / slow.whole - fast.part / fast.whole;
    return low > difference_least && phi(&slow, &fast) >= phi_least;
}

static void judge(struct candidate *out, struct p11prof_latency_mark *marks, size_t known,
                  const struct counts *all, enum p11prof_latency_factor factor)
{
    struct p11prof_latency_hits hits = {0};
    out->difference = -1;
    out->cause = (struct p11prof_latency_cause){.factor = factor};
    p11prof_latency_rule_learn(&out->cause, &hits, marks, known);
    if (hits.all_slow < SLOW_LEAST || hits.all_fast < FAST_LEAST ||
        (double)hits.all_slow < known_least * (double)all->slow ||
        (double)hits.all_fast < known_least * (double)all->fast)
        return;
    if (!is_sure(&hits, &out->difference))
        out->difference = -1;
    out->cause.of_slow = (double)hits.slow / (double)hits.all_slow;
    out->cause.of_fast = (double)hits.fast / (double)hits.all_fast;
}

/* A rule of many values is often a finer way to say what the best one says. */
static bool is_simple(const struct p11prof_latency_cause *cause)
{
    return p11prof_latency_factor_is_number(cause->factor) || cause->value_count == 1;
}

/* Keys, callers and sessions are those of a process: where that does as well, it comes first. */
static bool is_of_process(const struct candidate *candidates, size_t factor, double least)
{
    return candidates[P11PROF_FACTOR_PROCESS].difference >= least &&
           (factor == P11PROF_FACTOR_KEY || factor == P11PROF_FACTOR_CALLER ||
            factor == P11PROF_FACTOR_SESSION);
}

static double best_of(const struct candidate *candidates)
{
    double best = 0;
    for (size_t i = 0; i < P11PROF_FACTORS; i++)
        if (candidates[i].difference > best)
            best = candidates[i].difference;
    return best;
}

static size_t choose(struct p11prof_latency_cause *out, size_t most,
                     const struct candidate *candidates)
{
    double best = best_of(candidates), least = best > as_well ? best - as_well : 0;
    size_t chosen = 0;
    for (size_t i = 0; best > 0 && i < 2 * P11PROF_FACTORS && chosen < most; i++) {
        size_t factor = i % P11PROF_FACTORS;
        bool later = i >= P11PROF_FACTORS;
        if (candidates[factor].difference > 0 && candidates[factor].difference >= least &&
            is_of_process(candidates, factor, least) == later &&
            (chosen == 0 || is_simple(&candidates[factor].cause)))
            out[chosen++] = candidates[factor].cause;
    }
    return chosen;
}

size_t p11prof_latency_causes(struct p11prof_latency_cause *out, size_t most,
                              const struct p11prof_latency_sample *samples, size_t count,
                              uint64_t low_ns, uint64_t high_ns)
{
    struct candidate candidates[P11PROF_FACTORS];
    struct p11prof_latency_mark *marks = p11prof_zalloc(count + 1, sizeof *marks);
    for (unsigned i = 0; i < P11PROF_FACTORS; i++) {
        struct counts all;
        enum p11prof_latency_factor factor = (enum p11prof_latency_factor)i;
        size_t known = take_marks(marks, &all, samples, count, factor, low_ns, high_ns);
        judge(&candidates[i], marks, known, &all, factor);
    }
    free(marks);
    return choose(out, most, candidates);
}
