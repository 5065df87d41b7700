#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""monitoring_past.py INSTANCE: what the rules would have recorded a day and a week ago, half an hour
around that time, as OpenMetrics."""
import sys
import time

LABELS = 'job="p11prof",instance="%s",program="steady",operation="generate-random"' % sys.argv[1]
PAST = {"p11prof_operations:rate1h": 300, "p11prof_operation_duration_seconds:mean_rate1h": 0.001,
        "p11prof_operation_duration_seconds:p99_rate1h": 0.0005}

now = int(time.time())
for name, value in PAST.items():
    print("# TYPE %s gauge" % name)
    for days in 7, 1:
        for second in range(-1800, 1800, 60):
            print("%s{%s} %s %d" % (name, LABELS, value, now - days * 86400 + second))
print("# EOF")
