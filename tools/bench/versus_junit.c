/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "versus_findings.h"

#include "../report/units.h"
#include "../report/xml.h"

#include <math.h>
#include <string.h>

/* What a test is to JUnit; NULL: one that passed. */
static const char *element_of(const struct versus_findings *findings, size_t index)
{
    static const char *const elements[P11PROF_PAIRED_VERDICTS] = {
        [P11PROF_PAIRED_REGRESSED] = "failure",
        [P11PROF_PAIRED_UNCLEAR] = "skipped",
        [P11PROF_PAIRED_INSUFFICIENT] = "skipped",
    };
    return versus_has_errors(findings, index) ? "error" : elements[findings->tests[index].verdict];
}

/* "ops_per_s 1234 to 1100, time +12.2 % (+9.9 to +14.6), threshold 5.0 %: regressed" */
static void describe(char *out, size_t bytes, const struct p11prof_paired_test *test,
                     double threshold)
{
    char base[P11PROF_UNIT_TEXT_BYTES], current[P11PROF_UNIT_TEXT_BYTES], range[64] = "";
    p11prof_format_rate(base, test->base_per_s);
    p11prof_format_rate(current, test->current_per_s);
    if (isfinite(test->range.low))
        snprintf(range, sizeof range, " (%+.2f to %+.2f)", 100 * test->range.low,
                 100 * test->range.high);
    snprintf(out, bytes, "ops_per_s %s to %s, time %+.2f %%%s, threshold %.1f %%, pairs %zu: %s\n",
             base, current, 100 * test->effect, range, 100 * threshold, test->used_count,
             p11prof_paired_verdicts[test->verdict]);
}

static void case_name(char *out, size_t bytes, const struct versus_findings *findings, size_t index)
{
    const struct bench_load *load = findings->loads[index];
    const char *current = findings->current_tests[index];
    int used = snprintf(out, bytes, "%s%s%s", load->test.id, current ? " and " : "",
                        current ? current : "");
    if (load->test.sized)
        used += snprintf(out + used, bytes - (size_t)used, ", %llu bytes",
                         (unsigned long long)load->data_bytes);
    if (load->threads * load->processes > 1)
        snprintf(out + used, bytes - (size_t)used, ", %u threads, %u processes", load->threads,
                 load->processes);
}

/* word: NULL where the element takes no message. */
static void result_write(FILE *stream, const char *element, const char *word, const char *text)
{
    fprintf(stream, "      <%s", element);
    if (word)
        p11prof_xml_attribute(stream, "message", word);
    fputs(">", stream);
    p11prof_xml_text(stream, text);
    fprintf(stream, "</%s>\n", element);
}

static void case_write(FILE *stream, const char *name, const char *element, const char *word,
                       const char *text)
{
    fputs("    <testcase classname=\"bench --vs\"", stream);
    p11prof_xml_attribute(stream, "name", name);
    fputs(">\n", stream);
    result_write(stream, element, word, text);
    fputs("    </testcase>\n", stream);
}

static void finding_write(FILE *stream, const struct versus_findings *findings, size_t index)
{
    const struct p11prof_paired_test *test = &findings->tests[index];
    const char *element = element_of(findings, index);
    char name[256], text[256], errors[256];
    case_name(name, sizeof name, findings, index);
    describe(text, sizeof text, test, findings->versus->settings[VERSUS_BASE].vs.threshold);
    versus_errors_text(errors, sizeof errors, findings, index);
    case_write(stream, name, element ? element : "system-out",
               errors[0] ? errors
               : element ? p11prof_paired_verdicts[test->verdict]
                         : NULL,
               text);
}

/* Both sides, in one line. */
static void suite_name(char *out, size_t bytes, const struct versus *versus)
{
    const struct bench_run *base = &versus->sides[VERSUS_BASE];
    const struct bench_run *current = &versus->sides[VERSUS_CURRENT];
    snprintf(out, bytes, "%s, token \"%s\", and %s, token \"%s\"", base->target->module,
             base->token.label, current->target->module, current->token.label);
}

void versus_junit(FILE *stream, const struct versus_findings *findings)
{
    const struct schedule *schedule = &findings->versus->sides[VERSUS_BASE].schedule;
    char name[3 * P11PROF_PATH_BYTES];
    size_t failures = 0, errors = 0, skipped = schedule->load_count - findings->count;
    for (size_t i = 0; i < findings->count; i++) {
        const char *element = element_of(findings, i);
        errors += element && strcmp(element, "error") == 0;
        failures += element && strcmp(element, "failure") == 0;
        skipped += element && strcmp(element, "skipped") == 0;
    }
    suite_name(name, sizeof name, findings->versus);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<testsuites name=\"p11prof bench --vs\">\n  <testsuite",
          stream);
    p11prof_xml_attribute(stream, "name", name);
    fprintf(stream, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
            schedule->load_count, failures, errors, skipped);
    for (size_t i = 0; i < findings->count; i++)
        finding_write(stream, findings, i);
    for (size_t i = 0; i < schedule->load_count; i++)
        if (!schedule->loads[i].ready)
            case_write(stream, schedule->loads[i].test.id, "skipped", schedule->loads[i].skipped,
                       "");
    fputs("  </testsuite>\n</testsuites>\n", stream);
}
