/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Logs of pkcs11-spy. A call is a head ("14: C_Sign"), its start time, process and thread (since
 * OpenSC 0.24), parameters, and a result that does not say whose it is. The spy takes no lock:
 * lines of several threads may be mixed. Calls whose lines are mixed get a result only if all of
 * them have the same one, and nothing but their function and start is believed. */
#include "import/import.h"
#include "import/spy_names.h"
#include "import/spy_process.h"
#include "import/spy_text.h"
#include "import/spy_time.h"

#include <stdlib.h>
#include <string.h>

enum { OPEN_MAX = 256 };

struct spy {
    const struct p11prof_import *import;
    struct p11prof_import_result *result;
    struct p11prof_error *error;
    struct p11prof_spy_processes processes;
    struct p11prof_spy_clock clock;
    struct p11prof_spy_call open[OPEN_MAX]; /* calls without result, in the order of their heads */
    size_t open_count;
    size_t tangled_count;  /* of them, those whose lines are mixed */
    size_t returned_count; /* results of tangled calls so far */
    uint64_t tangled_rv;
    bool tangled_rv_differs;
};

static void odd_line(struct spy *spy)
{
    if (spy->result->odd_line_count++ == 0)
        spy->result->first_odd_line = spy->import->lines->number;
}

static void open_remove(struct spy *spy, size_t index)
{
    spy->tangled_count -= spy->open[index].tangled;
    spy->open_count--;
    memmove(spy->open + index, spy->open + index + 1,
            (spy->open_count - index) * sizeof *spy->open);
}

static enum p11prof_status call_end(struct spy *spy, size_t index, const uint64_t *rv)
{
    enum p11prof_status status =
        p11prof_spy_call_feed(&spy->processes, &spy->open[index], rv, spy->error);
    open_remove(spy, index);
    return status;
}

/* Calls whose result cannot be told. */
static enum p11prof_status calls_lose(struct spy *spy, bool all)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = spy->open_count; !status && i-- > 0;)
        if (all || spy->open[i].tangled)
            status = call_end(spy, i, NULL);
    if (spy->tangled_count == 0)
        spy->returned_count = 0;
    return status;
}

/* As many of the mixed calls as had a result, the oldest, if all results were the same. */
static enum p11prof_status tangled_end(struct spy *spy)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; !status && spy->returned_count > 0 && i < spy->open_count;)
        if (spy->open[i].tangled) {
            status = call_end(spy, i, &spy->tangled_rv);
            spy->returned_count--;
        } else {
            i++;
        }
    return status;
}

/* There are threads that never pause: the line of mixed calls does not end by itself. */
static enum p11prof_status make_room(struct spy *spy)
{
    if (spy->returned_count == 0 || spy->tangled_rv_differs)
        return calls_lose(spy, true);
    return tangled_end(spy);
}

static size_t last_active(const struct spy *spy)
{
    size_t index = spy->open_count;
    while (index > 0 && p11prof_spy_call_waits(&spy->open[index - 1]))
        index--;
    return index;
}

/* --- heads --- */

/* A new call while another one that does not wait has no result yet. */
static void tangle(struct spy *spy)
{
    for (size_t i = 0; i < spy->open_count; i++) {
        struct p11prof_spy_call *call = &spy->open[i];
        if (call->tangled || p11prof_spy_call_waits(call))
            continue;
        call->tangled = true;
        spy->tangled_count++;
    }
}

static enum p11prof_status take_head(struct spy *spy, unsigned function)
{
    enum p11prof_status status = P11PROF_OK;
    bool mixed = last_active(spy) > 0;
    if (spy->open_count == OPEN_MAX)
        status = make_room(spy);
    p11prof_spy_call_start(&spy->open[spy->open_count++], function);
    if (mixed && spy->open_count > 1)
        tangle(spy);
    return status;
}

/* "14: C_Sign"; 0: no head. */
static unsigned head_function(const char *line)
{
    const char *after = line + strspn(line, "0123456789");
    return after > line && strncmp(after, ": ", 2) == 0 ? p11prof_spy_function(after + 2) : 0;
}

/* --- what stands between head and result --- */

static bool take_time(struct spy *spy, const char *line)
{
    uint64_t wall_ns;
    if (!p11prof_spy_time(&spy->clock, line, &wall_ns))
        return false;
    p11prof_spy_processes_time(&spy->processes, wall_ns);
    for (size_t i = 0; i < spy->open_count; i++)
        if (!spy->open[i].timed) {
            spy->open[i].timed = true;
            spy->open[i].wall_ns = wall_ns;
            return true;
        }
    return false;
}

/* "P:4711; T:0x140235", the time on the same line or on one of its own. */
static bool take_ids(struct spy *spy, const char *line)
{
    char *end;
    long pid = strtol(line + 2, &end, 10);
    if (strncmp(end, "; T:", 4) != 0 || pid <= 0 || pid > INT32_MAX)
        return false;
    uint64_t thread = strtoull(end + 4, &end, 0);
    end += strspn(end, " ");
    if (*end && !take_time(spy, end))
        return false;
    for (size_t i = 0; i < spy->open_count; i++)
        if (spy->open[i].pid == 0) {
            spy->open[i].pid = (int32_t)pid;
            spy->open[i].thread_id = p11prof_spy_thread(&spy->processes, (int32_t)pid, thread);
            return true;
        }
    return false;
}

static bool take_line(struct spy *spy, const char *line)
{
    if (line[0] >= '0' && line[0] <= '9')
        return take_time(spy, line);
    if (strncmp(line, "P:", 2) == 0)
        return take_ids(spy, line);
    if (spy->open_count == 0)
        return false;
    size_t active = last_active(spy);
    struct p11prof_spy_call scratch, *call = &spy->open[active ? active - 1 : 0];
    if (call->tangled) { /* whose line it is cannot be told */
        p11prof_spy_call_start(&scratch, call->function);
        call = &scratch;
    }
    return p11prof_spy_call_line(call, line);
}

/* --- results --- */

/* The result of one of several calls: they end together, when the last one does. */
static enum p11prof_status tangled_return(struct spy *spy, uint64_t rv)
{
    if (spy->returned_count == 0) {
        spy->tangled_rv = rv;
        spy->tangled_rv_differs = false;
    }
    spy->tangled_rv_differs |= rv != spy->tangled_rv;
    if (++spy->returned_count < spy->tangled_count)
        return P11PROF_OK;
    return spy->tangled_rv_differs ? calls_lose(spy, false) : tangled_end(spy);
}

static enum p11prof_status take_return(struct spy *spy, uint64_t rv)
{
    size_t active = last_active(spy);
    if (spy->tangled_count > 0)
        return tangled_return(spy, rv);
    if (spy->open_count == 0) {
        odd_line(spy);
        return P11PROF_OK;
    }
    return call_end(spy, active ? active - 1 : 0, &rv);
}

/* "Returned:  336 CKR_BUFFER_TOO_SMALL"; where a long has 32 bits, vendors' codes are negative. */
static bool is_return(const char *line, uint64_t *rv)
{
    static const char head[] = "Returned:";
    char *end;
    if (strncmp(line, head, sizeof head - 1) != 0)
        return false;
    long long code = strtoll(line + sizeof head - 1, &end, 10);
    *rv = code < 0 && code >= INT32_MIN ? (uint32_t)code : (uint64_t)code;
    return end > line + sizeof head && *end == ' ';
}

/* --- the whole log --- */

static bool is_banner(const char *line)
{
    return strncmp(line, "****", 4) == 0 && strstr(line, "OpenSC PKCS#11 spy");
}

static enum p11prof_status take(struct spy *spy, char *line)
{
    static const char loaded[] = "Loaded: ";
    uint64_t rv;
    unsigned function = head_function(line);
    if (function)
        return take_head(spy, function);
    if (is_return(line, &rv))
        return take_return(spy, rv);
    if (is_banner(line)) { /* a program that ended before its call did */
        enum p11prof_status status = calls_lose(spy, true);
        return status ? status : p11prof_spy_processes_next(&spy->processes, spy->error);
    }
    if (strncmp(line, loaded, sizeof loaded - 1) == 0)
        p11prof_spy_processes_module(&spy->processes, line + sizeof loaded - 1);
    else if (line[0] && !take_line(spy, line))
        odd_line(spy);
    return P11PROF_OK;
}

static enum p11prof_status take_all(struct spy *spy)
{
    struct p11prof_lines *lines = spy->import->lines;
    enum p11prof_status status = P11PROF_OK;
    char *line;
    while (!status && (line = p11prof_lines_next(lines)))
        status = take(spy, line);
    status = status ? status : p11prof_lines_check(lines, spy->error);
    status = status ? status : calls_lose(spy, true);
    return status ? status : p11prof_spy_processes_end(&spy->processes, spy->error);
}

static enum p11prof_status run_end(struct spy *spy)
{
    const struct p11prof_spy_processes *processes = &spy->processes;
    struct p11prof_import_result *result = spy->result;
    result->run_id = processes->run_id;
    result->process_count = processes->process_count;
    result->call_count = processes->call_count;
    result->lost_count = processes->lost_count;
    if (result->process_count == 0)
        return p11prof_error_set(spy->error, P11PROF_BAD_INPUT, "%s: there is no call in it",
                                 spy->import->lines->name);
    return p11prof_store_run_end(spy->import->store, result->run_id, "finished",
                                 processes->last_ns - processes->first_ns, spy->error);
}

enum p11prof_status p11prof_import_spy(const struct p11prof_import *import,
                                       struct p11prof_import_result *result,
                                       struct p11prof_error *error)
{
    struct spy *spy = calloc(1, sizeof *spy);
    if (!spy)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory for an import");
    spy->import = import;
    spy->result = result;
    spy->error = error;
    p11prof_spy_processes_init(&spy->processes, import->store, import->run_name);
    enum p11prof_status status = take_all(spy);
    status = status ? status : run_end(spy);
    p11prof_spy_processes_clear(&spy->processes);
    free(spy);
    return status;
}
