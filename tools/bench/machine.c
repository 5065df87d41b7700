/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

double machine_load_average(void)
{
    double average[1];
    return getloadavg(average, 1) == 1 ? average[0] : -1;
}

int64_t machine_steal_ns(void)
{
    long long ticks = -1;
    FILE *stat = fopen("/proc/stat", "re");
    if (!stat)
        return -1;
    if (fscanf(stat, "cpu %*d %*d %*d %*d %*d %*d %*d %lld", &ticks) != 1)
        ticks = -1;
    fclose(stat);
    long ticks_per_second = sysconf(_SC_CLK_TCK);
    return ticks < 0 || ticks_per_second <= 0 ? -1 : ticks * (1000000000 / ticks_per_second);
}
