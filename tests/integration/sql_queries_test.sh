#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# The ready queries, in the plain sqlite3 shell and by `p11prof sql @NAME`; the shell that has our
# functions; and the examples of docs/sql.md.
# Environment: P11PROF, SHIM, DRIVER, NULL_MODULE, DELAY_MODULE, APP (record_app), TOKEN (the fake
# token), EXTENSION, ROOT (the sources).

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "${SHIM:?}" "${DRIVER:?}" "${NULL_MODULE:?}" "${DELAY_MODULE:?}" "${APP:?}" "${EXTENSION:?}" \
  "${ROOT:?}" sqlite3
QUERIES=$ROOT/sql/queries
PROFILE_DB=$WORK/profile.db
EMPTY_DB=$WORK/empty.db
unset P11PROF_SQL_EXTENSION P11PROF_QUERIES

# profile NAME VARIABLE=value... PROGRAM...: a recording in the database of profiles.
profile() {
  name=$1
  shift
  env P11PROF_DB="$PROFILE_DB" P11PROF_NAME="$name" P11PROF_MODULE="$NULL_MODULE" "$@"
}

# drives SCENARIO THREADS CALLS: what makes calls of C_GenerateRandom, for profile.
truncate -s 64K "$WORK/counts"
drives="$DRIVER $SHIM $WORK/counts"
# shellcheck disable=SC2086
{
  profile lossy P11PROF_DRAIN=external P11PROF_SPOOL_LIMIT=1MB $drives finalize 1 50000
  "$P11PROF" collect --db "$PROFILE_DB" --spool "$P11PROF_SPOOL" 2>/dev/null
  profile slow P11PROF_MODULE="$DELAY_MODULE" P11PROF_TEST_DELAY=sleep:1ms "$APP" "$SHIM"
  profile random $drives finalize 3 500
}
RULES=errors=10
check "a bench with errors" bends 3 --test rsa-2048-sign,find-by-label-1,session-open-close \
  --threads 1,2 --iterations 200 --record calls
check "a bench without" bends 0 --test rsa-2048-sign --threads 1,2 --iterations 300 --record calls
cat "$ROOT/sql/schema.sql" "$ROOT/sql/views.sql" | sqlite3 "$EMPTY_DB"

# was_silent CODE: the command ended with 0 and said nothing on stderr.
was_silent() {
  cat "$WORK/errors"
  [ "$1" -eq 0 ] && [ ! -s "$WORK/errors" ]
}

# plain DATABASE NAME [OPTION...]: the query in the plain shell, as CSV.
plain() {
  file=$QUERIES/$2.sql
  database=$1
  shift 2
  sqlite3 -readonly -bail -csv "$@" "$database" <"$file" >"$WORK/rows" 2>"$WORK/errors"
  was_silent $?
}

# ready DATABASE NAME [OPTION...]: the query by its name, as CSV.
ready() {
  database=$1
  name=$2
  shift 2
  "$P11PROF" sql --db "$database" --format csv "@$name" "$@" >"$WORK/ready" 2>"$WORK/errors"
  was_silent $?
}

# rows FILE: how many.
rows() {
  wc -l <"$1"
}

# alike: the plain shell's rows are as many as those by name, which have a head.
alike() {
  [ "$(rows "$WORK/rows")" -eq "$(($(rows "$WORK/ready") - 1))" ]
}

# head_is_right NAME: the file says what it answers and how it is run.
head_is_right() {
  file=$QUERIES/$1.sql
  [ "$(sed -n '1s/^-- SPDX-License-Identifier: Apache-2.0$/licence/p' "$file")" = licence ] &&
    sed -n 3p "$file" | grep -q '^-- [A-Z].*?$' &&
    grep -qxF -e "--   sqlite3 -readonly -header -column DB < sql/queries/$1.sql" "$file" &&
    grep -qxF -e "--   p11prof sql @$1" "$file"
}

# private NAME: a private table that the query reads.
sqlite3 "$EMPTY_DB" "SELECT name FROM sqlite_schema WHERE type = 'table'
  UNION ALL VALUES ('group_names'), ('group_stats'), ('caller_names')" >"$WORK/private"
private() {
  grep -oE '(FROM|JOIN) +[a-z_]+' "$QUERIES/$1.sql" | sed 's/.* //' | grep -xF -f "$WORK/private"
}

"$P11PROF" sql --list --format csv >"$WORK/list"
NAMES=$(tail -n +2 "$WORK/list" | cut -d, -f1)
check "all are listed" [ "$(echo "$NAMES" | wc -l)" = "$(find "$QUERIES" -name '*.sql' | wc -l)" ]
check "there are some" [ "$(echo "$NAMES" | wc -l)" -ge 14 ]
for name in $NAMES; do
  check "$name: its head" head_is_right "$name"
  check "$name: reads views" not private "$name"
  check "$name: of an empty database" plain "$EMPTY_DB" "$name"
  check "$name: has no rows there" [ ! -s "$WORK/rows" ]
  for database in "$PROFILE_DB" "$DB"; do
    check "$name: in the shell" plain "$database" "$name"
    check "$name: by its name" ready "$database" "$name"
    check "$name: as many rows" alike
    check "$name: of run 1 in the shell" plain "$database" "$name" -cmd '.parameter set :run 1'
    if grep -q ':run,' "$QUERIES/$name.sql"; then
      check "$name: of run 1 by its name" ready "$database" "$name" --run 1
      check "$name: as many rows of run 1" alike
    fi
  done
  "$P11PROF" sql --db "$DB" "@$name" | head -n 1 >"$WORK/head"
  check "$name: its columns are known" not grep -q '[a-z]' "$WORK/head"
done

# found SQL: the first value of a query over the last rows of `ready`, which it calls r.
found() {
  printf '.import --csv "%s" r\n%s;\n' "$WORK/ready" "$1" | sqlite3 -bail :memory:
}

# answer DATABASE SQL: of the views.
answer() {
  sqlite3 -readonly "$1" "$2"
}

# agrees DATABASE NAME QUERY SQL [OPTION...]: what QUERY finds in the rows of the ready query NAME
# is what SQL says of the views.
agrees() {
  database=$1
  name=$2
  wanted=$(answer "$database" "$4")
  of_rows=$3
  shift 4
  ready "$database" "$name" "$@" || return 1
  rows_say=$(found "$of_rows")
  echo "found: $rows_say, of the views: $wanted"
  [ -n "$wanted" ] && [ "$rows_say" = "$wanted" ]
}

check "slowest-calls: the slowest" agrees "$DB" slowest-calls \
  "SELECT count(*) || ' ' || max(CAST(duration_ns AS INTEGER)) FROM r" \
  "SELECT '20 ' || max(duration_ns) FROM calls WHERE run_id = 1" --run 1
check "functions: all calls" agrees "$DB" functions \
  "SELECT sum(count) || ' ' || sum(total_ns) || ' ' || sum(error_count) FROM r" \
  "SELECT count(*) || ' ' || sum(duration_ns) || ' ' || sum(rv_code <> 0) FROM calls
   WHERE run_id = 1" --run 1
check "functions: shares of one" agrees "$DB" functions \
  "SELECT abs(sum(share) - 1) < 0.01 FROM r" "SELECT 1"
check "operations: the loads" agrees "$DB" operations \
  "SELECT sum(count) FROM r" \
  "SELECT count(*) FROM operations WHERE run_id = 1 AND phase = 'measured'" --run 1
check "callers: all calls" agrees "$DB" callers \
  "SELECT sum(count) || ' ' || group_concat(DISTINCT caller_file) FROM r" \
  "SELECT count(*) || ' p11prof' FROM calls WHERE run_id = 2"
sqlite3 "$DB" ".backup '$WORK/small.db'"
sqlite3 "$WORK/small.db" "UPDATE call SET rv = 0x150,
    kind = (SELECT code FROM kind_name WHERE name = 'too-small')
  WHERE id IN (SELECT call_id FROM calls WHERE run_id = 1 AND function = 'C_Sign' LIMIT 3)"
check "callers: a buffer that was too small is no error" agrees "$WORK/small.db" callers \
  "SELECT sum(error_count) FROM r" \
  "SELECT sum(rv_code <> 0) - 3 FROM calls WHERE run_id = 1" --run 1
check "errors: of C_Sign" agrees "$DB" errors \
  "SELECT sum(count) || ' ' || function || ' ' || rv || ' ' || max(call_count) FROM r" \
  "SELECT sum(rv_code <> 0) || ' C_Sign CKR_DEVICE_ERROR ' || count(*) FROM calls
   WHERE run_id = 1 AND function = 'C_Sign'" --run 1
check "errors: there are none" ready "$DB" errors
check "errors: says so" [ "$(rows "$WORK/ready")" = 1 ]
check "searches: for each signature" agrees "$DB" searches \
  "SELECT count || ' ' || printf('%.4f', per_signature) FROM r
   WHERE function = 'C_FindObjectsInit'" \
  "SELECT count(*) || ' ' || printf('%.4f', round(count(*) * 1.0 / (SELECT count(*)
   FROM operations WHERE run_id = 1 AND operation = 'sign'), 4)) FROM calls
   WHERE run_id = 1 AND function = 'C_FindObjectsInit'" --run 1
check "searches: without signatures" agrees "$PROFILE_DB" searches \
  "SELECT count(*) FROM r WHERE per_signature <> ''" "SELECT 0"
check "sessions: opened" agrees "$DB" sessions \
  "SELECT count FROM r WHERE function = 'C_OpenSession'" \
  "SELECT count(*) FROM calls WHERE run_id = 1 AND function = 'C_OpenSession'" --run 1
check "open-sessions: the longest" agrees "$DB" open-sessions \
  "SELECT max(CAST(open_ns AS INTEGER)) || ' ' || sum(call_count) FROM r" \
  "SELECT max(duration_ns) || ' ' || sum(call_count) FROM sessions WHERE run_id = 2"
check "size-queries: wasted" agrees "$DB" size-queries \
  "SELECT sum(size_query_count + too_small_count) || ' ' || sum(wasted_ns) FROM r" \
  "SELECT count(*) || ' ' || sum(duration_ns) FROM calls WHERE run_id = 2
   AND kind IN ('size-query', 'too-small')"
check "timeline: all operations" agrees "$DB" timeline \
  "SELECT sum(count) || ' ' || max(CAST(max_ns AS INTEGER)) || ' ' ||
   (SELECT count(*) FROM r WHERE CAST(p99_ns AS INTEGER) > CAST(max_ns AS INTEGER)) FROM r" \
  "SELECT count(*) || ' ' || max(duration_ns) || ' 0' FROM operations
   WHERE run_id = 2 AND phase = 'measured'"
check "p99-per-hour: all that succeeded" agrees "$DB" p99-per-hour \
  "SELECT sum(count) FROM r WHERE operation = 'sign'" \
  "SELECT count(*) FROM operations WHERE operation = 'sign' AND rv = 'CKR_OK'
   AND phase = 'measured'"
check "runs-compared: both runs" agrees "$DB" runs-compared \
  "SELECT group_concat(run_id || ' ' || threads || ' ' || count || ' ' || p50_ns)
   FROM r WHERE operation = 'sign'" \
  "SELECT group_concat(run_id || ' ' || threads || ' ' || count || ' ' || p50_ns)
   FROM (SELECT * FROM operation_stats AS s JOIN loads AS l USING (run_id, load)
   WHERE s.operation = 'sign' AND phase = 'measured' ORDER BY threads, run_id)"
check "runs-compared: the change" agrees "$DB" runs-compared \
  "SELECT group_concat(change <> '') FROM r WHERE operation = 'sign' AND threads = '1'" \
  "SELECT '0,1'"
check "bench-threads: all" agrees "$DB" bench-threads \
  "SELECT count(*) || ' ' || sum(count) || ' ' || sum(share) FROM r" "SELECT '3 900 2.0'"
check "bench-throughput: as the report" agrees "$DB" bench-throughput \
  "SELECT group_concat(round(ops_per_s, 1)) FROM r" \
  "SELECT group_concat(round(value ->> 'ops_per_s', 1)) FROM json_each('$(
    "$P11PROF" report --db "$DB" 2 --format json | tr -d "'"
  )', '\$.results')"
check "threads: each" agrees "$PROFILE_DB" threads \
  "SELECT count(*) || ' ' || sum(call_count) FROM r" \
  "SELECT count(DISTINCT thread_id) || ' ' || count(*) FROM calls WHERE run_id = 3"
check "start-up: the first" agrees "$PROFILE_DB" start-up \
  "SELECT operation || ' ' || first_operation_ns || ' ' || program FROM r" \
  "SELECT 'generate-random ' || (min(o.start_ns) - p.start_ns) || ' driver'
   FROM operations AS o JOIN processes AS p USING (run_id, process_id) WHERE run_id = 3"
check "start-up: C_Initialize" agrees "$PROFILE_DB" start-up \
  "SELECT initialize_ns || first_operation_ns FROM r" \
  "SELECT sum(duration_ns) FROM calls WHERE run_id = 2 AND function = 'C_Initialize'" --run slow
check "around-slowest: marks it" agrees "$DB" around-slowest \
  "SELECT count(*) || ' ' || max(duration_ns) FROM r WHERE slowest = '>'" \
  "SELECT '1 ' || max(duration_ns) FROM calls WHERE run_id = 2"
ready "$PROFILE_DB" around-slowest --run random
check "around-slowest: of its thread" [ "$(answer "$PROFILE_DB" "SELECT count(DISTINCT thread_id)
  FROM calls WHERE call_id IN ($(found "SELECT group_concat(call_id) FROM r"))")" = 1 ]
check "around-slowest: with others" [ "$(rows "$WORK/ready")" -ge 11 ]
check "lost-calls: all" agrees "$PROFILE_DB" lost-calls \
  "SELECT sum(count) || ' ' || max(function) || ' ' || name FROM r" \
  "SELECT lost_count || ' C_GenerateRandom lossy' FROM runs WHERE lost_count > 0"

# p11prof sql @NAME, --run, --list.
# refuses TEXT OPTION...: wrong usage, said on stderr alone.
refuses() {
  text=$1
  shift
  "$P11PROF" sql --db "$DB" "$@" >"$WORK/out" 2>"$WORK/notes"
  [ $? -eq 2 ] && [ ! -s "$WORK/out" ] && says "$text"
}
check "no such query" refuses "did you mean '@slowest-calls'?" @slowest-cals
check "nothing like it" refuses "'p11prof sql --list' lists them" @zzzzzzz
check "a query is no path" refuses "there is no ready query" @../queries/functions
check "no name" refuses "there is no ready query ''" @
check "no such run" refuses "there is no run 77" @functions --run 77
check "no run to choose" refuses "the query has no :run" @lost-calls --run 1
check "no query to list" refuses "takes no query" --list @functions
check "one query" refuses "takes one query" @functions @errors
check "a number wrong" refuses "percentile(): '101' is not a percentage" \
  "SELECT percentile(duration_ns, 101) FROM calls"
check "the newest run is :run" [ "$(query 'SELECT :run')" = 2 ]
check "or another" [ "$("$P11PROF" sql --db "$DB" --format csv --run last~1 'SELECT :run' |
  tail -n 1 | tr -d '\r')" = 1 ]
"$P11PROF" sql --db "$DB" @functions --run 1 >"$WORK/out"
check "text has units" grep -qE '^C_Sign .* (ns|us|ms)$' "$WORK/out"
check "questions are shown" grep -q 'slowest-calls,Which 20 calls took longest?' "$WORK/list"

# Percentiles of rows are those of reports.
check "percentile() is exact" [ "$(query "SELECT percentile(duration_ns, 99) FROM operations
  WHERE run_id = 2 AND phase = 'measured' AND load = 1")" = "$(
  "$P11PROF" report --db "$DB" 2 --format json >"$WORK/report.json"
  sqlite3 :memory: "SELECT json_extract(readfile('$WORK/report.json'), '\$.results[0].p99_ns')"
)" ]

# The shell.
# shell [OPTION...]: its last line, of what stdin says.
shell() {
  "$P11PROF" sql --db "$DB" "$@" 2>"$WORK/notes" | tail -n 1 | tr -d ' '
}
check "the shell has functions" [ "$(echo 'SELECT duration(1500) AS d;' | shell)" = 1.50us ]
check "and says nothing" [ ! -s "$WORK/notes" ]
check "and no run" [ "$(echo "SELECT coalesce(:run, 'none');" | shell)" = none ]
check "or the one chosen" [ "$(echo 'SELECT :run;' | shell --run last~1)" = 1 ]
check "and reads only" [ "$(echo "DELETE FROM run;" | shell; grep -c readonly "$WORK/notes")" = 1 ]
mkdir -p "$WORK/alone" "$WORK/a \"b\\"
cp "$P11PROF" "$WORK/alone/p11prof"
cp "$EXTENSION" "$WORK/a \"b\\/functions.so"
PROGRAM=$P11PROF
P11PROF=$WORK/alone/p11prof
check "the shell without functions" [ "$(echo 'SELECT 7;' | shell)" = 7 ]
check "says so" says "the shell starts without"
check "no queries" refuses "ready queries is not at" @functions
check "nor a list" refuses "ready queries is not at" --list
P11PROF_QUERIES=$QUERIES
export P11PROF_QUERIES
check "queries elsewhere" ready "$DB" functions
# shellcheck disable=SC2089,SC2090
P11PROF_SQL_EXTENSION="$WORK/a \"b\\/functions.so"
# shellcheck disable=SC2090
export P11PROF_SQL_EXTENSION
check "functions elsewhere" [ "$(echo 'SELECT median(7);' | shell)" = 7 ]
unset P11PROF_SQL_EXTENSION P11PROF_QUERIES
P11PROF=$PROGRAM

# The extension alone.
check "the plain shell loads it" [ "$(sqlite3 -cmd ".load $EXTENSION" :memory: \
  "SELECT percentile(value, 99) FROM json_each('[1, 2, 3]')")" = 3 ]
check "it exports its entry" [ "$(nm -D --defined-only "$EXTENSION" | cut -d' ' -f3)" = \
  sqlite3_extension_init ]
check "it brings no SQLite" not ldd "$EXTENSION" 2>/dev/null | grep -q sqlite

# docs/sql.md: all ready queries, and examples that work as they stand there.
GUIDE=$ROOT/docs/sql.md
# shellcheck disable=SC2016
"$P11PROF" sql --list --format markdown | sed -n '3,$s/^| \([^ ]*\) |/| `\1` |/p' >"$WORK/table"
while IFS= read -r line; do
  check "the guide has $line" grep -qxF -e "$line" "$GUIDE"
done <"$WORK/table"
for view in $(answer "$EMPTY_DB" "SELECT name FROM sqlite_schema WHERE type = 'view'
    AND name NOT LIKE 'group_%' AND name != 'caller_names'"); do
  check "the guide has the view $view" grep -q "^| .*\`$view\`.* | " "$GUIDE"
  check "so has the manual" grep -qw "$view" "$ROOT/docs/man/p11prof-sql.1.scd"
done
HOME=$WORK/home
P11PROF_DB=$HOME/.local/state/p11prof/p11prof.db
export HOME P11PROF_DB
mkdir -p "$HOME/.local/state/p11prof"
sqlite3 "$DB" "VACUUM INTO '$P11PROF_DB'"
PATH=$(dirname "$P11PROF"):$PATH
# examples LANGUAGE: its blocks in the guide, each ended by a line "#end".
examples() {
  awk -v start="\`\`\`$1" '$0 == start { inside = 1; next }
    /^```$/ { if (inside) print "#end"; inside = 0 } inside' "$GUIDE" |
    sed -e "s|/usr/local/lib/p11prof/p11prof-sql.so|$EXTENSION|" \
      -e "s|/usr/local/share/p11prof/queries|$QUERIES|"
}
examples sh >"$WORK/examples"
: >"$WORK/block"
while IFS= read -r line; do
  if [ "$line" != '#end' ]; then
    printf '%s\n' "$line" >>"$WORK/block"
    continue
  fi
  read -r first <"$WORK/block"
  check "works: $first" sh -eu "$WORK/block" >"$WORK/out" 2>&1 </dev/null
  grep -v '^ok: ' "$WORK/out" | head -n 40
  check "and shows rows: $first" [ "$(wc -l <"$WORK/out")" -gt 2 ]
  : >"$WORK/block"
done <"$WORK/examples"
check "there were examples" [ "$(grep -c '^#end' "$WORK/examples")" -ge 6 ]
if echo 'import sqlite3; sqlite3.Connection.enable_load_extension' | /usr/bin/python3 - 2>/dev/null
then
  examples python | /usr/bin/python3 - >"$WORK/out"
  check "works: Python" [ "$(cat "$WORK/out")" = "($(answer "$DB" "SELECT count(*) FROM operations"), $(
    query "SELECT percentile(duration_ns, 99) FROM operations"))" ]
fi

finish
