#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof report of benches, of runs together, of summaries and of a run that goes on; what it
# refuses. Environment: P11PROF, SHIM, APP (record_app), NULL_MODULE, DELAY_MODULE, TOKEN
# (module-token).

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/report_shell.sh"
need "${SHIM:?}" "${APP:?}" "${NULL_MODULE:?}" "${DELAY_MODULE:?}" "${TOKEN:?}"
export FAKE_PIN=1234 P11PROF_DB="$DB"

# Two runs with rows, one without.
"$P11PROF" bench --module "$TOKEN" --token-label fake --pin-source env:FAKE_PIN --quiet \
  --record calls --name load --test rsa-2048-sign,sha-256 --threads 2 --iterations 30 --warmup 3 \
  >"$WORK/bench" 2>"$WORK/notes" || cat "$WORK/notes"
P11PROF_NAME=plain P11PROF_MODULE=$NULL_MODULE "$APP" "$SHIM"
P11PROF_RECORD=summary P11PROF_NAME=summary P11PROF_MODULE=$NULL_MODULE "$APP" "$SHIM"
p11 collect --spool "$P11PROF_SPOOL"
check "three runs are there" [ "$(one 'SELECT group_concat(name) FROM runs')" = \
  load,plain,summary ]
copy_facts

# same_output "COMMAND…" "COMMAND…": on stdout.
# shellcheck disable=SC2086
same_output() {
  "$P11PROF" $1 >"$WORK/first" && "$P11PROF" $2 >"$WORK/second" && [ -s "$WORK/first" ] &&
    cmp -s "$WORK/first" "$WORK/second"
}

# Against SQL.
for RUN in 1 1,2; do
  by_all_words
done
RUN=1
only_all_options

# The page.
check "runs together" ends 0 report 1,2,1
check "they are named once" shows "Runs 1, 2: load, plain, taken together (bench, profile, finished)"
check "one after the other" ends 0 report load plain
check "two titles" [ "$(grep -c '^Run [12] ' "$WORK/out")" = 2 ]
check "a summary" ends 0 report summary
check "has histograms" shows "percentiles from histograms (within 0.5 %)"
check "and no start-up" not shows start-up
check "a run without operations" ends 0 report plain
check "start-up needs an operation" not shows start-up
check "a bench" ends 0 report load
check "its results come first" [ "$(head -n 1 "$WORK/out")" = Results ]
check "and its page" shows "Run 1 load (bench, finished)"

check "CSV of a bench" [ "$("$P11PROF" report 1 --columns test,count --format csv |
  tr -d '\r' | tr '\n' ' ')" = "test,count rsa-2048-sign,60 sha-256,60 " ]
check "one row" [ "$("$P11PROF" report 1:sha-256 --columns test,count --format csv |
  tr -d '\r' | tr '\n' ' ')" = "test,count sha-256,60 " ]
check "is its test" same_output "report 1:sha-256" "report 1 --test sha-256"
check "of calls too" same_output "calls 1:sha-256 --slowest 3" "calls 1 --test sha-256 --slowest 3"
check "of a timeline" same_output "timeline 1:sha-256" "timeline 1 --test sha-256"
check "of an export" same_output "export 1:sha-256" "export 1 --test sha-256"
check "of a function" same_output "histogram 2:C_GetInfo" "histogram 2 --function C_GetInfo"
check "one that is not there" wrong "did you mean 'sha-256'?" report 1:sha-265
check "metrics are of whole runs" wrong "it takes no row" export 1:sha-256 --format prometheus
check "of a thread only its operations" [ "$("$P11PROF" report 1 --format csv \
  --thread "$(one "SELECT min(thread_id) FROM load_threads WHERE load = 1")" --columns test,count |
  tr -d '\r' | sed -n 2p)" = "rsa-2048-sign,30" ]
check "a summary has no threads" wrong "not kept one by one" report summary --thread 1
check "bench and report print the same" sh -c "'$P11PROF' bench --module '$TOKEN' \
  --token-label fake --pin-source env:FAKE_PIN --quiet --test sha-256 --iterations 20 --format json \
  >'$WORK/bench' && '$P11PROF' report last --format json | cmp -s '$WORK/bench'"

# Several runs of one name.
check "a second run of a name" ends 0 runs rename 4 plain
check "one of several runs of a name" same_output "report plain" "report 4"
check "says so" ends 0 report plain
check "which it is, and how to choose another" says "2 runs are named 'plain': run 4 is the newest, \
run 2 the one before; 'p11prof runs' lists them, a number chooses"
check "a number does not" ends 0 report 4
check "nor does last" [ ! -s "$WORK/notes" ]
check "of a query" ends 0 sql "SELECT :run" --run plain
check "it says the same" says "2 runs are named 'plain'"
check "no name again" ends 0 runs rename 4 ""

# Bad input.
check "no such run" wrong "there is no run 99" report 99
check "nearest run" wrong "did you mean 'summary'?" report sumary
check "too far back" wrong "last~7 is too far back: there are 4 runs" report last~7
check "an empty name" wrong "there is no run named ''" report 1,,2
check "no database" wrong "p11prof record --module" report --db "$WORK/none.db"
: >"$WORK/empty.db"
check "an empty database" ends 2 report --db "$WORK/empty.db"
check "is no reason to crash" [ -s "$WORK/notes" ]

# A run that is still being recorded.
P11PROF_TEST_DELAY=sleep:500ms P11PROF_MODULE=$DELAY_MODULE P11PROF_NAME=live "$APP" "$SHIM" &
tries=0
until { p11 report live && shows "still being recorded"; } || [ "$tries" -ge 50 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
check "a live run says so" shows "  state       still being recorded: what is here so far"
p11 report live --redact
check "a redacted one names nobody" not grep -qwe record_app -e live "$WORK/out"
check "as JSON" ends 0 report live --format json
check "that is JSON" is_json
wait $!
p11 report live
check "an ended one does not" not shows "still being recorded"

finish
