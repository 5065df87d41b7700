#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof runs, report, sql, collect, doctor: what they print where, and how they end.
# Environment: P11PROF, SHIM, APP (record_app), NULL_MODULE, DELAY_MODULE.

. "$(dirname "$0")/shell_test.sh"
need "${SHIM:?}" "${APP:?}" "${NULL_MODULE:?}" "${DELAY_MODULE:?}" sqlite3

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

# says TEXT, shows TEXT: of the last p11.
says() {
  grep -qF -e "$1" "$WORK/notes"
}
shows() {
  grep -qF -e "$1" "$WORK/out"
}

# wrong TEXT COMMAND...: is refused as wrong usage, and told so.
wrong() {
  text=$1
  shift
  ends 2 "$@" && says "$text"
}

# is_json: the last output is JSON.
is_json() {
  [ "$(sqlite3 :memory: "SELECT json_valid(readfile('$WORK/out'))")" = 1 ]
}

# from_json PATH: a value of it.
from_json() {
  sqlite3 :memory: "SELECT json_extract(readfile('$WORK/out'), '$1')"
}

# waiting [VARIABLE=value...]: a recording that nobody has drained yet.
waiting() {
  env P11PROF_MODULE="$NULL_MODULE" P11PROF_DB="$DB" P11PROF_DRAIN=external "$@" "$APP" "$SHIM"
}

# Usage.
check "no command" ends 2
check "help" ends 0 help
check "version" ends 0 --version
check "has one in its first line" grep -qE '^p11prof [0-9]+\.[0-9]+\.[0-9]+( \(git [0-9a-z.-]+\))?$' "$WORK/out"
check "has that of SQLite" shows "SQLite $(sqlite3 --version | cut -d' ' -f1)"
check "unknown command" wrong "did you mean 'report'?" reprot
check "help of an unknown command" wrong "did you mean 'doctor'?" help docter
for command in record runs report sql collect doctor; do
  check "help $command" ends 0 help "$command"
  check "$command --help" ends 0 "$command" --help
  check "$command with an unknown option" wrong "unknown option '--zzzzz'" "$command" --zzzzz
done
# for WORDS:OURS, what other tools call it.
for words in benchmark:bench benchmark-compare:compare "benchmark-mix:bench --mix" \
  "benchmark-stress:bench --stress" "benchmark-suite:bench --suite" \
  analyze:import observe:record spy:record stat:report p11perftest:bench \
  "help benchmark:bench" "bench --library x:--module" \
  "bench --password x:--pin-source" "bench --jsonfile=x:--output" "bench --datapoints:--record" \
  "bench --coverage x:--test" "bench --vectors x:--data-sizes" "bench --keysizes x:--test" \
  "bench --nogenerate:--key" "bench -l x:--module" "bench --quiet -lx:--module" \
  "record --library x:--module"; do
  # shellcheck disable=SC2086
  check "${words%:*}" wrong "did you mean '${words##*:}'?" ${words%:*}
done
check "an option that is not meant" wrong "unknown option '-i'" report -i
check "does not have it" not says "did you mean"
check "a value with a control character" wrong "unknown option '--li\\x1B'" bench "$(printf -- '--li\033')"
check "nearest option" wrong "did you mean '--format'?" report --formatt
check "no value" wrong "option '--db' needs a value: FILE" report --db
check "none of a few words" wrong "option '--format' needs a value: text json csv markdown" report --format
check "no word to filter by" wrong "--key-type wants a word, not ''" report --key-type ""
check "too small a number" wrong "--slices wants a number from 1 on, not '0'" bench --slices 0
check "a value too many" wrong "takes no value" report --no-collect=1
check "no such format" wrong "text, json, csv or markdown" report --format xml
check "no such column" wrong "did you mean 'p99_ns'?" report --sort p99
check "no such group" wrong "did you mean 'caller'?" report --by function,callr
check "no number" wrong "wants a number" report --top -1
check "no file" wrong "wants the path" runs --db ""
check "an argument too many" wrong "takes no arguments" collect now
ln -s "$P11PROF" "$WORK/p11prof-report"
"$WORK/p11prof-report" --help >"$WORK/out"
check "the name picks the command" shows "p11prof report"
ln -s "$P11PROF" "$WORK/p11prof-bench"
check "of bench, too" "$WORK/p11prof-bench" --module "$NULL_MODULE" --db "$WORK/bench.db" \
  --iterations 10 --test ecdsa-p256-sign --verify none --quiet --json --output "$WORK/bench.json"
check "which has results" grep -q '"count":' "$WORK/bench.json"

# Nothing recorded.
for command in runs report; do
  check "$command without a database" wrong "p11prof record --module" "$command" --db "$DB"
done
check "no database is made" [ ! -e "$DB" ]
check "another file" wrong "$0" report --db "$0"
check "doctor without a module" ends 1 doctor --db "$DB"
check "which stops no record" shows "'p11prof record --module FILE -- COMMAND' would record"

# What waits is drained first, by those that it belongs to.
waiting P11PROF_NAME=first
check "another database is left alone" wrong "no recording yet" runs --db "$WORK/other.db"
env P11PROF_MODULE="$NULL_MODULE" "$P11PROF" doctor --db "$DB" >"$WORK/out"
check "doctor sees it" shows "\`p11prof collect --db $DB\` takes it"
check "doctor says for which database" shows "for $DB"
check "not drained with --no-collect" wrong "no recording yet" runs --db "$DB" --no-collect
export P11PROF_DB="$DB"
check "report" ends 0 report
check "says nothing else" [ ! -s "$WORK/notes" ]
for text in "Run 1 first (profile, finished)" "calls       10, 0 lost" "C_GetInfo" \
  "percentiles exact" "of measuring"; do
  check "report shows $text" shows "$text"
done
check "version" ends 0 --version
check "is what made the run" grep -qE "^p11prof $(sqlite3 "$DB" "SELECT tool_version FROM runs")( |\$)" "$WORK/out"
check "is that of the schema" shows "schema:      $(sqlite3 "$DB" "PRAGMA user_version")"
waiting P11PROF_NAME=second P11PROF_RECORD=summary
check "collect" ends 0 collect --spool "$P11PROF_SPOOL"
check "collect says what it took" says "10 calls of 1 spools taken; 0 spools still live"
check "collect prints nothing" [ ! -s "$WORK/out" ]
check "no spool is left" [ -z "$(ls "$P11PROF_SPOOL")" ]

# What is meant for another database is left to it, and named.
other="$WORK/an other.db"
waiting P11PROF_NAME=third P11PROF_DB="$other"
waiting P11PROF_NAME=fourth P11PROF_DB="$other"
check "collect leaves others' spools" ends 0 collect --spool "$P11PROF_SPOOL"
check "they are named" says \
  "2 spools wait for $other: p11prof collect --db '$other'"
check "none is taken" says "0 calls of 0 spools taken"
check "report leaves them too" ends 0 report --format csv
check "they are no runs here" [ "$("$P11PROF" runs --format csv | grep -c -e third -e fourth)" = 0 ]
ln -s "$WORK" "$WORK/link"
check "runs takes what is meant for its database" ends 0 runs --db "$WORK/link/an other.db"
check "by whatever path" shows fourth
check "all of it" [ -z "$(ls "$P11PROF_SPOOL")" ]
waiting P11PROF_NAME=fifth P11PROF_DB="$other"
check "collect --db" ends 0 collect --spool "$P11PROF_SPOOL" --db "$other"
check "takes what is meant for it" says "10 calls of 1 spools taken"
waiting P11PROF_NAME=sixth P11PROF_DB="$other"
check "collect --all" ends 0 collect --all --spool "$P11PROF_SPOOL" --db "$WORK/all.db"
check "takes what is meant for others" says "10 calls of 1 spools taken"

# Runs.
check "report NAME" ends 0 report first
check "report ID" ends 0 report 1
check "report last~1" ends 0 report last~1
check "several runs" ends 0 report 1 2 --format csv
check "one header" [ "$(grep -c '^run_id' "$WORK/out")" = 1 ]
check "nearest run" wrong "did you mean 'second'?" report secnd
check "too far back" wrong "there are 2 runs" report last~2
check "report of a summary" ends 0 report second
check "it has histograms" shows "from histograms"
check "sql of its threads" ends 0 sql --format csv "SELECT sum(t.call_count) AS calls
  FROM threads AS t JOIN runs USING (run_id) WHERE name = 'second'"
check "they made all calls" grep -q '^10.$' "$WORK/out"
check "a summary has no callers" wrong "--by caller needs them" report second --by caller
check "by caller" ends 0 report first --by caller
check "shows the program" shows "record_app:"
check "top" [ "$("$P11PROF" report first --top 1 --format csv | grep -c ,call,)" = 1 ]
check "runs" ends 0 runs
check "newest first" [ "$(sed -n '2s/.*  second  .*/second/p' "$WORK/out")" = second ]
check "limit" [ "$("$P11PROF" runs --limit 1 | wc -l)" = 2 ]

# Formats.
check "report as JSON" ends 0 report first --format json
check "it is JSON" is_json
check "its schema" [ "$(from_json '$.schema')" = p11prof/export/v1 ]
check "its run" [ "$(from_json '$.runs[0].name')" = first ]
check "its count" [ "$(sqlite3 :memory: "SELECT sum(json_extract(value, '\$.count')) FROM
  json_each(readfile('$WORK/out'), '\$.functions')")" = 10 ]
check "its columns are those of CSV" [ "$("$P11PROF" report first --format csv | head -n 1 |
  tr -d '\r')" = "$(sqlite3 :memory: "SELECT group_concat(key) FROM
  json_each(readfile('$WORK/out'), '\$.functions[0]') WHERE key NOT IN ('histogram', 'windows')")" ]
check "runs as JSON" ends 0 runs --format json
check "that is JSON" is_json
env P11PROF_MODULE="$NULL_MODULE" "$P11PROF" doctor --format json >"$WORK/out"
check "doctor has no problem" [ $? -eq 0 ]
check "no problems" [ "$(from_json '$.problem_count')" = 0 ]
check "report as CSV" ends 0 report first --format csv
printf '.mode csv\n.import %s c\nSELECT sum(count), count(DISTINCT function) FROM c;\n' \
  "$WORK/out" | sqlite3 :memory: | tr -d '\r' >"$WORK/sum"
check "its rows" [ "$(cat "$WORK/sum")" = 10,4 ]

check "report as Markdown" ends 0 report first --format markdown
check "its title" [ "$(head -n 1 "$WORK/out" | grep -c '^# Run 1 first (profile, ')" = 1 ]
check "its numbers are at the right" shows '|---|---|---:|---:'
check "runs as Markdown" ends 0 runs --format markdown
check "one line a run" [ "$(grep -c '^| .* |$' "$WORK/out")" = 3 ]
env P11PROF_MODULE="$NULL_MODULE" "$P11PROF" doctor --format markdown >"$WORK/out"
check "doctor as Markdown" shows '| SECTION | ITEM |'

# sql.
check "sql" [ "$(query 'SELECT count(*) FROM calls')" = 10 ]
check "sql as JSON" ends 0 sql --format json \
  "SELECT 9223372036854775807 AS n, NULL AS u, x'00FF' AS b"
check "exact" shows '{"n":9223372036854775807,"u":null,"b":"00FF"}'
check "sql as Markdown" ends 0 sql --format markdown "SELECT 'a|b' AS x, 1 AS n"
check "a bar is escaped" shows '| a\|b | 1 |'
check "no rows" ends 0 sql --format json "SELECT 1 WHERE 0"
check "are an empty array" is_json
check "sql only reads" wrong "only reads" sql "DELETE FROM run"
check "one statement" wrong "more than one" sql "SELECT 1; SELECT 2"
check "no such view" wrong "did you mean the view 'function_stats'?" \
  sql "SELECT * FROM function_stat"
check "no SQL" wrong "syntax error" sql "SELEC"
check "an empty query" wrong "'p11prof help sql' has examples" sql " "
# piped COMMAND...: with a pipe on stdin that nobody writes into.
piped() {
  : | "$@"
}
check "neither a query nor stdin" wrong "no query is given, and stdin is empty" sql </dev/null
check "nor a pipe" piped wrong "no query is given, and stdin is empty" sql
echo 'SELECT count(*) AS runs FROM runs;' | "$P11PROF" sql | tr -d ' ' >"$WORK/out"
check "the shell" [ "$(tail -n 1 "$WORK/out")" = 2 ]
sqlite3 "$P11PROF_DB" "VACUUM INTO '$WORK/foreign.db'"
sqlite3 "$WORK/foreign.db" "CREATE VIEW more AS SELECT edit('x', 'touch $WORK/edited') AS x;
  CREATE VIEW other AS SELECT 1"
echo 'SELECT * FROM more;' | "$P11PROF" sql --db "$WORK/foreign.db" >"$WORK/out" 2>&1
check "a view of a file starts no editor" not [ -e "$WORK/edited" ]
check "sql uses no view but its own" wrong "prohibited" \
  sql --db "$WORK/foreign.db" "SELECT * FROM other"

# doctor.
# finds MODULE TEXT: doctor's answer is no, and shows why.
finds() {
  ! env P11PROF_MODULE="$1" "$P11PROF" doctor >"$WORK/out" && shows "$2"
}
check "no such module" finds "$WORK/none.so" "No such file"
check "no library" finds "$0" "no shared library"
check "the shim itself" finds "$SHIM" "the shim itself"
check "no module at all" finds "" "no real module is set"
check "recording is off" not env P11PROF_RECORD=off P11PROF_MODULE="$NULL_MODULE" \
  "$P11PROF" doctor >/dev/null

# A call that has not returned.
P11PROF_TEST_DELAY=sleep:500ms P11PROF_MODULE=$DELAY_MODULE P11PROF_NAME=slow "$APP" "$SHIM" &
tries=0
until { p11 report slow && shows "Not returned"; } || [ "$tries" -ge 30 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
check "a call in flight is shown" shows "Not returned"
wait $!

# collect --follow ends by a signal.
"$P11PROF" collect --follow --spool "$P11PROF_SPOOL" 2>"$WORK/notes" &
sleep 0.5
waiting P11PROF_NAME=followed
tries=0
until "$P11PROF" runs --no-collect --format csv | grep -q followed || [ "$tries" -ge 50 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
kill -TERM $!
wait $!
check "SIGTERM" [ $? -eq 143 ]
check "what was followed" says "10 calls of 1 spools taken"
"$P11PROF" runs >/dev/full 2>/dev/null
check "output that cannot be written" [ $? -eq 3 ]

finish
