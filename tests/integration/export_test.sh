#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof export: each format against what the database says, and with the tools that read it.
# Environment: P11PROF, SHIM, APP (record_app), DRIVER, ROOT, TOKEN, and NULL_, DELAY_, FAILS_MODULE.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "${SHIM:?}" "${APP:?}" "${DRIVER:?}" "${ROOT:?}" "${NULL_MODULE:?}" "${DELAY_MODULE:?}" \
  "${FAILS_MODULE:?}" truncate /usr/bin/python3
export P11PROF_DB="$DB"
HERE=$ROOT/tests/integration

# p11 COMMAND...: stdout goes to $WORK/out, stderr to $WORK/notes.
p11() {
  "$P11PROF" "$@" >"$WORK/out" 2>"$WORK/notes"
}

# ends CODE COMMAND...: how p11prof ends; what is wrong goes to stderr and not to stdout.
ends() {
  expected=$1
  shift
  p11 "$@"
  [ $? -eq "$expected" ] && { [ "$expected" -lt 2 ] || ! [ -s "$WORK/out" ]; }
}

# wrong TEXT COMMAND...: is refused as bad input, and told so.
wrong() {
  text=$1
  shift
  { ends 2 "$@" && says "$text"; } || { cat "$WORK/notes" && false; }
}

# drives NAME MODULE THREADS CALLS [VARIABLE=value...]
drives() {
  name=$1 module=$2 threads=$3 calls=$4
  shift 4
  rm -f "$WORK/counts"
  truncate -s 64K "$WORK/counts"
  env P11PROF_NAME="$name" P11PROF_MODULE="$module" "$@" \
    "$DRIVER" "$SHIM" "$WORK/counts" finalize "$threads" "$calls"
}

# run NAME: its number.
run() {
  query "SELECT max(run_id) FROM runs WHERE name = '$1'"
}

# total METRIC [LABEL]: the sum of its samples that have that label, in the last output.
total() {
  grep -e "^$1{" "$WORK/out" | grep -F -e "${2:-}" | awk '{ sum += $NF } END { print sum + 0 }'
}

# Recordings.
drives threads "$DELAY_MODULE" 3 20 P11PROF_TEST_DELAY=sleep:2ms
P11PROF_NAME=fails P11PROF_MODULE="$FAILS_MODULE" "$APP" "$SHIM"
P11PROF_NAME=summary P11PROF_RECORD=summary P11PROF_MODULE="$FAILS_MODULE" "$APP" "$SHIM"
drives lossy "$NULL_MODULE" 1 40000 P11PROF_DRAIN=external P11PROF_SPOOL_LIMIT=1MB
bench --name load --test rsa-2048-sign,sha-256 --threads 1,2 --iterations 20 --warmup 2 \
  --cooldown 0 --record calls --format prometheus
check "bench" [ $? -eq 0 ]
cp "$WORK/out" "$WORK/bench.prom"

# Usage.
check "nearest format" wrong "did you mean 'prometheus'?" export --format promethius
check "no such format" wrong "json, csv, html, prometheus, trace or folded, not 'xml'" export --format xml
check "no such run" wrong "there is no run 99" export 99
check "no such option" wrong "unknown option" export --zzzzz
check "a limit of nothing" wrong "wants 1 or more" export --format trace --limit 0
check "a limit of JSON" wrong "goes with --format trace" export --limit 5
check "calls as JSON" wrong "goes with --format csv" export --calls
check "gauges of JSON" wrong "goes with --format prometheus" export --no-hsm-gauges
check "filtered metrics" wrong "takes no filters" export --format prometheus --function C_Sign

# JSON and CSV are those of report.
for format in json csv; do
  "$P11PROF" report load --format $format >"$WORK/report"
  check "$format" ends 0 export load --format $format
  check "$format is that of report" cmp -s "$WORK/out" "$WORK/report"
done

# All documents of the schema keep to it.
mkdir "$WORK/documents"
# document NAME COMMAND...
document() {
  name=$1
  shift
  "$P11PROF" "$@" --format json >"$WORK/documents/$name.json" 2>"$WORK/notes"
}
check "of a bench" document bench export load
check "of a profile" document profile export threads
check "of failed calls" document fails export fails
check "of several" document several export load fails lossy
check "of several taken together" document together export threads,fails
check "of a summary" document summary export summary
check "of a selection" document selected export load --test sha-256 --kind call
check "redacted" document redacted report lossy --redact
check "of a bench, redacted" document bench_redacted report load --redact
for group in function operation mechanism kind key-type key-bits key test caller library process program \
  thread session slot rv minute hour day run name host token; do
  check "by $group" document "by_$group" report load --by "$(echo $group | tr - _)"
done
check "of calls" document calls calls load --all
check "of calls around one" document around calls threads --around slowest --all-threads
check "of errors" document errors errors fails
check "of errors by others" document errors_by errors fails --by function,program,thread,day
check "of runs" document runs runs
check "of a trend" document trend runs --trend p50
for run in load threads fails; do
  check "of all sections of $run" document "sections_$run" report $run \
    --sections advice,concurrency,latency,history
  check "of advice for $run" document "advise_$run" advise $run --all
done
bench --test rsa-2048-sign,aes-256-gcm-encrypt --threads 1 --iterations 5 --warmup 0 --cooldown 0 \
  --format json
check "of bench itself" cp "$WORK/out" "$WORK/documents/own.json"
check_schema "they keep to the schema" "$WORK"/documents/*.json
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
  for change in "'\$.schema', 'other'" "'\$.runs[0].kind', 'other'" \
    "'\$.results[0].mean_ns', 1.5" "'\$.results[0].histogram[0][2]', 0" \
    "'\$.functions[0].count', NULL" "'\$.runs[0].new', 1"; do
    sqlite3 :memory: "SELECT json_set(readfile('$WORK/documents/bench.json'), $change)" \
      >"$WORK/changed.json"
    check "a document with $change does not" not /usr/bin/python3 "$HERE/schema_check.py" \
      "$ROOT/docs/export-schema.json" "$WORK/changed.json" >"$WORK/said"
  done
fi

# Metrics: those of bench, and what the database says.
check "metrics" ends 0 export load --format prometheus
check "metrics are those of bench" cmp -s "$WORK/out" "$WORK/bench.prom"
for runs in load threads fails summary lossy load,threads,fails,summary,lossy; do
  check "metrics of $runs" ends 0 export "$runs" --format prometheus
  check "metrics of $runs hold" /usr/bin/python3 "$HERE/metrics_check.py" <"$WORK/out"
  cp "$WORK/out" "$WORK/$runs.prom"
done
bench --test rsa-2048-sign --rate 200 --iterations 20 --format prometheus --name paced
check "metrics of a rate hold" /usr/bin/python3 "$HERE/metrics_check.py" <"$WORK/out"
cp "$WORK/out" "$WORK/paced.prom"
check "without gauges of dashboards" ends 0 export load --format prometheus --no-hsm-gauges
check "there are none" not grep -q hsm_ "$WORK/out"
if command -v promtool >/dev/null; then
  promtool check metrics <"$WORK/out" >"$WORK/said" 2>&1
  check "promtool has nothing to say" [ $? -eq 0 -a ! -s "$WORK/said" ]
  for runs in threads fails summary lossy; do
    promtool check metrics <"$WORK/$runs.prom" >"$WORK/said" 2>&1
    check "nor of $runs" [ $? -eq 0 -a ! -s "$WORK/said" ]
  done
  promtool check metrics <"$WORK/bench.prom" 2>&1 | sort >"$WORK/said"
  check "only of the gauges of dashboards" [ "$(cut -d' ' -f1 "$WORK/said" | tr '\n' ' ')" = \
    "hsm_latency_p99_ms hsm_ops_per_sec " ]
fi
p11 export load --format prometheus
check "operations" [ "$(total p11prof_bench_operations_total 'test="sha-256"')" = 60 ]
check "all of them in the histogram" [ "$(total p11prof_bench_latency_seconds_count)" = 120 ]
check "calls of the measured part" [ "$(total p11prof_bench_calls_total 'function="C_Sign",')" = 60 ]
check "time" [ "$(awk '/^p11prof_bench_latency_seconds_sum/ { sum += $NF }
  END { printf "%.0f\n", sum * 1e9 }' "$WORK/out")" = "$(query "SELECT sum(duration_ns) AS ns
  FROM operations WHERE run_id = $(run load) AND phase = 'measured'")" ]
p11 export lossy --format prometheus
check "losses" [ "$(total p11prof_lost_calls_total)" = "$(query "SELECT lost_count FROM runs
  WHERE name = 'lossy'")" ]
check "calls" [ "$(total p11prof_calls_total)" = "$(query "SELECT call_count - lost_count FROM runs
  WHERE name = 'lossy'")" ]
check "bytes" [ "$(total p11prof_call_out_bytes_total)" = "$(query "SELECT sum(out_bytes) FROM calls
  WHERE run_id = $(run lossy)")" ]
p11 export fails summary --format prometheus
check "runs add up" [ "$(total p11prof_call_errors_total 'function="C_GetInfo"')" = 14 ]
p11 export load load --format prometheus
check "equal loads do not" [ "$(total p11prof_bench_operations_total)" = 120 ]

# What is lost is said wherever a run is looked at.
lost=$(query "SELECT lost_count FROM runs WHERE name = 'lossy'")
check "runs" ends 0 runs --format csv
check "... say what was lost" grep -q ",$lost," "$WORK/out"
check "report" ends 0 report lossy
check "... says what was lost" grep -q ", $lost lost" "$WORK/out"
check "... and that their time is not that between calls" \
  grep -q "between calls; what $lost lost calls took is among the latter" "$WORK/out"
check "... and why" grep -q '^  no_drainer  C_GenerateRandom' "$WORK/out"
check "an objective" ends 0 report lossy --slo "errors<1%"
check "... says that it is not of what was lost" says "$lost calls of run"
check "an export" ends 0 export lossy --format json
check "... says what was lost" grep -q "\"lost_count\":[[:space:]]*$lost" "$WORK/out"
"$P11PROF" compare lossy lossy >"$WORK/compared" 2>/dev/null
check "a comparison says what was lost" grep -q "(lossy) lost $lost of its" "$WORK/compared"
check "... and without a verdict nothing of corrections" not grep -q Holm "$WORK/compared"
p11 doctor
check "doctor says what was lost" grep -q "$lost calls in 1 run" "$WORK/out"

# Every call.
"$P11PROF" calls lossy --all --format csv >"$WORK/calls" 2>/dev/null
check "every call" ends 0 export lossy --format csv --calls
check "as calls prints them" cmp -s "$WORK/out" "$WORK/calls"
check "losses are a note" says "were lost and are not here"
check "all of them" [ "$(wc -l <"$WORK/out")" = "$(query "SELECT count(*) + 1 FROM calls
  WHERE run_id = $(run lossy)")" ]
check "selected calls" ends 0 export fails --format csv --calls --rv failed
check "only those" [ "$(wc -l <"$WORK/out")" = 9 ]
check "no calls of a summary" wrong "keeps no calls one by one" export summary --format csv --calls
check "no calls of several" wrong "takes one run" export fails lossy --format csv --calls
check "no calls selected" wrong "it has C_" export fails --format csv --calls --function C_Login

# Traces.
# traced COUNTS OPTION...: calls, failed ones, operations and tracks of a trace that holds together.
traced() {
  counts=$1
  shift
  ends 0 export --format trace "$@" || return 1
  found=$(/usr/bin/python3 "$HERE/trace_check.py" "$WORK/out" $CUT)
  [ "$found" = "$counts" ] || { echo "found: $found" && false; }
}
# of_run NAME COLUMN: of all its calls.
of_run() {
  query "SELECT $2 FROM calls WHERE run_id = $(run "$1")"
}
CUT=
check "a track a thread" traced "$(of_run threads 'count(*)') 0 0 $(of_run threads \
  'count(DISTINCT thread_id)')" threads
check "failed calls are marked" traced "$(of_run fails 'count(*)') 8 0 1" fails
check "operations contain their calls" traced "$(of_run load 'count(*)') 0 $(query "SELECT count(*)
  FROM operations WHERE run_id = $(run load) AND call_count > 1") $(query "SELECT count(*) FROM
  (SELECT DISTINCT process_id, thread_id FROM calls WHERE run_id = $(run load))")" load
# Clocks differ by a little: calls that begin before the one ahead of them ended.
cp "$DB" "$WORK/close.db"
sqlite3 "$WORK/close.db" "UPDATE call SET start_ns = start_ns - 200, duration_ns = duration_ns + 200,
  operation_start_ns = operation_start_ns - 200 WHERE start_ns > 200"
check "calls that seem to overlap" ends 0 export --db "$WORK/close.db" --no-collect --format trace load
check "stand one behind the other" /usr/bin/python3 "$HERE/trace_check.py" "$WORK/out"
check "several runs" ends 0 export --format trace threads fails
check "hold together" /usr/bin/python3 "$HERE/trace_check.py" "$WORK/out"
slowest=$(query "SELECT call_id FROM calls WHERE run_id = $(run load) ORDER BY duration_ns DESC,
  call_id LIMIT 1")
CUT=cut
check "a limit" ends 0 export load --format trace --limit 20
check "is told" says "20 of $(of_run load 'count(*)') calls, those around the slowest"
check "the slowest is there" grep -qF "\"call_id\":$slowest}" "$WORK/out"
grep -o '"call_id":[0-9]*' "$WORK/out" | cut -d: -f2 | sort -n >"$WORK/ids"
check "those around it" [ "$(wc -l <"$WORK/ids") $(tail -n 1 "$WORK/ids")" = \
  "20 $(($(head -n 1 "$WORK/ids") + 19))" ]
check "cut, it holds together" /usr/bin/python3 "$HERE/trace_check.py" "$WORK/out" cut
since=$(query "SELECT start_ns FROM calls WHERE run_id = $(run threads) ORDER BY start_ns LIMIT 1
  OFFSET 10")
until=$(query "SELECT start_ns FROM calls WHERE run_id = $(run threads) ORDER BY start_ns LIMIT 1
  OFFSET 30")
selected=$(query "SELECT count(*) || ' 0 0 ' || count(DISTINCT thread_id) AS t FROM calls
  WHERE run_id = $(run threads) AND start_ns >= $since AND start_ns < $until" | tr -d '"')
check "a part of the time" traced "$selected" threads --since "${since}ns" --until "${until}ns"
check "nothing selected" wrong "it has C_" export threads --format trace --function C_Login
check "a trace of a summary" wrong "no calls that are kept one by one" export summary --format trace

# Files are replaced in one step, or stay.
mkdir "$WORK/files"
file=$WORK/files/x.json
check "a file" ends 0 export load --output "$file"
check "has everything" [ "$(sqlite3 :memory: "SELECT json_valid(readfile('$file'))")" = 1 ]
check "and stdout nothing" [ ! -s "$WORK/out" ]
echo old >"$file"
check "a failure" ends 2 export summary --format trace --output "$file"
check "leaves what was there" [ "$(cat "$file")" = old ]
# full: writes to a file end after 64 KiB; the database needs half of that.
full() {
  (
    trap '' XFSZ
    ulimit -f 128
    exec "$P11PROF" export lossy --format csv --calls --no-collect --output "$file"
  ) 2>"$WORK/notes"
  [ $? -eq 3 ] && says "cannot write $file"
}
check "a full disk" full
check "leaves it too" [ "$(cat "$file")" = old ]
check "and nothing else" [ "$(ls "$WORK/files")" = x.json ]
check "no such folder" ends 3 export load --output "$WORK/none/x.json"
check "is named" says "cannot write $WORK/none/x.json"
check "a folder that nobody writes" ends 3 export load --output /proc/x.json
check "a device that is full" ends 3 export load --output /dev/full

# The guide: its commands work on the newest run, a bench, and its tables have every metric.
p11prof() {
  "$P11PROF" "$@"
}
awk '/^```/ { inside = /sh$/; next } inside' "$ROOT/docs/export.md" |
  grep -v -e curl -e promtool -e flamegraph.pl -e /var/lib >"$WORK/guide"
check "the guide has commands" [ "$(wc -l <"$WORK/guide")" -ge 7 ]
cd "$WORK/files" || exit 1
while IFS= read -r line; do
  check "works: $line" eval "{ $line; } >'$WORK/out' 2>'$WORK/notes' </dev/null"
done <"$WORK/guide"
cd "$WORK" || exit 1
for metric in $(sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' bench.prom paced.prom ./*,*.prom | sort -u); do
  check "the guide has $metric" grep -qF "\`$metric\`" "$ROOT/docs/export.md"
done
for metric in $(grep -oE '`(p11prof|hsm)_[a-z0-9_]+`' "$ROOT/docs/export.md" | tr -d '`' | grep -v _$); do
  check "$metric of the guide is there" grep -q "^# TYPE $metric " bench.prom paced.prom ./*,*.prom
done

finish
