#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""Checks a document of Chrome trace events and prints how many calls, failed calls, operations with
an own event, and tracks it has. Of a track, events lie inside each other or apart; an operation
contains as many calls as it says; the counter of calls in flight ends at 0."""
import decimal
import json
import sys


def fail(text):
    sys.exit("trace: " + text)


def contained(track):
    """Checks that the events of a track nest, and returns the calls in each operation."""
    counts, stack = {}, []
    for start, end, event in sorted(track, key=lambda x: (x[0], -x[1])):
        while stack and stack[-1][1] <= start and stack[-1][1] < end:
            stack.pop()
        if stack and stack[-1][1] < end:
            fail("events overlap: %s and %s" % (stack[-1][2], event))
        if event["cat"] == "operation":
            counts[id(event)] = (event, 0)
        else:
            for _, _, parent in stack:
                if id(parent) in counts:
                    counts[id(parent)] = (parent, counts[id(parent)][1] + 1)
        stack.append((start, end, event))
    return counts.values()


with open(sys.argv[1], encoding="utf-8") as stream:
    document = json.load(stream, parse_float=decimal.Decimal)
cut = len(sys.argv) > 2  # calls of an operation may be left out
tracks, begun, counter, names = {}, {}, [], set()
failed = calls = operations = 0
for event in document["traceEvents"]:
    if event["ph"] == "X":
        end = event["ts"] + event["dur"]
        tracks.setdefault((event["pid"], event["tid"]), []).append((event["ts"], end, event))
        bad = event["args"]["rv"] not in ("CKR_OK", "undisclosed")
        if event["cat"] == "operation":
            operations += 1
            continue
        calls += 1
        failed += bad
        if bad != (event["cat"] == "call,failed") or bad != ("cname" in event):
            fail("a failed call is not marked: %s" % event)
    elif event["ph"] in "be":
        begun[event["id"]] = begun.get(event["id"], 0) + (1 if event["ph"] == "b" else -1)
    elif event["ph"] == "C":
        counter.append((event["ts"], event["args"]["calls"]))
    elif event["ph"] == "M":
        names.add(event["pid"])
    else:
        fail("what is %s" % event)
for (pid, _), track in tracks.items():
    if pid not in names:
        fail("process %s has no name" % pid)
    for operation, count in contained(track):
        if not cut and count < operation["args"]["call_count"]:
            fail("%d calls in %s" % (count, operation))
if any(begun.values()):
    fail("an operation did not end")
if counter != sorted(counter, key=lambda x: x[0]) or not counter or counter[-1][1] != 0:
    fail("the counter does not end at 0")
if any(value < 0 for _, value in counter):
    fail("the counter is below 0")
print(calls, failed, operations, len(tracks))
