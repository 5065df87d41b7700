/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ramp.h"
#include "units.h"

#include <math.h>
#include <string.h>

/* A p99 that is longer by less is the same. */
static const double longer_least = 1.2;

enum { PART_BYTES = 96 };

void p11prof_ramp_value_text(char out[P11PROF_RAMP_TEXT_BYTES], enum p11prof_ramp_of of,
                             double value)
{
    char rate[P11PROF_UNIT_TEXT_BYTES];
    if (of == P11PROF_RAMP_RATE) {
        p11prof_format_rate(rate, value);
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "%s/s", rate);
        return;
    }
    const char *one = of == P11PROF_RAMP_THREADS ? "thread" : "process";
    snprintf(out, P11PROF_RAMP_TEXT_BYTES, "%.0f %s", value,
             value == 1 ? one : p11prof_ramp_word(of));
}

static const char *value_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp,
                              size_t index)
{
    p11prof_ramp_value_text(out, ramp->of, ramp->steps[index].value);
    return out;
}

/* "2310/s, p99 6.10 ms" */
static const char *done_text(char out[PART_BYTES], const struct p11prof_ramp_step *step)
{
    char rate[P11PROF_UNIT_TEXT_BYTES], p99[P11PROF_UNIT_TEXT_BYTES] = "unknown";
    p11prof_format_rate(rate, step->ops_per_s);
    if (step->p99_ns > 0)
        p11prof_format_ns(p99, (uint64_t)step->p99_ns);
    snprintf(out, PART_BYTES, "%s/s, p99 %s", rate, p99);
    return out;
}

/* --- threads and processes --- */

static bool is_longer(const struct p11prof_ramp_step *step, const struct p11prof_ramp_step *than)
{
    return step->p99_ns > longer_least * than->p99_ns;
}

/* What comes with more of it than the best step has. */
static void beyond_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp)
{
    const struct p11prof_ramp_step *last = &ramp->steps[ramp->count - 1];
    char value[P11PROF_RAMP_TEXT_BYTES], falls[P11PROF_RAMP_TEXT_BYTES], done[PART_BYTES];
    value_text(value, ramp, ramp->count - 1);
    done_text(done, last);
    switch (ramp->verdict.finding) {
    case P11PROF_RAMP_GROWS:
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "it still grows there: go further");
        return;
    case P11PROF_RAMP_FALLS:
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "throughput falls beyond %.40s (%.40s: %s)",
                 value_text(falls, ramp, ramp->verdict.falls), value, done);
        return;
    case P11PROF_RAMP_FLAT:
    case P11PROF_RAMP_SATURATES:
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "more %s %s (%.40s: %s)",
                 p11prof_ramp_word(ramp->of),
                 is_longer(last, &ramp->steps[ramp->verdict.best]) ? "only add latency"
                                                                   : "change nothing",
                 value, done);
        return;
    default:
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "there is no other step to compare it with");
    }
}

static void counts_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp)
{
    char best[P11PROF_RAMP_TEXT_BYTES], beyond[P11PROF_RAMP_TEXT_BYTES], done[PART_BYTES];
    if (ramp->verdict.finding == P11PROF_RAMP_UNKNOWN) {
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "best: none: no step was without errors");
        return;
    }
    const struct p11prof_ramp_step *step = &ramp->steps[ramp->verdict.best];
    beyond_text(beyond, ramp);
    snprintf(out, P11PROF_RAMP_TEXT_BYTES, "best: %.40s%s: %s; %.200s",
             value_text(best, ramp, ramp->verdict.best),
             ramp->verdict.finding == P11PROF_RAMP_FLAT && step->value == 1 ? " is enough" : "",
             done_text(done, step), beyond);
}

/* --- rates --- */

/* "850/s is not: 770/s, p99 97.0 ms, 9.41 % never began" */
static void unheld_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp)
{
    const struct p11prof_ramp_step *step = &ramp->steps[ramp->verdict.beyond];
    char value[P11PROF_RAMP_TEXT_BYTES], done[PART_BYTES], share[P11PROF_UNIT_TEXT_BYTES];
    char missed[PART_BYTES] = "";
    value_text(value, ramp, ramp->verdict.beyond);
    if (step->error_count > 0) {
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "%.40s had errors", value);
        return;
    }
    p11prof_format_share(share,
                         (double)step->missed_count / (double)(step->count + step->missed_count));
    if (step->missed_count > 0)
        snprintf(missed, sizeof missed, ", %s never began", share);
    snprintf(out, P11PROF_RAMP_TEXT_BYTES, "%.40s is not: %s%s", value, done_text(done, step),
             missed);
}

static void rates_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp)
{
    const struct p11prof_ramp_verdict *verdict = &ramp->verdict;
    char best[P11PROF_RAMP_TEXT_BYTES], held[P11PROF_RAMP_TEXT_BYTES];
    char knee[PART_BYTES], done[PART_BYTES];
    char beyond[P11PROF_RAMP_TEXT_BYTES] = "nothing higher was tried: go further";
    if (verdict->beyond != P11PROF_RAMP_NONE)
        unheld_text(beyond, ramp);
    if (verdict->held == P11PROF_RAMP_NONE) {
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "no rate was held: %.200s", beyond);
        return;
    }
    value_text(best, ramp, verdict->best);
    value_text(held, ramp, verdict->held);
    done_text(knee, &ramp->steps[verdict->best]);
    done_text(done, &ramp->steps[verdict->held]);
    if (verdict->best == verdict->held)
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "knee: %.40s, the highest that is held (%s); %.200s",
                 best, done, beyond);
    else
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "knee: %.40s (%s); up to %.40s is held (%s); %.160s",
                 best, knee, held, done, beyond);
}

void p11prof_ramp_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp)
{
    *out = '\0';
    if (!ramp->searched)
        (ramp->of == P11PROF_RAMP_RATE ? rates_text : counts_text)(out, ramp);
}

/* --- the objective --- */

/* "2250/s does not: 21.4 ms"; "2250/s was not held" where the time is none too long */
static void missed_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp)
{
    const struct p11prof_ramp_step *step = &ramp->steps[ramp->verdict.missed];
    char value[P11PROF_RAMP_TEXT_BYTES], time[P11PROF_UNIT_TEXT_BYTES] = "nothing succeeded";
    if (step->objective_ns > 0)
        p11prof_format_ns(time, (uint64_t)step->objective_ns);
    value_text(value, ramp, ramp->verdict.missed);
    if (step->objective_ns > 0 && step->objective_ns <= ramp->limit_ns) {
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "%.40s %s", value,
                 step->error_count > 0 ? "had errors" : "was not held");
        return;
    }
    snprintf(out, P11PROF_RAMP_TEXT_BYTES, "%.40s does not: %s%s", value, time,
             step->error_count > 0            ? ", with errors"
             : step->scheduled && !step->held ? ", and it was not held"
                                              : "");
}

/* "from 3 up to 16 threads", "up to 2150/s", "with 8 threads" */
static void met_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp)
{
    const struct p11prof_ramp_verdict *verdict = &ramp->verdict;
    char value[P11PROF_RAMP_TEXT_BYTES], from[PART_BYTES] = "";
    value_text(value, ramp, verdict->met);
    if (ramp->of != P11PROF_RAMP_RATE && verdict->met_from > 0)
        snprintf(from, sizeof from, "from %.0f ", ramp->steps[verdict->met_from].value);
    if (*from && verdict->met_from == verdict->met)
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "with %.40s", value);
    else
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "%sup to %.40s", from, value);
}

void p11prof_ramp_objective_text(char out[P11PROF_RAMP_TEXT_BYTES], const struct p11prof_ramp *ramp)
{
    const struct p11prof_ramp_verdict *verdict = &ramp->verdict;
    char limit[P11PROF_UNIT_TEXT_BYTES], met[P11PROF_RAMP_TEXT_BYTES] = "";
    char missed[P11PROF_RAMP_TEXT_BYTES] = "nothing higher was tried";
    *out = '\0';
    if (ramp->limit_ns <= 0)
        return;
    p11prof_format_round_ns(limit, (uint64_t)ramp->limit_ns, 6);
    if (verdict->missed != P11PROF_RAMP_NONE)
        missed_text(missed, ramp);
    if (verdict->met != P11PROF_RAMP_NONE)
        met_text(met, ramp);
    if (verdict->met == P11PROF_RAMP_NONE && verdict->missed == P11PROF_RAMP_NONE)
        snprintf(out, P11PROF_RAMP_TEXT_BYTES,
                 "whether it holds %s <= %s is unknown: no rate was tried", ramp->objective, limit);
    else if (verdict->met == P11PROF_RAMP_NONE)
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "does not hold %s <= %s: even %.200s",
                 ramp->objective, limit, missed);
    else
        snprintf(out, P11PROF_RAMP_TEXT_BYTES, "holds %s <= %s %.100s (%.200s)", ramp->objective,
                 limit, met, missed);
}
