/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What an operation took, as SQL of the row c of table call that carries it: its latency from the
 * intended start on, where a schedule wanted one, else its time in the module; -1: unknown, of an
 * imported log. The drain adds the same to the histograms. */
#ifndef P11PROF_REPORT_OPERATION_NS_H
#define P11PROF_REPORT_OPERATION_NS_H

#define P11PROF_OPERATION_NS                                                                       \
    "iif(c.intended_start_ns IS NULL, coalesce(c.operation_duration_ns, c.duration_ns), "          \
    "c.start_ns + c.duration_ns - c.intended_start_ns)"

#endif
