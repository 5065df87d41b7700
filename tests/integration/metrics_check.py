#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""Checks metrics in Prometheus' text format on stdin beyond what promtool does: each label set is
there once, no sample has a timestamp, every bench series has all labels, histograms add up."""
import re
import sys

BENCH_LABELS = {"test", "token", "operation", "mechanism", "key_type", "key_bits", "data_bytes",
                "threads", "processes"}
SAMPLE = re.compile(r'([a-z0-9_]+)\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\} (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def fail(text):
    sys.exit("metrics: " + text)


seen = set()
histograms = {}
for line in sys.stdin.read().splitlines():
    if line.startswith("#"):
        continue
    match = SAMPLE.fullmatch(line)
    if not match:
        fail("no sample without a timestamp: " + line)
    name, labels, value = match[1], dict(LABEL.findall(match[2])), float(match[3])
    series = (name, tuple(sorted(labels.items())))
    if series in seen:
        fail("twice: " + line)
    seen.add(series)
    if name.startswith(("p11prof_bench_", "hsm_")) and not BENCH_LABELS <= labels.keys():
        fail("labels are missing: " + line)
    if name.startswith("hsm_") and labels["operation"] != labels["test"]:
        fail("operation is not the test: " + line)
    if name.endswith("_bucket"):
        bound = float(labels.pop("le"))
        key = (name[: -len("_bucket")], tuple(sorted(labels.items())))
        histograms.setdefault(key, []).append((bound, value))
    if name.endswith("_count"):
        buckets = histograms[(name[: -len("_count")], tuple(sorted(labels.items())))]
        if len(buckets) != 55 or buckets != sorted(buckets) or buckets[-1] != (float("inf"), value):
            fail("bad buckets before: " + line)
        if any(a[1] > b[1] for a, b in zip(buckets, buckets[1:])):
            fail("buckets are not cumulative before: " + line)
if not seen:
    fail("there are none")
