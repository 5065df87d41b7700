/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "insights.h"
#include "advice.h"
#include "concurrency.h"
#include "history.h"
#include "latency.h"
#include "report/allocate.h"
#include "report/nearest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *title;
    enum p11prof_status (*load)(struct p11prof_section *out, struct sqlite3 *db, int64_t run_id,
                                const struct p11prof_selection *selection, bool full,
                                struct p11prof_error *error);
} insights[P11PROF_INSIGHTS] = {
    [P11PROF_INSIGHT_ADVICE] = {"advice", "Advice", p11prof_advice_section},
    [P11PROF_INSIGHT_CONCURRENCY] = {"concurrency", "Concurrency", p11prof_concurrency_section},
    [P11PROF_INSIGHT_LATENCY] = {"latency", "Latency", p11prof_latency_section},
    [P11PROF_INSIGHT_HISTORY] = {"history", "Trend", p11prof_history_section},
};

static bool take_word(unsigned *out, const char *word)
{
    for (unsigned i = 0; i < P11PROF_INSIGHTS; i++)
        if (strcmp(insights[i].name, word) == 0) {
            *out |= 1U << i;
            return true;
        }
    return false;
}

const char *p11prof_insights_read(unsigned *out, const char *text, const char **nearest)
{
    static char wrong[64];
    const char *names[P11PROF_INSIGHTS];
    char *words = p11prof_copy(text), *rest = words;
    bool known = true;
    *nearest = NULL;
    *out = 0;
    for (char *word; known && (word = strsep(&rest, ",")) != NULL;) {
        known = take_word(out, word);
        if (!known)
            snprintf(wrong, sizeof wrong, "%s", word);
    }
    free(words);
    if (known)
        return NULL;
    for (size_t i = 0; i < P11PROF_INSIGHTS; i++)
        names[i] = insights[i].name;
    *nearest = p11prof_nearest(wrong, names, P11PROF_INSIGHTS);
    return wrong;
}

enum p11prof_status p11prof_insight_load(struct p11prof_section *out, enum p11prof_insight insight,
                                         struct sqlite3 *db, int64_t run_id,
                                         const struct p11prof_selection *selection, bool full,
                                         struct p11prof_error *error)
{
    out->name = insights[insight].name;
    out->title = insights[insight].title;
    out->run_id = run_id;
    return insights[insight].load(out, db, run_id, selection, full, error);
}
