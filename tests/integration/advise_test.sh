#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# `advise`: what it finds in applications with known habits, on a module whose calls take a known
# time; its formats, options and exit codes. Environment: P11PROF, APP, DELAY_MODULE, ROOT.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/report_shell.sh"
COUNT=60

# habit NAME [DELAY]: records the application that has it.
habit() {
  P11PROF_TEST_DELAY=${2:-constant:100us} record --name "$1" --module "$DELAY_MODULE" -- \
    "$APP" "$DELAY_MODULE" 1234 "$1" - $COUNT
}

# found RUN [OPTION...]: finding and subject of each.
found() {
  run=$1
  shift
  "$P11PROF" advise --db "$DB" "$run" --format json "$@" | /usr/bin/python3 -c 'import json, sys
for run in json.load(sys.stdin)["advice"]:
    for f in run["findings"]:
        print(f["finding"], f["subject"] or "", sep=":")'
}

# finds NAME FINDING: that one, and nothing besides.
finds() {
  same "advice for $1" "$(found "$1")" "$2"
}

# value RUN FINDING COLUMN
value() {
  "$P11PROF" advise --db "$DB" "$1" --all --format json | /usr/bin/python3 -c 'import json, sys
print(next(f[sys.argv[2]] for f in json.load(sys.stdin)["advice"][0]["findings"]
    if f["finding"] == sys.argv[1]))' "$2" "$3"
}

# --- bad habits, and good ones that do the same work ---

habit found
check "an application without bad habits gets no advice" [ -z "$(found found --all)" ]
habit opening
check "sessions for an operation each are found" finds opening session-per-operation:
check "as many as there were" [ "$(value opening session-per-operation count)" = $COUNT ]
saving=$(value opening session-per-operation saving_ns)
cost=$(value opening session-per-operation cost_ns)
check "all but those that were open at once can be saved" [ "$saving" -le $((cost * (COUNT - 2) / COUNT)) ]
check "what they cost is the time of their calls" same cost "$cost" \
  "$(query "SELECT sum(duration_ns) FROM calls WHERE run_id = (SELECT max(run_id) FROM runs)
    AND (function = 'C_CloseSession' OR function = 'C_OpenSession' AND call_id >
      (SELECT min(call_id) FROM calls WHERE function = 'C_Login'
        AND run_id = (SELECT max(run_id) FROM runs)))")"
habit asking
check "lengths that were told are found" finds asking "double-queries:lengths of outputs"
habit digesting
check "digests are found" finds digesting "offloaded-public-work:digests"
habit drawing
check "random numbers are found" finds drawing "offloaded-public-work:random numbers"
habit seeding
check "seeds are not" [ -z "$(found seeding)" ]
export P11PROF_TEST_SERVES=1
habit sharing sleep:1ms
check "threads that share a session are found" [ "$(found sharing |
  grep -c '^serialised-threads:')" = 1 ]
habit owning sleep:1ms
unset P11PROF_TEST_SERVES
check "threads with sessions of their own are not" [ "$(found owning --all |
  grep -c '^serialised-threads:')" = 0 ]

# --- pages ---

p11 advise --db "$DB" opening
check "a page names the caller" shows "by          advice_app"
check "it says what can be saved, and how" shows "for opening and closing; 2 would do"
check "it says what to change" shows "Open as many sessions as there are threads"
check "it shows the calls of an example" [ "$(grep -cE ' C_(OpenSession|SignInit|Sign|CloseSession) ' \
  "$WORK/out")" = 4 ]
example=$(sed -n 's/^ *example *p11prof //p' "$WORK/out")
check "the command that it names works" sh -c "'$P11PROF' $example >/dev/null"
p11 advise --db "$DB" opening --format markdown
check "Markdown has sections" grep -q '^###* Sessions are opened' "$WORK/out"
"$P11PROF" advise --db "$DB" found opening --format json >"$WORK/two.json"
check "JSON has an object for each run" [ "$(/usr/bin/python3 -c 'import json, sys
print([len(run["findings"]) for run in json.load(open(sys.argv[1]))["advice"]])' \
  "$WORK/two.json")" = "[0, 1]" ]
check_schema "it keeps to the schema" "$WORK/two.json"
check "CSV has a row for each" [ "$("$P11PROF" advise --db "$DB" found opening asking --format csv |
  wc -l)" = 3 ]
p11 report --db "$DB" opening
check "a report has it in short" shows "Sessions are opened for an operation"
hint=$(sed -n 's/.*: `p11prof \(advise .*\)` says what to change.*/\1/p' "$WORK/out")
check "the command that it names works" sh -c "'$P11PROF' $hint | grep -q '^Sessions are opened'"
p11 report --db "$DB" opening --until 1h
check "with the range of time that it was given" shows " --until 1h --db "

# Sessions whose closing is hidden look as if they stayed open.
hidden="--function C_OpenSession,C_SignInit,C_Sign"
# shellcheck disable=SC2086
p11 report --db "$DB" opening $hidden
check "a report that hides calls gives no advice" not shows "Advice"
# shellcheck disable=SC2086
check "who asks for it gets it" ends 0 advise --db "$DB" opening --all $hidden
check "and is told that it may not hold" says "hide calls that patterns are made of"
# shellcheck disable=SC2086
p11 report --db "$DB" opening --sections advice $hidden
check "in a section of a report too" shows "hide calls that patterns are made of"
check "a part of the time hides nothing" ends 0 advise --db "$DB" opening --until 1h
check "so nothing is told" not says "hide calls"

record --module "$DELAY_MODULE" -- "$APP" "$DELAY_MODULE" 1234 opening - 12
hint=$(sed -n "s/.*: 'p11prof \(.*\)' shows all/\1/p" "$WORK/notes")
check "so does that of record" sh -c "'$P11PROF' $hint | grep -q '^  C_OpenSession '"
P11PROF_DB=$DB "$P11PROF" report opening >"$WORK/out"
check "a database that is configured needs no option" not shows " --db "
"$P11PROF" report --db "$DB" opening --redact >"$WORK/out"
check "a redaction names no folder" not shows "$DB"
p11 export --db "$DB" opening --format html
check "nor does a page for others" not shows "$DB"
p11 report --db "$DB" found
check "a report of a good one has nothing of it" not shows "Advice"
p11 report --db "$DB" found --sections advice
check "unless it is asked for" shows "No pattern that costs time was found"
p11 report --db "$DB" opening --format markdown
check "Markdown has a blank line before each table" \
  [ "$(awk '/^\|/ && before !~ /^(\||$)/ { print } { before = $0 }' "$WORK/out")" = "" ]
"$P11PROF" report --db "$DB" opening --format json >"$WORK/report.json"
check_schema "a report with advice keeps to the schema" "$WORK/report.json"

# --- options and exit codes ---

check "findings are no failure" ends 0 advise --db "$DB" opening
check "unless they are to be" ends 1 advise --db "$DB" opening --fail-on-findings
check "no findings never are" ends 0 advise --db "$DB" found --fail-on-findings
check "a filter holds" [ -z "$(found opening --until 1ns --all 2>/dev/null)" ]
check "a wrong option is refused" wrong "did you mean" advise --db "$DB" --fail-on-finds
check "a run that is none is refused" wrong "" advise --db "$DB" 4711

# What costs next to nothing is left out: 60 short calls of some long ones.
P11PROF_TEST_DELAY=constant:1us record --name cheap --module "$DELAY_MODULE" -- \
  "$APP" "$DELAY_MODULE" 1234 opening - 12
check "what costs next to nothing is not said" [ -z "$(found cheap)" ]
check "but with --all" [ "$(found cheap --all)" = session-per-operation: ]

# --- runs without rows, without durations, and of a bench ---

P11PROF_RECORD=summary record --name summary --module "$DELAY_MODULE" -- \
  "$APP" "$DELAY_MODULE" 1234 opening - 12
check "a run without rows says so" ends 2 advise --db "$DB" summary
check "and why" says "keeps no calls one by one"

SPY=$(find /usr/lib/*/pkcs11-spy.so 2>/dev/null | head -n 1)
if [ -n "$SPY" ]; then
  PKCS11SPY=$DELAY_MODULE PKCS11SPY_OUTPUT=$WORK/spy.log "$APP" "$SPY" 1234 opening - 30
  check "a log of pkcs11-spy is imported" p11 import --db "$DB" --name spy "$WORK/spy.log"
  check "it has the pattern" [ "$(found spy 2>/dev/null)" = session-per-operation: ]
  p11 advise --db "$DB" spy
  check "but no cost" shows "costs       unknown: these 60 calls have no durations"
  check "for no call has a duration" says "no durations"
fi

"$P11PROF" bench --db "$DB" --name load --module "$DELAY_MODULE" --test session-open-close \
  --iterations 50 --quiet >"$WORK/bench" 2>"$WORK/notes" || cat "$WORK/notes"
check "a bench makes patterns on purpose" [ -z "$(found load 2>/dev/null)" ]
p11 advise --db "$DB" load
check "and that is said" says "makes patterns on purpose"

finish
