/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "advice.h"
#include "advice/detectors.h"
#include "report/allocate.h"
#include "report/query.h"

#include <stdarg.h>
#include <stdlib.h>

enum { WORTH_NS = 1000000, WORTH_ALWAYS_NS = 1000000000, WORTH_OF_MODULE = 200 };

void p11prof_findings_clear(struct p11prof_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->all[i].evidence);
        free(findings->all[i].estimate);
        free(findings->all[i].subject);
    }
    free(findings->all);
    *findings = (struct p11prof_findings){.all = NULL};
}

struct p11prof_finding *p11prof_finding_add(struct p11prof_findings *findings,
                                            const struct p11prof_detector *detector)
{
    findings->all = p11prof_grow(findings->all, &findings->capacity, findings->count + 1,
                                 sizeof *findings->all);
    struct p11prof_finding *added = &findings->all[findings->count++];
    *added = (struct p11prof_finding){.detector = detector,
                                      .count = -1,
                                      .call_count = -1,
                                      .cost_ns = -1,
                                      .saving_ns = -1,
                                      .process_id = -1,
                                      .caller = -1,
                                      .first_call_id = -1,
                                      .last_call_id = -1,
                                      .example_thread_id = -1};
    return added;
}

char *p11prof_finding_text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = p11prof_text_make(format, arguments);
    va_end(arguments);
    return text;
}

bool p11prof_finding_matters(const struct p11prof_finding *finding,
                             const struct p11prof_advice_run *run)
{
    int64_t ns = finding->saving_ns >= 0 ? finding->saving_ns : finding->cost_ns;
    return ns < 0 || ns >= WORTH_ALWAYS_NS ||
           (ns >= WORTH_NS && ns >= run->module_ns / WORTH_OF_MODULE);
}

void p11prof_findings_keep(struct p11prof_findings *findings, const struct p11prof_advice_run *run)
{
    struct p11prof_findings kept = {.all = NULL}, dropped = {.all = NULL};
    for (size_t i = 0; i < findings->count; i++) {
        bool matters = p11prof_finding_matters(&findings->all[i], run);
        *p11prof_finding_add(matters ? &kept : &dropped, findings->all[i].detector) =
            findings->all[i];
    }
    findings->count = 0;
    p11prof_findings_clear(findings);
    p11prof_findings_clear(&dropped);
    *findings = kept;
}

/* Detectors at work. */
struct work {
    struct p11prof_advice_run *run;
    void **states;
};

static void take(void *payload, const struct p11prof_event *event)
{
    struct work *work = payload;
    work->run->call_count++;
    if (event->duration_ns > 0 && !(event->flags & P11PROF_ROW_NESTED) &&
        event->kind != P11PROF_KIND_BLOCKING)
        work->run->module_ns += event->duration_ns;
    for (size_t i = 0; i < p11prof_detector_count; i++)
        p11prof_detectors[i]->take(work->states[i], event);
}

static void begin(struct work *work)
{
    work->states = p11prof_zalloc(p11prof_detector_count, sizeof *work->states);
    for (size_t i = 0; i < p11prof_detector_count; i++)
        work->states[i] = p11prof_zalloc(1, p11prof_detectors[i]->state_bytes);
}

static void end(struct work *work)
{
    for (size_t i = 0; i < p11prof_detector_count; i++) {
        if (p11prof_detectors[i]->clear)
            p11prof_detectors[i]->clear(work->states[i]);
        free(work->states[i]);
    }
    free(work->states);
}

static int by_cost(const void *a, const void *b)
{
    const struct p11prof_finding *one = a, *other = b;
    if (one->cost_ns != other->cost_ns)
        return one->cost_ns > other->cost_ns ? -1 : 1;
    return (one->call_count < other->call_count) - (one->call_count > other->call_count);
}

enum p11prof_status p11prof_advice_load(struct p11prof_findings *out,
                                        struct p11prof_advice_run *run, struct sqlite3 *db,
                                        int64_t run_id, const struct p11prof_selection *selection,
                                        struct p11prof_error *error)
{
    struct work work = {.run = run};
    *run = (struct p11prof_advice_run){.db = db, .run_id = run_id, .selection = selection};
    if (p11prof_query_integer(db, "SELECT duration_ns FROM runs WHERE run_id = ?1", run_id, -1,
                              &run->duration_ns, error) != P11PROF_OK)
        return error->status;
    begin(&work);
    enum p11prof_status status = p11prof_events_read(db, run_id, selection, take, &work, error);
    for (size_t i = 0; i < p11prof_detector_count && status == P11PROF_OK; i++)
        p11prof_detectors[i]->finish(work.states[i], run, out);
    end(&work);
    if (out->count > 1)
        qsort(out->all, out->count, sizeof *out->all, by_cost);
    return status;
}
