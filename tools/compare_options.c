/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "compare_options.h"
#include "message.h"
#include "report/allocate.h"
#include "report/nearest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MOST = 8 };

static void complain_unknown(const char *option, const char *word, const char *const *names,
                             size_t count)
{
    const char *nearest = p11prof_nearest(word, names, count);
    if (nearest)
        p11prof_complain(0, "--%s has no '%s': did you mean '%s'?", option, word, nearest);
    else
        p11prof_complain(0, "--%s has no '%s'", option, word);
}

/* "5%" and "5" are 0.05. */
static bool read_percent(const char *text, double *out)
{
    char *end;
    double percent = strtod(text, &end);
    bool number = end != text && strspn(text, "0123456789.") == (size_t)(end - text);
    if (*end == '%')
        end++;
    *out = percent / 100;
    return number && *end == '\0' && isfinite(percent) && percent <= 10000;
}

static bool take_threshold(struct p11prof_thresholds *out, char *word)
{
    char *equals = strchr(word, '=');
    double threshold;
    const char *names[P11PROF_METRICS];
    if (!read_percent(equals ? equals + 1 : word, &threshold)) {
        p11prof_complain(0, "--threshold wants percent, as 5%% or p99=20%%, not '%s'", word);
        return false;
    }
    for (int i = 0; i < P11PROF_METRICS; i++) {
        names[i] = p11prof_metric_name(i);
        if (!equals && i != P11PROF_METRIC_ERRORS)
            out->threshold[i] = threshold;
    }
    if (!equals)
        return true;
    *equals = '\0';
    enum p11prof_metric metric = p11prof_metric_named(word);
    if (metric == P11PROF_METRICS) {
        complain_unknown("threshold", word, names, P11PROF_METRICS);
        return false;
    }
    out->threshold[metric] = threshold;
    out->named[metric] = true;
    return true;
}

bool p11prof_option_thresholds(struct p11prof_thresholds *out, const char *value)
{
    char *copy = p11prof_copy(value), *rest = copy;
    bool good = true;
    for (char *word; good && (word = strsep(&rest, ",")) != NULL;)
        good = take_threshold(out, word);
    free(copy);
    return good;
}

static bool take_verdict(struct p11prof_compare_report *out, const char *word)
{
    const char *names[NAMES_MOST] = {"unmatched", "none"};
    enum p11prof_verdict verdict = p11prof_verdict_named(word);
    for (int i = 0; i < P11PROF_VERDICTS; i++)
        names[i + 2] = p11prof_verdict_name(i);
    if (verdict < P11PROF_VERDICTS) {
        out->fails[verdict] = true;
        return true;
    }
    out->fails_unmatched = out->fails_unmatched || strcmp(word, names[0]) == 0;
    if (strcmp(word, names[0]) == 0 || strcmp(word, names[1]) == 0)
        return true;
    complain_unknown("fail-on", word, names, P11PROF_VERDICTS + 2);
    return false;
}

bool p11prof_option_fail_on(struct p11prof_compare_report *out, const char *value)
{
    char *copy = p11prof_copy(value), *rest = copy;
    bool good = true;
    memset(out->fails, 0, sizeof out->fails);
    out->fails_unmatched = false;
    for (char *word; good && (word = strsep(&rest, ",")) != NULL;)
        good = take_verdict(out, word);
    free(copy);
    return good;
}
