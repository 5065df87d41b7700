#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof report --sections latency: what a module of known delays, and SoftHSM, are said to do.
# Environment: P11PROF, APP (latency_app), DELAY_MODULE, ROOT.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/report_shell.sh"
need "${APP:?}" "${DELAY_MODULE:?}" "${ROOT:?}"
export P11PROF_DB="$DB"

# signs MODULE BITS,… CALLS BYTES,…: recorded; the section of it is the output.
signs() {
  record --module "$1" -- "$APP" "$1" "$PIN" "$2" "$3" "$4" &&
    p11 report --sections latency --format json
}

# of TABLE CONDITION EXPRESSION: for the rows r of a table of the section.
of() {
  from_json "*[($3) for r in d['latency'][0]['$1'] if $2]"
}

# --- a module of known delays ---

P11PROF_TEST_DELAY=sleep:500us
export P11PROF_TEST_DELAY

first_is_slow() {
  (export P11PROF_TEST_DELAY_FIRST=60ms && signs "$DELAY_MODULE" 2048 60 32) &&
    of first_calls "r['function'] == 'C_Sign'" "r['first_in'], r['slow_count'],
      4e7 < r['first_call_ns'] < 3e8, 5e5 < r['p50_ns'] < 1e7" |
    grep -xF "('process', 1, True, True)"
}
check "the first signature is said to be slow" in_3 first_is_slow
check "in words" shows "C_Sign CKM_SHA256_RSA_PKCS RSA 2048: the first call in a process takes"

# Slow modes may have calls that only waited for a processor.
key_is_slow() {
  (export P11PROF_TEST_DELAY_KEY=40ms && signs "$DELAY_MODULE" 2048,2048 80 32) &&
    of modes "r['function'] == 'C_Sign'" "r['told_by'], r['of_slow'] > 0.6, r['of_fast'] < 0.2" |
    grep -F "('key', True, True)"
}
check "slow signatures are told by their key" in_3 key_is_slow

# `report --by caller` has names, and a redaction its numbers: so has the sentence.
caller_is_told() {
  p11 report --sections latency "$@" && shows "as well told: they are of $caller."
}
caller=$("$P11PROF" sql --format csv "SELECT caller_site FROM calls WHERE function = 'C_Sign'
  AND run_id = :run GROUP BY 1 ORDER BY sum(duration_ns) DESC LIMIT 1" | tr -d '\r' | tail -n 1)
check "as well told is the place that calls" caller_is_told
caller=$("$P11PROF" report --redact --caller "$caller" --by caller --format csv --columns caller |
  tr -d '"\r' | tail -n 1)
check "a redaction numbers it" caller_is_told --redact

# Four processes, each with a fast and a slow key.
keys_are_slow() {
  # shellcheck disable=SC2016
  (export P11PROF_TEST_DELAY_KEY=20ms
  record --module "$DELAY_MODULE" -- sh -c 'for i in 1 2 3 4; do "$@"; done' sh \
    "$APP" "$DELAY_MODULE" "$PIN" 2048,2048 40 32) && p11 report --sections latency &&
    tr '\n' ' ' <"$WORK/out" | grep -q \
      "with 4 of 8 keys (one that several processes use counts in each), of the faster ones"
}
check "keys are those of their process" in_3 keys_are_slow
p11 report --by key,function
check "keys of several processes are said to be" shows "keys are numbered in each process"
p11 report --by process,key
check "but not where they stand apart" not shows "numbered in each process"

sizes_cost() {
  (export P11PROF_TEST_DELAY_KB=100us &&
    signs "$DELAY_MODULE" 2048 200 1024,16384,32768,65536) &&
    of sizes "r['function'] == 'C_Sign'" "r['size_count'], 9e4 < r['per_kb_ns'] < 1.15e5,
      3e5 < r['fixed_ns'] < 2e6" | grep -xF "(4, True, True)"
}
check "100 us for a KB are found" in_3 sizes_cost

# All calls take 500 us or more: the cheapest of them is the floor, and C_Sign has nothing on top.
floor_is_found() {
  signs "$DELAY_MODULE" 2048 100 32 &&
    of floor "r['trip'] == 'floor'" "r['count'] >= 20, 5e5 <= r['p50_ns'] < 5e6" |
    grep -xF "(True, True)" &&
    of floor "r['trip'] == 'agrees'" "r['function']" | grep -q C_
}
check "the floor of a round trip is found" in_3 floor_is_found
unset P11PROF_TEST_DELAY

# Of keys of two sizes the longest call is the p99 of its size, and not of all.
P11PROF_TEST_DELAY=mixed:200us record --module "$DELAY_MODULE" -- \
  "$APP" "$DELAY_MODULE" "$PIN" 2048,4096 100 32
check "p99 of a summary is that of all its calls" /usr/bin/python3 -c 'import re, sys
units = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
value, unit = re.search(r"C_Sign .* 100 calls .* p99 ([0-9.]+) (\w+)$", open(sys.argv[1]).read(),
                        re.M).groups()
assert abs(float(value) * units[unit] / float(sys.argv[2]) - 1) < 0.02, (value, unit, sys.argv[2])
' "$WORK/notes" "$("$P11PROF" sql --format csv "SELECT duration_ns FROM calls WHERE run_id = :run
  AND function = 'C_Sign' ORDER BY 1 LIMIT 1 OFFSET 98" | tail -n 1)"

# --- SoftHSM ---

if [ -e "$SOFTHSM" ] && command -v softhsm2-util >/dev/null; then
  make_token
  sizes_tell() {
    signs "$SOFTHSM" 2048,4096 200 32 &&
      of modes "r['function'] == 'C_Sign' and r['told_by'] == 'key-size'" \
        "r['rule'], r['of_slow'] > 0.5, r['of_fast'] < 0.2" |
      grep -F "('are with RSA 4096', True, True)"
  }
  check "keys of two sizes are told apart" in_3 sizes_tell
  check "in words" shows "of these are with RSA 4096, of the faster ones"
  cp "$WORK/out" "$WORK/latency.json"
  check_schema "what it says keeps to the schema" "$WORK/latency.json"
  check "a plain report does not say what its rows do" p11 report
  check "so it says nothing of kinds of keys" not shows "are with RSA 4096"
fi

finish
