#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof histogram and timeline: what they count, how they look where, and what they refuse.
# Environment: P11PROF, SHIM, APP (record_app), TOKEN (the fake token), NULL_MODULE, ROOT.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "${SHIM:?}" "${APP:?}" "${NULL_MODULE:?}" "${ROOT:?}" sqlite3 script

# p11 COMMAND...: stdout goes to $WORK/out, stderr to $WORK/notes.
p11() {
  "$P11PROF" "$@" --db "$DB" >"$WORK/out" 2>"$WORK/notes"
}

# ends CODE COMMAND...: what is wrong goes to stderr and not to stdout.
ends() {
  expected=$1
  shift
  p11 "$@"
  [ $? -eq "$expected" ] && { [ "$expected" -lt 2 ] || ! [ -s "$WORK/out" ]; }
}

# wrong TEXT COMMAND...: is refused as wrong usage, and told so.
wrong() {
  text=$1
  shift
  ends 2 "$@" && says "$text"
}

# shows TEXT: of the last p11, on stdout.
shows() {
  grep -qF -e "$1" "$WORK/out"
}

# sums VALUE COLUMN [WHERE]: the sum of a column of the CSV in $WORK/out.
sums() {
  found=$(sqlite3 :memory: ".import --csv $WORK/out t" \
    "SELECT coalesce(sum($2), 0) FROM t WHERE ${3:-1}")
  [ "$found" = "$1" ] || { echo "found: $found" && false; }
}

# from_json PATH: a value of $WORK/out.
from_json() {
  sqlite3 :memory: "SELECT json_extract(readfile('$WORK/out'), '$1')"
}

# widest: characters of the longest line.
widest() {
  wc -L <"$WORK/out"
}

# fits WIDTH COMMAND...: no line is longer, and one is nearly as long.
fits() {
  width=$1
  shift
  p11 "$@" || return 1
  found=$(widest)
  [ "$found" -le "$width" ] && [ "$found" -ge $((width * 3 / 5)) ] && return
  echo "width: $found"
  return 1
}

# is_ascii: no other byte was printed.
is_ascii() {
  ! LC_ALL=C grep -q '[^ -~]' "$WORK/out"
}

# on_terminal [VARIABLE=value...] COMMAND...: with a terminal as stdout, of which there is a copy.
on_terminal() {
  env "$@" --db "$DB" >/dev/null 2>&1 || return 1
  words="env"
  for word; do
    words="$words '$word'"
  done
  script -qec "stty cols 150 2>/dev/null; $words --db '$DB'" /dev/null </dev/null >"$WORK/out"
}

# is_coloured: there is an escape sequence.
is_coloured() {
  grep -q "$(printf '\033')" "$WORK/out"
}

export LC_ALL=C.UTF-8
unset NO_COLOR COLUMNS
for command in histogram timeline; do
  check "$command without a database" wrong "p11prof record --module" $command
  check "$command --help" ends 0 $command --help
done

# A profile, a bench of two loads with errors, and a run without calls one by one.
env P11PROF_NAME=first P11PROF_MODULE="$NULL_MODULE" P11PROF_DB="$DB" "$APP" "$SHIM"
RULES="errors=50,delays=shuffled:50us-500us"
check "a bench" bends 3 --test rsa-2048-sign,ecdsa-p256-sign --iterations 400 --threads 2 \
  --slices 3 --name load
env P11PROF_NAME=summed P11PROF_RECORD=summary P11PROF_MODULE="$NULL_MODULE" P11PROF_DB="$DB" \
  "$APP" "$SHIM"

# What is counted.
check "histogram of a profile" ends 0 histogram first
check "shows functions" shows "C_GetInfo"
check "names the run" shows "Run 1 first (profile, finished)"
ends 0 histogram first --format csv --top 0
check "has each call once" sums "$(query "SELECT count(*) FROM calls WHERE run_id = 1
  AND rv = 'CKR_OK'")" count
check "adds them up" sums "$(query "SELECT count(*) FROM calls WHERE run_id = 1
  AND rv = 'CKR_OK'")" cumulative_count "CAST(high_ns AS INTEGER) = (SELECT
  max(CAST(high_ns AS INTEGER)) FROM t)"
successes=$(query "SELECT count(*) FROM operations WHERE run_id = 2 AND phase = 'measured'
  AND test = 'rsa-2048-sign' AND rv = 'CKR_OK'" | tr -d '"')
check "histogram of a bench" ends 0 histogram load --format csv
check "has the operations of a load" sums "$successes" count "test = 'rsa-2048-sign'"
ends 0 histogram load --format json --test rsa-2048-sign
check "as JSON" [ "$(from_json '$.groups[0].count')" = 800 ]
check "with its errors" [ "$(from_json '$.groups[0].error_count')" = $((800 - successes)) ]
check "with bins" [ "$(from_json '$.groups[0].bins[0][2]')" -gt 0 ]
check "says what it is" [ "$(from_json '$.schema')" = p11prof/histogram/v1 ]
check "two runs on one scale" ends 0 histogram first summed --function C_GetInfo
check "are told apart" shows "run 3: C_GetInfo"
check "the rest is summed up" [ "$(p11 histogram first --top 1 && grep -c 'Not shown: ' \
  "$WORK/out")" = 1 ]
check "operations" ends 0 histogram load --operations
check "say what they are" shows "sign "

calls=$(query "SELECT count(*) FROM calls WHERE run_id = 2 AND kind = 'call'" | tr -d '"')
errors=$(query "SELECT count(*) FROM calls WHERE run_id = 2 AND kind = 'call'
  AND rv <> 'CKR_OK'" | tr -d '"')
check "timeline" ends 0 timeline load
check "fits 24 lines" [ "$(wc -l <"$WORK/out")" -le 24 ]
check "counts errors" shows "errors: $errors"
ends 0 timeline load --format csv
check "has each call once" sums "$calls" count
check "each error" sums "$errors" error_count
check "and the time in the module" sums 1 "1 = 1 AND abs((SELECT sum(in_flight * duration_ns)
  FROM t) / $(query "SELECT sum(duration_ns) FROM calls WHERE run_id = 2 AND kind = 'call'" |
  tr -d '"') - 1) < 0.01" "rowid = 1"
ends 0 timeline load --format csv --step 50ms
check "a step" sums 50000000 duration_ns "start_ns = 0"
ends 0 timeline load --format json
check "as JSON" [ "$(from_json '$.steps[0].start_ns')" = 0 ]
check "of calls" [ "$(from_json '$.source')" = calls ]
check "some of the time" ends 0 timeline load --since 100ms --until 200ms --format csv
check "is all that is shown" sums 0 count "start_ns < 100000000 OR start_ns >= 200000000"
check "has its calls" sums "$(query "SELECT count(*) FROM calls WHERE run_id = 2 AND kind = 'call'
  AND start_ns >= 100000000 AND start_ns < 200000000" | tr -d '"')" count
check "iterations" ends 0 timeline load --x iteration --format csv --step 100
check "are all operations of the loads" sums 1600 count
check "in steps" sums 100 count "first_operation = 101 AND test = 'rsa-2048-sign'"
check "are drawn" ends 0 timeline load --x iteration --test ecdsa-p256-sign
check "as what is asked for" [ "$(grep -c '^latency' "$WORK/out")" = 1 ]

# Without calls one by one.
check "histogram of a summary" ends 0 histogram summed --function C_GetInfo
check "has the counts" shows "calls       7, 0 failed"
check "says what it is from" shows "From histograms"
check "names nobody" not shows "pid"
check "timeline of a summary" ends 0 timeline summed --step 10ms
check "says what it is from" shows "in steps of 1 s: windows of time"
check "says that it cannot follow" says "longer than --step"
check "cannot select by thread" wrong "not kept one by one" timeline summed --thread 1
check "nor a histogram" wrong "not kept one by one" histogram summed --thread 1
check "has no iterations" wrong "is no bench" timeline summed --x iteration

# How it looks.
for width in 40 80 200 1000; do
  check "histogram fits $width columns" fits $width histogram load --width $width
  check "timeline fits $width columns" fits $width timeline load --width $width
done
check "80 columns by default" fits 80 histogram load
check "COLUMNS" env COLUMNS=120 "$P11PROF" histogram load --db "$DB" >"$WORK/out"
check "is looked at" [ "$(widest)" -gt 90 ]
check "a silly one too" env COLUMNS=3 "$P11PROF" timeline load --db "$DB" >"$WORK/out"
check "and bounded" [ "$(widest)" -le 40 ]
for command in histogram timeline; do
  p11 $command load
  check "$command is drawn with blocks" shows "█"
  p11 $command load --ascii
  check "$command in ASCII" is_ascii
  env LC_ALL=C "$P11PROF" $command load --db "$DB" >"$WORK/out"
  check "$command where the locale is" is_ascii
  p11 $command load --format markdown
  check "$command in Markdown" shows '```text'
  check "$command closes its fences" [ $(($(grep -c '^```' "$WORK/out") % 2)) = 0 ]
  p11 $command load
  check "$command in a file has no colours" not is_coloured
  p11 $command load --color always
  check "$command --color always" is_coloured
  if on_terminal TERM=xterm "$P11PROF" $command load; then
    check "$command on a terminal has colours" is_coloured
    on_terminal TERM=dumb "$P11PROF" $command load
    check "$command on a dumb one has none" not is_coloured
    on_terminal TERM=xterm NO_COLOR=1 "$P11PROF" $command load
    check "$command with NO_COLOR has none" not is_coloured
    on_terminal TERM=xterm NO_COLOR= "$P11PROF" $command load
    check "$command with an empty one has" is_coloured
    on_terminal TERM=xterm "$P11PROF" $command load --color never
    check "$command --color never" not is_coloured
    on_terminal TERM=xterm "$P11PROF" $command load --format markdown
    check "$command in Markdown has none" not is_coloured
    on_terminal TERM=xterm "$P11PROF" $command load --color never
    tr -d '\r' <"$WORK/out" >"$WORK/lines" && mv "$WORK/lines" "$WORK/out"
    check "$command is as wide as the terminal" [ "$(widest)" -le 150 ]
    check "$command uses it" [ "$(widest)" -gt 90 ]
  fi
done

# A name is shown, not obeyed.
evil=$(printf 'a\033[31mb')
env P11PROF_NAME="$evil" P11PROF_MODULE="$NULL_MODULE" P11PROF_DB="$DB" "$APP" "$SHIM"
for command in histogram timeline; do
  check "$command of a bad name" ends 0 $command last
  check "$command shows it" shows '\x1B[31mb'
  check "$command does not obey it" not is_coloured
done

# Wrong usage and bad input.
for command in histogram timeline; do
  check "$command of no run" wrong "there is no run 99" $command 99
  check "$command of nothing" wrong "it has C_" $command first --function C_Digest
  check "$command of no function" wrong "C_Nothing" $command first --function C_Nothing
  check "$command of width 1" wrong "--width is from 40 to 1000" $command --width 1
  check "$command of width 10000" wrong "--width is from 40 to 1000" $command --width 10000
  check "$command of no width" wrong "wants a number" $command --width wide
  check "$command of no colour" wrong "always, never or auto" $command --color red
done
check "nearest group" wrong "did you mean 'function'?" histogram --by functon
check "two runs in a timeline" wrong "takes one run" timeline 1 2
check "no x" wrong "time or iteration" timeline --x y
check "no step" wrong "wants a time" timeline --step soon
check "a step of 0" wrong "wants a time" timeline --step 0
check "no number of operations" wrong "wants a number" timeline --x iteration --step 1s
check "too small a step" wrong "there is room for" timeline load --step 1us
check "for data too" wrong "there is room for 5000" timeline load --step 1us --format csv

# What is still being recorded.
RULES=delays=shuffled:1ms-3ms
bench_start --test rsa-2048-sign --duration 60s --slices 60 --record calls --name live
has_calls() {
  [ "$(query "SELECT count(*) FROM calls WHERE run_id = (SELECT max(run_id) FROM runs
    WHERE name = 'live')" | tr -d '"')" -gt 0 ] 2>/dev/null
}
check "a run that goes on" within 30 has_calls
for command in histogram timeline; do
  check "$command of it" ends 0 $command live
  check "$command says so" says "is still being recorded"
  check "$command says so once" [ "$(wc -l <"$WORK/notes")" = 1 ]
done
kill -INT "$COMMAND"
wait "$COMMAND"

# The commands of the documentation.
awk '/^## /{ ours = /Histogram|Timeline/ } /^```sh$/ { inside = ours; next } /^```$/ { inside = 0 }
  inside' "$ROOT/docs/reports.md" >"$WORK/commands"
check "there are examples" [ "$(wc -l <"$WORK/commands")" -ge 10 ]
PATH=$WORK:$PATH
export P11PROF_DB="$DB"
ln -s "$P11PROF" "$WORK/p11prof"
RULES="delays=shuffled:50us-500us"
bends 0 --test rsa-2048-sign --iterations 2000
while read -r line; do
  check "$line" sh -c "$line >'$WORK/out' 2>'$WORK/notes' || { cat '$WORK/notes'; false; }" \
    </dev/null
done <"$WORK/commands"

finish
