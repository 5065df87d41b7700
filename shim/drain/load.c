/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "load.h"

#include "step.h"

#include <string.h>

enum { ITERATION_CALLS_MOST = 1 << 20 };

/* A chunk begins with the note that holds already, also amid an iteration. */
static bool is_same(const struct call_load *load, const struct p11prof_load_note *said)
{
    return load->part == said->part && load->monotonic_ns == said->window_start_ns &&
           load->iteration_calls == said->iteration_calls &&
           load->iteration_operation == said->iteration_operation &&
           load->intended_monotonic_ns == said->intended_start_ns;
}

void load_take(struct call_load *load, const uint64_t note[7])
{
    struct p11prof_load_note said;
    memcpy(&said, note, sizeof said);
    if (is_same(load, &said))
        return;
    *load = (struct call_load){0};
    if (said.part >= (uint64_t)P11PROF_LOADS_MAX << 2 ||
        said.iteration_calls > ITERATION_CALLS_MOST ||
        said.iteration_operation >= P11PROF_OPERATIONS)
        return;
    load->part = (uint32_t)said.part;
    load->monotonic_ns = said.window_start_ns;
    load->iteration_calls = (uint32_t)said.iteration_calls;
    load->iteration_operation = (uint8_t)said.iteration_operation;
    load->intended_monotonic_ns = said.intended_start_ns;
}

void load_run_start(struct call_load *load, uint64_t run_start_ns)
{
    uint64_t start_ns = load->monotonic_ns, intended_ns = load->intended_monotonic_ns;
    load->window_start_ns = start_ns > run_start_ns ? start_ns - run_start_ns : 0;
    load->intended_start_ns = intended_ns > run_start_ns ? intended_ns - run_start_ns : 0;
}

/* A call that fails ends its iteration. An operation that ends amid one is a part of it. */
void step_iteration(struct step *step)
{
    struct call_load *load = step->event->load;
    struct p11prof_row *row = step->row;
    if (!load || load->iteration_calls == 0)
        return;
    if (load->call_count++ == 0) {
        load->start_ns = step->event->start_ns;
        load->duration_ns = 0;
    }
    load->duration_ns += step->event->duration_ns;
    if (load->call_count < load->iteration_calls && step->rv == CKR_OK) {
        row->known &= ~(uint32_t)(P11PROF_ROW_OPERATION | P11PROF_ROW_OPERATION_IN |
                                  P11PROF_ROW_OPERATION_OUT);
        return;
    }
    row->operation = load->iteration_operation;
    row->operation_start_ns = load->start_ns;
    row->operation_duration_ns = load->duration_ns;
    row->operation_call_count = load->call_count;
    row->known |= P11PROF_ROW_OPERATION;
    load->call_count = 0;
}

/* A module's clock and the schedule's differ by a little: none starts before it was to. */
void step_intended(struct step *step)
{
    const struct call_load *load = step->event->load;
    struct p11prof_row *row = step->row;
    if (!load || load->intended_monotonic_ns == 0 || !(row->known & P11PROF_ROW_OPERATION))
        return;
    row->intended_start_ns = load->intended_start_ns < row->operation_start_ns
                                 ? load->intended_start_ns
                                 : row->operation_start_ns;
    row->known |= P11PROF_ROW_INTENDED;
}
