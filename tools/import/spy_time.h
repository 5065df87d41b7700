/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Times of a log of pkcs11-spy: "2026-11-29 12:57:43.566", local time without its zone. */
#ifndef P11PROF_IMPORT_SPY_TIME_H
#define P11PROF_IMPORT_SPY_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* The minute last seen: most lines are of the same. Starts as {0}. */
struct p11prof_spy_clock {
    char minute[17];
    uint64_t minute_ns;
};

/* ns since 1970, in the zone of TZ; false if the line is no time. */
bool p11prof_spy_time(struct p11prof_spy_clock *clock, const char *line, uint64_t *wall_ns);

#endif
