/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Advice: patterns of calls that cost time and need not, found in what was recorded, each with its
 * evidence, its cost and what to change. Precision comes before number: a detector says nothing
 * where a healthy application could look the same, or where it costs next to nothing.
 *
 * All detectors see the calls of a run once, in the order in which they are kept (event.h). */
#ifndef P11PROF_INSIGHT_ADVICE_H
#define P11PROF_INSIGHT_ADVICE_H

#include "event.h"
#include "section.h"

/* What the run was, for estimates. */
struct p11prof_advice_run {
    struct sqlite3 *db;
    int64_t run_id;
    int64_t duration_ns; /* of the run */
    int64_t module_ns;   /* in the module, but for calls inside others and those that wait */
    int64_t call_count;  /* of the selected calls */
    const struct p11prof_selection *selection; /* borrowed; NULL: everything */
};

/* One pattern that was found. Numbers are -1 where they are unknown; cost_ns too where the pattern
 * is a risk, whatever it takes: it is worth a word, and stands last. */
struct p11prof_finding {
    const struct p11prof_detector *detector;
    char *evidence;     /* a sentence or two with the counts that prove it; owned */
    char *estimate;     /* how saving_ns was come by, as a sentence; NULL with -1; owned */
    char *subject;      /* what it is about, if the id alone does not say: "C_Sign", "CKM_SHA_1
                           RSA 1024"; NULL; owned */
    int64_t count;      /* how often */
    int64_t call_count; /* calls that it consists of */
    int64_t cost_ns;    /* that they took in the module */
    int64_t saving_ns;  /* of it that need not be spent, estimated */
    int64_t process_id; /* of the example */
    int64_t caller;     /* who does most of it: number in process_id; -1 */
    int64_t first_call_id, last_call_id; /* an example: calls of one thread from … to */
    int64_t example_thread_id;
};

struct p11prof_findings {
    struct p11prof_finding *all;
    size_t count, capacity;
};
void p11prof_findings_clear(struct p11prof_findings *findings);

/* Adds one with nothing known: numbers -1. Valid until the next. */
struct p11prof_finding *p11prof_finding_add(struct p11prof_findings *findings,
                                            const struct p11prof_detector *detector);

/* A text as printf() makes it; the caller frees it. */
__attribute__((format(printf, 1, 2))) char *p11prof_finding_text(const char *format, ...);

/* One kind of pattern. A file of advice/ each; detectors.c lists them. */
struct p11prof_detector {
    const char *id;     /* "search-per-operation": stable, in JSON */
    const char *title;  /* "The same key is searched before every operation" */
    const char *why;    /* why it costs: a sentence */
    size_t state_bytes; /* of its state, which starts as zeros */
    void (*take)(void *state, const struct p11prof_event *event);
    /* Adds what was found; several findings of one kind have different subjects. */
    void (*finish)(void *state, const struct p11prof_advice_run *run, struct p11prof_findings *out);
    void (*clear)(void *state); /* frees what the state has; NULL: nothing */
};

/* What to change, by who makes the calls: remedies.c. */
struct p11prof_remedy {
    const char *finding; /* detector's id */
    const char *library; /* glob of the caller's file name: "libpkcs11.so*"; NULL: anybody */
    const char *text;    /* sentences */
};
const char *p11prof_remedy_text(const char *finding, const char *library);

/* Finds what there is in the selected calls of a run (NULL: all), costliest first. */
enum p11prof_status p11prof_advice_load(struct p11prof_findings *out,
                                        struct p11prof_advice_run *run, struct sqlite3 *db,
                                        int64_t run_id, const struct p11prof_selection *selection,
                                        struct p11prof_error *error);

/* Whether what it saves (what it costs, where that is unknown) is worth a word: 1 ms and 0.5 % of
 * the run's time in the module, or a second. Without durations it is. */
bool p11prof_finding_matters(const struct p11prof_finding *finding,
                             const struct p11prof_advice_run *run);

/* Forgets those that are not worth a word. */
void p11prof_findings_keep(struct p11prof_findings *findings, const struct p11prof_advice_run *run);

/* Row of table "findings" in a section, JSON and CSV: finding is the detector's id, count how often
 * it was found, call_count the calls that it consists of, share what cost_ns is of the run's time
 * in the module; process_id, thread_id, first_call_id, last_call_id: the example. */
#define P11PROF_FINDING_COLUMNS                                                                    \
    "run_id finding title subject count call_count cost_ns share saving_ns estimate evidence "     \
    "process_id caller advice thread_id first_call_id last_call_id"
enum p11prof_status p11prof_findings_table(struct p11prof_table *out,
                                           const struct p11prof_findings *findings,
                                           const struct p11prof_advice_run *run,
                                           struct p11prof_error *error);

/* What has to be said where p11prof_selection_hides_calls(). */
#define P11PROF_ADVICE_HIDDEN                                                                      \
    "Filters but those by process, program, caller, library, thread and time hide calls that "     \
    "patterns are made of: what is said here may not hold"

/* All of them as a section, which starts as {0} but for its names. */
enum p11prof_status p11prof_findings_section(struct p11prof_section *out,
                                             const struct p11prof_findings *findings,
                                             const struct p11prof_advice_run *run,
                                             struct p11prof_error *error);

/* insights.h: the costliest of those that are worth a word, and none where a selection hides calls;
 * full: all of these. */
enum p11prof_status p11prof_advice_section(struct p11prof_section *out, struct sqlite3 *db,
                                           int64_t run_id,
                                           const struct p11prof_selection *selection, bool full,
                                           struct p11prof_error *error);

#endif
