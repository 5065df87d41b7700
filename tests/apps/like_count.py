# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""Calls by function that a script of bench plays, as a TOML reader of somebody else's sees it."""
import collections
import sys
import tomllib


def count(calls, times, counts):
    for call in calls:
        repeated = times * call.get("repeat", 1)
        if "calls" in call:
            count(call["calls"], repeated, counts)
        else:
            counts[call["call"]] += repeated


def main(path):
    counts = collections.Counter()
    with open(path, "rb") as file:
        script = tomllib.load(file)
    for process in script["processes"]:
        for thread in process["threads"]:
            count(thread["calls"], 1, counts)
    for function, calls in sorted(counts.items()):
        print(f"{function},{calls}")


main(sys.argv[1])
