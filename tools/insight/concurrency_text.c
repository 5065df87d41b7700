/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Verdicts as sentences. */
#include "concurrency_verdict.h"
#include "p11prof/calls.h"
#include "report/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { NAME_BYTES = 128 };

/* From this share of the time on a function stands for all calls. */
static const double stands_for_all = 0.8;

static bool is_of_kind(const struct p11prof_concurrency_verdict *verdict)
{
    return verdict->said.call_count != verdict->module.call_count;
}

static const char *calls_name(char *out, const struct p11prof_concurrency_verdict *verdict)
{
    const char *name = p11prof_calls[verdict->function].name;
    char share[P11PROF_UNIT_TEXT_BYTES];
    if (verdict->function_share >= stands_for_all)
        return name;
    p11prof_format_share(share, verdict->function_share);
    snprintf(out, NAME_BYTES,
             is_of_kind(verdict) ? "%s (%s of the time)" : "calls (%s takes %s of the time)", name,
             share);
    return out;
}

static const char *subject(const struct p11prof_concurrency_verdict *verdict)
{
    return verdict->process->process_id < 0 ? "over all processes the token" : "the module";
}

static void say_figures(struct p11prof_section *out,
                        const struct p11prof_concurrency_verdict *verdict)
{
    const struct p11prof_speed_up *of = &verdict->said;
    char alone[P11PROF_UNIT_TEXT_BYTES], all[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_ns(alone, (uint64_t)verdict->service_ns);
    p11prof_format_ns(all, (uint64_t)verdict->mean_ns);
    if (!of->known)
        return;
    p11prof_section_say(out,
                        "While two or more were in flight (%.1f on average, %u at most) it was "
                        "%.2f times as fast as one after another (95 %%: %.2f to %.2f).",
                        of->in_flight, of->most, of->times.value, of->times.low, of->times.high);
    if (verdict->service_ns > 0)
        p11prof_section_say(out, "A %s that is served at once takes %s, all of them %s on average.",
                            p11prof_calls[verdict->function].name, alone, all);
}

/* A whole number where the interval has only one. */
static void at_a_time(char out[16], const struct p11prof_range *range)
{
    double whole = round(range->value);
    bool sure = range->low > whole - 1 && range->high < whole + 1 && range->low <= whole &&
                whole <= range->high;
    snprintf(out, 16, sure ? "%.0f" : "%.1f", sure ? whole : range->value);
}

static void say_served(struct p11prof_section *out,
                       const struct p11prof_concurrency_verdict *verdict, const char *who)
{
    const struct p11prof_speed_up *of = &verdict->said;
    char buffer[NAME_BYTES], number[16];
    const char *calls = calls_name(buffer, verdict);
    switch (of->served) {
    case P11PROF_SERVED_IN_TURN:
        p11prof_section_say(out, "%s%s serialises %s: one at a time is served.", who,
                            subject(verdict), calls);
        break;
    case P11PROF_SERVED_SOME:
        at_a_time(number, &of->parallel);
        p11prof_section_say(out,
                            "%s%s serves %s %s at a time (95 %%: %.1f to %.1f), though up to %u "
                            "were in flight.",
                            who, subject(verdict), number, calls, of->parallel.low,
                            of->parallel.high, of->most);
        break;
    case P11PROF_SERVED_ALL:
        p11prof_section_say(
            out, "%s%s serves %s side by side: no limit is seen up to %.1f at a time.", who,
            subject(verdict), calls, fmin(fmax(of->parallel.low, of->times.low), of->in_flight));
        break;
    case P11PROF_SERVED_TOGETHER:
        p11prof_section_say(out, "%s%s serves %s side by side; how many at a time is not known.",
                            who, subject(verdict), calls);
        break;
    case P11PROF_SERVED_UNCLEAR:
        p11prof_section_say(out, "%swhether %s serves %s one after another is not clear.", who,
                            subject(verdict), calls);
        break;
    case P11PROF_SERVED_UNKNOWN:
        p11prof_section_say(out, "%swhether %s serialises %s cannot be told: %s.", who,
                            subject(verdict), calls, p11prof_served_reason(of));
        break;
    }
}

/* The module was never left alone. */
static void say_spacing(struct p11prof_section *out, const struct p11prof_speed_up *of)
{
    if (of->by_spacing && of->served == P11PROF_SERVED_IN_TURN)
        p11prof_section_say(out, "It was hardly left with one call alone; but calls end one by one "
                                 "at even distances, whatever is in flight.");
    else if (of->by_spacing && of->served == P11PROF_SERVED_TOGETHER)
        p11prof_section_say(out,
                            "It was hardly left with one call alone; but calls end together, "
                            "or cross each other, as they cannot one after another. A recording "
                            "with one thread too would tell how many at a time.");
    else if (of->lack == P11PROF_LACK_ALONE && of->alone_count >= P11PROF_SPEED_UP_ALONE)
        p11prof_section_say(out, "Some kinds of calls took much of the time and hardly ever began "
                                 "with none in flight: --function looks at one of them.");
    else if (of->lack == P11PROF_LACK_ALONE)
        p11prof_section_say(out, "What a call takes by itself is in no recording whose threads "
                                 "never pause: one with one thread too, or with fewer, tells.");
}

/* Calls of one session wait for each other, those of several do not. */
static bool sessions_lock(const struct p11prof_concurrency_verdict *verdict)
{
    enum p11prof_served across = verdict->across.served;
    return verdict->by_sessions && verdict->within.served == P11PROF_SERVED_IN_TURN &&
           (across == P11PROF_SERVED_ALL || across == P11PROF_SERVED_SOME);
}

static void say_sessions(struct p11prof_section *out,
                         const struct p11prof_concurrency_verdict *verdict, const char *who)
{
    p11prof_section_say(out,
                        "%s%s serialises the calls of a session: those that share one are served "
                        "one after another (%.2f times as fast as that), those of different "
                        "sessions are not (%.2f times): give each thread a session of its own.",
                        who, subject(verdict), verdict->within.times.value,
                        verdict->across.times.value);
}

/* One session for all: it or the module. */
static void say_one_session(struct p11prof_section *out,
                            const struct p11prof_concurrency_verdict *verdict)
{
    if (verdict->by_sessions && verdict->module.served == P11PROF_SERVED_IN_TURN &&
        verdict->across.lack == P11PROF_LACK_OVERLAP)
        p11prof_section_say(out, "All of them share a session: whether the module or the session "
                                 "is what they wait for, sessions of their own would tell.");
}

static void say_limits(struct p11prof_section *out, const struct p11prof_speed_up *of,
                       int64_t cpu_count)
{
    bool some = of->served == P11PROF_SERVED_SOME || of->served == P11PROF_SERVED_UNCLEAR;
    bool one = of->served == P11PROF_SERVED_IN_TURN && cpu_count == 1;
    if (some && of->known && of->slows)
        p11prof_section_say(out, "Calls that begin with few others in flight take longer than "
                                 "those alone: they slow each other down, or the machine does.");
    if (of->known && of->most > cpu_count &&
        (one || (some && fabs(of->parallel.value - (double)cpu_count) < 0.4 * (double)cpu_count)))
        p11prof_section_say(out,
                            "The machine has %" PRId64 " processor%s: a token in software may be "
                            "limited by that, and not by the module.",
                            cpu_count, cpu_count == 1 ? "" : "s");
}

static void say_taken(struct p11prof_section *out,
                      const struct p11prof_concurrency_verdict *verdict, const char *who)
{
    const struct p11prof_thread_turns *turns = &verdict->process->turns;
    char waited[P11PROF_UNIT_TEXT_BYTES], quick[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_share(waited, turns->alone_ns > 0 ? turns->waited_ns / turns->alone_ns : 0);
    p11prof_format_share(quick, turns->handover_count
                                    ? (double)turns->quick_count / (double)turns->handover_count
                                    : 0);
    p11prof_section_say(out,
                        "%sthe application lets one call at a time into the module, though %zu "
                        "threads use it: %" PRIu64 " of %" PRIu64 " calls began with another in "
                        "flight, %.0f would by chance. Whether the module serialises cannot be "
                        "told.",
                        who, turns->thread_count, turns->overlap_count, turns->call_count,
                        p11prof_thread_turns_expected(turns));
    p11prof_section_say(out,
                        "Another thread waited in %s of the time with exactly one call in flight; "
                        "%s of %" PRIu64 " changes of thread came at once.",
                        waited, quick, turns->handover_count);
}

static void say_all(struct p11prof_section *out, const struct p11prof_concurrency_verdict *verdict,
                    const char *who, int64_t cpu_count, bool full)
{
    const struct p11prof_concurrency_process *process = verdict->process;
    if (verdict->taken)
        return say_taken(out, verdict, who);
    if (process->process_id >= 0 && process->thread_count < 2) {
        if (full)
            p11prof_section_say(out, "%sone thread uses the module: nothing is in flight together.",
                                who);
        return;
    }
    if (!full && !p11prof_concurrency_matters(verdict))
        return;
    if (sessions_lock(verdict))
        say_sessions(out, verdict, who);
    else
        say_served(out, verdict, who);
    say_figures(out, verdict);
    say_spacing(out, &verdict->said);
    say_one_session(out, verdict);
    if (!sessions_lock(verdict))
        say_limits(out, &verdict->said, cpu_count);
}

void p11prof_concurrency_say(struct p11prof_section *out,
                             const struct p11prof_concurrency_verdict *verdict, const char *who,
                             int64_t cpu_count, bool full)
{
    size_t first = out->sentence_count;
    say_all(out, verdict, who, cpu_count, full);
    for (size_t i = first; i < out->sentence_count; i++)
        out->sentences[i][0] = (char)toupper((unsigned char)out->sentences[i][0]);
}
