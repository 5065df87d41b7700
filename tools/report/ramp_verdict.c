/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ramp_verdict.h"
#include "student.h"

#include <math.h>
#include <string.h>

/* Less than `least` is no difference to anybody; an interval that is wider than `most` says that
 * the step was measured badly, not that it is a good one. */
static const double lack_least = 0.05, lack_most = 0.10, tail_of_all = 0.05;

static const char *const words[] = {[P11PROF_RAMP_THREADS] = "threads",
                                    [P11PROF_RAMP_PROCESSES] = "processes",
                                    [P11PROF_RAMP_RATE] = "rate"};
enum { WORDS = sizeof words / sizeof words[0] };

const char *p11prof_ramp_word(enum p11prof_ramp_of of)
{
    return words[of];
}

bool p11prof_ramp_named(const char *word, enum p11prof_ramp_of *out)
{
    for (int i = 0; i < WORDS; i++)
        if (strcmp(words[i], word) == 0) {
            *out = (enum p11prof_ramp_of)i;
            return true;
        }
    return false;
}

const char *p11prof_ramp_finding_name(enum p11prof_ramp_finding finding)
{
    static const char *const names[P11PROF_RAMP_FINDINGS] = {
        [P11PROF_RAMP_UNKNOWN] = "unknown",     [P11PROF_RAMP_SINGLE] = "single",
        [P11PROF_RAMP_FLAT] = "flat",           [P11PROF_RAMP_GROWS] = "grows",
        [P11PROF_RAMP_SATURATES] = "saturates", [P11PROF_RAMP_FALLS] = "falls"};
    return names[finding];
}

/* --- one step --- */

bool p11prof_ramp_step_works(const struct p11prof_ramp_step *step)
{
    return step->error_count == 0 && step->ops_per_s > 0;
}

bool p11prof_ramp_step_held(const struct p11prof_ramp_step *step)
{
    return step->held && p11prof_ramp_step_works(step);
}

bool p11prof_ramp_step_meets(const struct p11prof_ramp_step *step, double limit_ns)
{
    return (step->held || !step->scheduled) && p11prof_ramp_step_works(step) &&
           step->objective_ns > 0 && step->objective_ns <= limit_ns;
}

/* Half of the interval of the logarithm of the ratio of two steps: Welch's. */
static double half_interval(const struct p11prof_ramp_step *a, const struct p11prof_ramp_step *b,
                            double tail)
{
    double sum = a->variance + b->variance;
    double squares =
        a->variance * a->variance / a->freedom + b->variance * b->variance / b->freedom;
    if (!isfinite(sum) || !(squares > 0) || !isfinite(squares))
        return 0;
    return sqrt(sum) * p11prof_student_quantile(tail, sum * sum / squares);
}

bool p11prof_ramp_as_much(const struct p11prof_ramp_step *step,
                          const struct p11prof_ramp_step *most, size_t count)
{
    double tail = tail_of_all / (count > 2 ? (double)(count - 1) : 1);
    double half = half_interval(step, most, tail);
    double allowed = fmin(fmax(half, -log1p(-lack_least)), -log1p(-lack_most));
    return step == most ||
           (step->ops_per_s > 0 && log(most->ops_per_s / step->ops_per_s) <= allowed);
}

/* --- threads and processes --- */

static size_t find_most(const struct p11prof_ramp_step *steps, size_t count)
{
    size_t most = P11PROF_RAMP_NONE;
    for (size_t i = 0; i < count; i++)
        if (p11prof_ramp_step_works(&steps[i]) &&
            (most == P11PROF_RAMP_NONE || steps[i].ops_per_s > steps[most].ops_per_s))
            most = i;
    return most;
}

/* The last one with the most, if there are others behind it. */
static size_t find_falls(const struct p11prof_ramp_step *steps, size_t count, size_t most)
{
    size_t last = most;
    for (size_t i = most; i < count; i++)
        if (p11prof_ramp_as_much(&steps[i], &steps[most], count))
            last = i;
    return last + 1 < count ? last : P11PROF_RAMP_NONE;
}

static enum p11prof_ramp_finding finding_of(const struct p11prof_ramp_verdict *verdict,
                                            size_t count)
{
    if (count == 1)
        return P11PROF_RAMP_SINGLE;
    if (verdict->falls != P11PROF_RAMP_NONE)
        return P11PROF_RAMP_FALLS;
    if (verdict->best == count - 1)
        return P11PROF_RAMP_GROWS;
    return verdict->best == 0 ? P11PROF_RAMP_FLAT : P11PROF_RAMP_SATURATES;
}

/* Whether it did not hold the rate that the other one holds. */
static bool is_behind(const struct p11prof_ramp_step *step, const struct p11prof_ramp_step *other)
{
    return step->scheduled && other->held && !step->held;
}

static void judge_counts(struct p11prof_ramp_verdict *out, const struct p11prof_ramp_step *steps,
                         size_t count)
{
    size_t best = 0;
    const struct p11prof_ramp_step *most = &steps[out->most];
    while (!p11prof_ramp_step_works(&steps[best]) || is_behind(&steps[best], most) ||
           !p11prof_ramp_as_much(&steps[best], most, count))
        best++;
    out->best = best;
    out->falls = find_falls(steps, count, out->most);
    out->finding = finding_of(out, count);
}

/* --- rates --- */

/* Kleinrock's power: what is done, by what it takes. */
static double power_of(const struct p11prof_ramp_step *step)
{
    return step->mean_ns > 0 ? step->ops_per_s / step->mean_ns : 0;
}

/* Sets the highest of the steps that keep something as all from `first` to it do, and the lowest
 * above. */
static void find_edge(size_t *last, size_t *above, const struct p11prof_ramp_step *steps,
                      size_t first, size_t count,
                      bool (*keeps)(const struct p11prof_ramp_step *, double), double limit_ns)
{
    *last = *above = P11PROF_RAMP_NONE;
    for (size_t i = first; i < count; i++) {
        if (steps[i].value <= 0)
            continue;
        if (!keeps(&steps[i], limit_ns)) {
            *above = i;
            return;
        }
        *last = i;
    }
}

static bool keeps_rate(const struct p11prof_ramp_step *step, double limit_ns)
{
    (void)limit_ns;
    return p11prof_ramp_step_held(step);
}

static void judge_rates(struct p11prof_ramp_verdict *out, const struct p11prof_ramp_step *steps,
                        size_t count)
{
    size_t rates = 0;
    for (size_t i = 0; i < count; i++)
        rates += steps[i].value > 0;
    find_edge(&out->held, &out->beyond, steps, 0, count, keeps_rate, 0);
    for (size_t i = 0; out->held != P11PROF_RAMP_NONE && i <= out->held; i++)
        if (steps[i].value > 0 &&
            (out->best == P11PROF_RAMP_NONE || power_of(&steps[i]) > power_of(&steps[out->best])))
            out->best = i;
    if (out->held != P11PROF_RAMP_NONE)
        out->finding = out->beyond != P11PROF_RAMP_NONE ? P11PROF_RAMP_SATURATES
                       : rates > 1                      ? P11PROF_RAMP_GROWS
                                                        : P11PROF_RAMP_SINGLE;
}

/* --- the objective --- */

/* A few threads may be too few for a rate: what counts begins with the first step that keeps it. */
static size_t find_first_met(const struct p11prof_ramp_step *steps, size_t count, double limit_ns)
{
    for (size_t i = 0; i < count; i++)
        if (p11prof_ramp_step_meets(&steps[i], limit_ns))
            return i;
    return 0;
}

static void judge_objective(struct p11prof_ramp_verdict *out, enum p11prof_ramp_of of,
                            const struct p11prof_ramp_step *steps, size_t count, double limit_ns)
{
    size_t first = of == P11PROF_RAMP_RATE ? 0 : find_first_met(steps, count, limit_ns);
    find_edge(&out->met, &out->missed, steps, first, count, p11prof_ramp_step_meets, limit_ns);
    if (out->met != P11PROF_RAMP_NONE)
        out->met_from = first;
}

/* --- all --- */

void p11prof_ramp_judge(struct p11prof_ramp_verdict *out, enum p11prof_ramp_of of,
                        const struct p11prof_ramp_step *steps, size_t count, double limit_ns)
{
    size_t none = P11PROF_RAMP_NONE;
    *out = (struct p11prof_ramp_verdict){
        P11PROF_RAMP_UNKNOWN, none, none, none, none, none, none, none, none};
    out->most = find_most(steps, count);
    if (of == P11PROF_RAMP_RATE)
        judge_rates(out, steps, count);
    else if (out->most != P11PROF_RAMP_NONE)
        judge_counts(out, steps, count);
    if (limit_ns > 0)
        judge_objective(out, of, steps, count, limit_ns);
}
