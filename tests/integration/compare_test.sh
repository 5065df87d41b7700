#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof compare: on modules that take a known time, from runs, files and baselines.
# Environment: P11PROF, SHIM, DRIVER, DELAY_MODULE.

. "$(dirname "$0")/shell_test.sh"
need "${SHIM:?}" "${DRIVER:?}" "${DELAY_MODULE:?}" sqlite3 xmllint python3
export P11PROF_DB="$DB"
truncate -s 100K "$WORK/counts"

# compare ARGUMENT...: stdout goes to $WORK/out, stderr to $WORK/notes.
compare() {
  "$P11PROF" compare "$@" >"$WORK/out" 2>"$WORK/notes"
}

# ends CODE ARGUMENT...: how compare ends.
ends() {
  expected=$1
  shift
  compare "$@"
  code=$?
  [ "$code" -eq "$expected" ] || { echo "exit code $code" && cat "$WORK/out" "$WORK/notes" && false; }
}

# says TEXT, shows TEXT: of the last compare.
says() {
  grep -qF -e "$1" "$WORK/notes" || { cat "$WORK/notes" && false; }
}
shows() {
  grep -qF -e "$1" "$WORK/out" || { cat "$WORK/out" && false; }
}

# wrong TEXT ARGUMENT...: is refused, and told so.
wrong() {
  text=$1
  shift
  ends 2 "$@" && says "$text" && ! [ -s "$WORK/out" ]
}

# from_json PATH: a value of the last output.
from_json() {
  sqlite3 :memory: "SELECT json_extract(readfile('$WORK/out'), '$1')"
}

# signs NAME DELAY: three runs of a bench, whose C_SignInit and C_Sign take that long.
signs() {
  P11PROF_TEST_DELAY=constant:$2 "$P11PROF" bench --module "$DELAY_MODULE" --name "$1" \
    --test rsa-2048-sign,hmac-sha256 --iterations 120 --repeat 3 --quiet >/dev/null 2>"$WORK/bench"
}

# randoms NAME DELAY: a recording of 200 C_GenerateRandom that take that long.
randoms() {
  env P11PROF_NAME="$1" P11PROF_TEST_DELAY="constant:$2" P11PROF_MODULE="$DELAY_MODULE" \
    "$DRIVER" "$SHIM" "$WORK/counts" finalize 1 200
}

# The machine decides about rates; about medians of calls that keep the processor, it does not.
MEDIANS="--threshold p50=5%,ops_per_s=10000%"

check "a baseline" signs base 200us
check "the same again" signs again 200us
check "a slower one" signs slower 230us
# shellcheck disable=SC2086
{
  check "alike runs" ends 0 1,2,3 4,5,6 $MEDIANS
  check "have alike medians" [ "$(grep -c 'p50 .* = same' "$WORK/out")" = 2 ]
  check "runs are compared" shows "from how much runs differ from each other"
  check "slower by 15 %" ends 1 1,2,3 7,8,9 $MEDIANS
  check "is named" [ "$(grep -A 1 '^  rsa-2048-sign ' "$WORK/out" | grep -c 'p50 .*▼ regressed')" = 1 ]
  check "and counted" shows "2 regressed"
  check "no colour in a file" not grep -q "$(printf '\033')" "$WORK/out"
  check "faster" ends 0 7,8,9 1,2,3 $MEDIANS
  check "is improved" shows "2 improved"
  check "--fail-on improved" ends 1 7,8,9 1,2,3 $MEDIANS --fail-on improved
  check "--fail-on none" ends 0 1,2,3 7,8,9 $MEDIANS --fail-on none
  check "a larger threshold" ends 0 1,2,3 7,8,9 --threshold p50=50%,ops_per_s=10000%
  check "a row of each" ends 1 1:hmac-sha256,2:hmac-sha256,3:hmac-sha256 \
    7:rsa-2048-sign,8:rsa-2048-sign,9:rsa-2048-sign --threshold p50=5%
  check "more sides" ends 1 1,2,3 4,5,6 7,8,9 $MEDIANS
  check "are more columns" shows "CURRENT 2"
  check "too few windows" ends 0 base slower --fail-on none

  # Formats.
  check "JSON" ends 1 1,2,3 7,8,9 $MEDIANS --format json
  check "its schema" [ "$(from_json '$.schema')" = p11prof/compare/v1 ]
  check "its verdict" [ "$(from_json '$.currents[0].rows[0].verdict')" = regressed ]
  check "its effect" [ "$(from_json '$.currents[0].rows[0].metrics[1].effect' | cut -c 1-3)" = 0.1 ]
  check "CSV" ends 1 1,2,3 7,8,9 $MEDIANS --format csv
  check "a line a metric" [ "$(grep -c '^"7,8,9",' "$WORK/out")" = 10 ]
  check "Markdown" ends 1 1,2,3 7,8,9 $MEDIANS --format markdown
  check "a table" shows '|---|---|---:|'
  check "JUnit" ends 1 1,2,3 7,8,9 $MEDIANS --format junit
  check "is XML" xmllint --noout "$WORK/out"
  check "for others too" python3 -c "import xml.etree.ElementTree as e, sys
suite = e.parse(sys.argv[1]).getroot()[0]
assert suite.get('tests') == suite.get('failures') == '2'
assert len(suite.findall('testcase/failure')) == 2" "$WORK/out"

  # Files say the same as the runs they are of.
  for run in 1 2 3 7 8 9; do
    "$P11PROF" report $run --format json >"$WORK/$run.json"
  done
  ends 1 1,2,3 7,8,9 $MEDIANS
  sed '/^  Baseline\|^  Current/d' "$WORK/out" >"$WORK/of_runs"
  check "files" ends 1 "$WORK/1.json,$WORK/2.json,$WORK/3.json" \
    "$WORK/7.json,$WORK/8.json,$WORK/9.json" $MEDIANS --db /nonexistent/no.db
  sed '/^  Baseline\|^  Current/d' "$WORK/out" >"$WORK/of_files"
  check "say the same" cmp "$WORK/of_runs" "$WORK/of_files"
  "$P11PROF" report 7 8 9 --format json >"$WORK/all.json"
  check "a file of three runs" ends 1 1,2,3 "$WORK/all.json" $MEDIANS
  sed '/^  Baseline\|^  Current/d' "$WORK/out" >"$WORK/of_file"
  check "says the same" cmp "$WORK/of_runs" "$WORK/of_file"
  check "a row of a file" ends 1 "$WORK/1.json:hmac-sha256,$WORK/2.json:hmac-sha256" \
    "$WORK/all.json:rsa-2048-sign" --threshold p50=5%

  # Baselines.
  check "a baseline is saved" "$P11PROF" baseline save release 1,2,3
  check "and compared with" ends 1 @release 7,8,9 $MEDIANS
  check "its nearest" wrong "did you mean '@release'?" @relase 7,8,9
}

# Recordings.
for name in a a a; do
  check "a recording" randoms $name 200us
done
for name in b b b; do
  check "a slower recording" randoms $name 230us
done
check "recordings" ends 1 10,11,12 13,14,15
check "the operation is named" [ "$(grep -A 1 '^  generate-random ' "$WORK/out" |
  grep -c 'p50 .*▼ regressed')" = 1 ]
check "single calls are too few" shows "p50, fewer than 30 operations: "
"$P11PROF" report 10,11,12 --format json >"$WORK/a.json"
"$P11PROF" report 13 14 15 --format json >"$WORK/b.json"
sed '/^  Baseline\|^  Current/d' "$WORK/out" >"$WORK/of_runs"
check "files of recordings" ends 1 "$WORK/a.json" "$WORK/b.json"
sed '/^  Baseline\|^  Current/d' "$WORK/out" >"$WORK/of_files"
check "say the same too" cmp "$WORK/of_runs" "$WORK/of_files"

# What is not on both sides.
check "one test only" "$P11PROF" bench --module "$DELAY_MODULE" --test hmac-sha256 --iterations 120 \
  --quiet --output "$WORK/bench.txt"
check "unmatched rows are no failure" ends 0 1 last --fail-on regressed,improved --threshold 10000%
check "they are named" shows "only in Baseline: rsa-2048-sign"
check "unless they are to be" ends 1 1 last --fail-on unmatched
check "nothing to compare" wrong "nothing of one side is on the other" 1 10

# Wrong usage.
check "one side" wrong "a baseline and one or more sides" 1
check "no such run" wrong "no run 99" 1 99
check "no such row" wrong "has no test, operation or function 'zork'" 1:zork 2
check "no row" wrong "ends in a colon" 1: 2
check "no such file" wrong "No such file" "$WORK/none.json" 1
check "a folder" wrong "Is a directory" "$WORK/" 1
echo '{"schema": "p11prof/export/v1", "runs": [' >"$WORK/cut.json"
check "half a file" wrong "no JSON, or not all of it" "$WORK/cut.json" 1
echo '{}' >"$WORK/other.json"
check "another file" wrong "is no export" 1 "$WORK/other.json"
sed 's/"error_count":0/"error_count":-4/' "$WORK/1.json" >"$WORK/negative.json"
check "a wrong number" wrong "windows[0].error_count is negative" 1 "$WORK/negative.json"
check "a run twice" wrong "twice on one side" "1,$WORK/1.json" 2
check "no threshold" wrong "wants percent" 1 2 --threshold x
check "no such metric" wrong "did you mean 'p95'?" 1 2 --threshold p9=5%
check "no such verdict" wrong "did you mean 'regressed'?" 1 2 --fail-on regresed
check "no such format" wrong "csv, markdown or junit" 1 2 --format xml
check "help" ends 0 --help

finish
