#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""prometheus_quantiles.py URL EXPORT: asks a Prometheus for percentiles and counts of each result of
an export, and fails unless they are those of the export: the percentile that Prometheus takes from
a histogram lies in the bucket that has ours, or beside it."""
import bisect
import json
import sys
import urllib.parse
import urllib.request

BOUNDS = sorted(m * 2**k / 1e9 for k in range(10, 37) for m in (1, 1.5))
LABELS = ("test", "operation", "mechanism", "key_type", "key_bits", "data_bytes", "threads",
          "processes")


def ask(url, query):
    """The one value that answers."""
    arguments = urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen("%s/api/v1/query?%s" % (url, arguments), timeout=30) as answer:
        found = json.load(answer)["data"]["result"]
    if len(found) != 1:
        sys.exit("%d answers to %s" % (len(found), query))
    return float(found[0]["value"][1])


url, path = sys.argv[1:]
with open(path, encoding="utf-8") as stream:
    results = json.load(stream)["results"]
for result in results:
    labels = ",".join('%s="%s"' % (name, "" if result[name] is None else result[name])
                      for name in LABELS)
    count = ask(url, "p11prof_bench_operations_total{%s}" % labels)
    if count != result["count"]:
        sys.exit("%s operations of %s" % (count, labels))
    for name, quantile in ("p50_ns", 0.5), ("p90_ns", 0.9), ("p99_ns", 0.99):
        theirs = ask(url, "histogram_quantile(%s, p11prof_bench_latency_seconds_bucket{%s})"
                     % (quantile, labels))
        ours = result[name] / 1e9
        print("%s, %s threads: %s is %.9f, ours %.9f"
              % (result["test"], result["threads"], name, theirs, ours))
        if abs(bisect.bisect_left(BOUNDS, theirs) - bisect.bisect_right(BOUNDS, ours)) > 1:
            sys.exit("they are not alike")
if not results:
    sys.exit("there are no results")
