#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof prune, merge, and runs with --trend, rename and delete: on real recordings, beside a
# recording, and killed at any moment; and the examples of docs/retention.md.
# Environment: P11PROF, SHIM, DRIVER, APP (record_app), TOKEN (the fake token), NULL_MODULE,
# DELAY_MODULE, ROOT.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "${SHIM:?}" "${DRIVER:?}" "${APP:?}" "${NULL_MODULE:?}" "${DELAY_MODULE:?}" "${ROOT:?}" sqlite3 script flock
export P11PROF_DB="$DB"

# p11 COMMAND...: stdout goes to $WORK/out, stderr to $WORK/notes.
p11() {
  "$P11PROF" "$@" >"$WORK/out" 2>"$WORK/notes"
}

# ends CODE COMMAND...: how p11prof ends; what is wrong goes to stderr and not to stdout.
ends() {
  expected=$1
  shift
  p11 "$@" </dev/null
  code=$?
  [ $code -eq "$expected" ] && { [ "$expected" -lt 2 ] || ! [ -s "$WORK/out" ]; } && return
  echo "exit code $code" && cat "$WORK/notes" && false
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

# calls NAME COUNT [THREADS]: a recording of COUNT calls of C_GenerateRandom by each thread.
calls() {
  truncate -s 1M "$WORK/counts"
  env P11PROF_MODULE="$NULL_MODULE" P11PROF_NAME="$1" "$DRIVER" "$SHIM" "$WORK/counts" finalize \
    "${3:-1}" "$2"
  "$P11PROF" collect --spool "$P11PROF_SPOOL" 2>/dev/null
}

# copy FILE: a copy of the database, with what is in its log.
copy() {
  sqlite3 "$DB" "VACUUM INTO '$1'"
}

# sql SQL: the answer of the database, privately.
sql() {
  sqlite3 "$DB" "$1"
}

# ages NAME HOURS: the run began so many hours earlier.
ages() {
  sql "UPDATE run SET start_wall_ns = start_wall_ns - $2 * 3600000000000 WHERE name = '$1'"
}

# csv COLUMN WHERE: a value of the CSV in $WORK/out.
csv() {
  sqlite3 :memory: ".import --csv $WORK/out t" "SELECT $1 FROM t WHERE $2"
}

# sound DB: integrity, references, and that segments are as long as they say.
sound() {
  [ "$(sqlite3 "$1" "PRAGMA integrity_check; PRAGMA foreign_key_check;
    SELECT (SELECT count(*) FROM call) - (SELECT total(last_call - first_call + 1) FROM segment),
      (SELECT count(*) FROM call) - (SELECT count(*) FROM segment AS s JOIN call AS c
        ON c.id BETWEEN s.first_call AND s.last_call)" | tr '\n' ' ')" = "ok 0.0|0 " ]
}

# sums DB: what no prune may change.
sums() {
  sqlite3 "$1" "SELECT * FROM run; SELECT * FROM process; SELECT * FROM call_group;
    SELECT * FROM group_bucket; SELECT * FROM error_count; SELECT * FROM thread;
    SELECT call_group, sum(count), sum(success_count), sum(sum_ns), min(min_ns), max(max_ns)
      FROM group_window GROUP BY 1;
    SELECT w.call_group, b.low_ns, sum(b.count) FROM group_window AS w
      JOIN window_bucket AS b ON b.group_window = w.id GROUP BY 1, 2"
}

# everything DB: all that a prune leaves.
everything() {
  sums "$1"
  sqlite3 "$1" "SELECT * FROM call; SELECT * FROM segment ORDER BY 1;
    SELECT call_group, start_ns, duration_ns, count, sum_ns FROM group_window ORDER BY 1, 2"
}

# Usage.
for command in prune merge; do
  check "help $command" ends 0 help "$command"
  check "$command with an unknown option" wrong "unknown option '--zzzzz'" "$command" --zzzzz
done
check "prune without a database" wrong "p11prof record --module" prune --calls-older-than 7d
check "no database is made" [ ! -e "$DB" ]

for i in 1 2 3; do
  calls "nightly-$i" "${i}000" 2
done
P11PROF_RECORD=summary calls summary 3000
ages nightly-1 72
ages nightly-2 48
ages nightly-3 24

check "prune what" wrong "prune wants" prune
check "a bare number is no age" wrong "7d or 2w, not '7'" prune --calls-older-than 7
check "no age" wrong "7d or 2w, not 'd'" prune --windows-older-than d
check "prune takes no run" wrong "named with --run" prune --calls-older-than 7d 3
check "prune of no run" wrong "did you mean 'nightly-1'?" prune --calls-older-than 7d --run nightli-1
check "merge what" wrong "wants the path" merge
check "runs with a wrong word" wrong "did you mean 'rename'?" runs renam
check "runs with a word" wrong "takes rename or delete" runs nightly-1
check "no kind" wrong "profile or bench" runs --kind other
check "rename what" wrong "wants a run and its new name" runs rename nightly-1
check "delete what" wrong "wants a run" runs delete

# Which runs.
check "runs by name" ends 0 runs --name 'nightly-[12]' --format csv
check "those" [ "$(cut -d, -f4 "$WORK/out" | tail -n +2 | tr '\r\n' '  ')" = "nightly-2 nightly-1 " ]
check "runs by program" ends 0 runs --program 'dri*' --kind profile --limit 1
check "the newest" shows summary
check "runs by a name that is none" ends 0 runs --name nightli-1
check "says so" says "did you mean --name 'nightly-1'?"
check "rename" ends 0 runs rename nightly-3 "a new name"
check "renamed" [ "$(sql "SELECT count(*) FROM run WHERE name = 'a new name'")" = 1 ]
check "rename a run by its new name" ends 0 runs rename "a new name" ""
check "no name any more" [ "$(sql "SELECT count(*) FROM run WHERE name IS NULL")" = 1 ]
check "rename by number" ends 0 runs rename 3 nightly-3
for name in last last~2 12 @a a/b a,b a:b; do
  check "not to $name" wrong "no name that a run can be found by" runs rename nightly-3 "$name"
done

# Trends are what reports say.
check "trend" ends 0 runs --trend p99 --function generaterandom --format csv
check "oldest first" [ "$(csv "group_concat(name)" 1)" = nightly-1,nightly-2,nightly-3,summary ]
check "the first has no change" [ -z "$(csv change "name = 'nightly-1'")" ]
check "changes" [ "$(csv "abs(t.value * 1.0 / (SELECT value FROM t WHERE name = 'nightly-2') - 1 -
  t.change) < 0.00001" "name = 'nightly-3'")" = 1 ]
check "counts" [ "$(csv count "name = 'nightly-2'")" = 4000 ]
for metric in p50 p90 p95 p99 p999 mean min max; do
  check "trend of $metric" ends 0 runs --trend $metric --function C_GenerateRandom --format csv
  trend=$(csv value "name = 'summary'")
  check "report" ends 0 report summary --format csv
  check "says the same" [ "$(csv "${metric}_ns" "function = 'C_GenerateRandom'")" = "$trend" ]
done
check "trend of operations" ends 0 runs --trend count --operation generate-random --format csv
check "of all runs" [ "$(csv "sum(value)" 1)" = 15000 ]
check "trend of all calls" ends 0 runs --trend errors --format markdown
check "in a table" shows "|---:|"
check "trend as text" ends 0 runs --trend max --function C_GenerateRandom
check "with bars" shows ████████████████████
check "trend in ASCII" ends 0 runs --trend max --function C_GenerateRandom --ascii
check "with plain bars" shows "####################"
check "trend as JSON" ends 0 runs --trend p50 --format json
check "is JSON" [ "$(sqlite3 :memory: "SELECT json_array_length(readfile('$WORK/out'),
  '$.trend')")" = 4 ]
check "no metric" wrong "did you mean 'p999'?" runs --trend p9999
check "no function" wrong "did you mean 'C_Sign'?" runs --trend p99 --function C_Sigm
check "no such calls" wrong "no run has calls" runs --trend p99 --function C_Sign
check "two at once" wrong "takes one of" runs --trend p99 --function C_Sign --operation sign
check "without a trend" wrong "for a --trend only" runs --mechanism CKM_RSA_PKCS
bends 0 --test rsa-2048-sign,sha-256 --iterations 300 --record calls --name trend-calls
bends 0 --test rsa-2048-sign --iterations 500 --threads 2 --record summary --name trend-summary
for run in trend-calls trend-summary; do
  check "report of a bench" ends 0 report $run --format csv
  rate=$(csv "printf('%.1f', ops_per_s)" "test = 'rsa-2048-sign'")
  count=$(csv count "test = 'rsa-2048-sign'")
  p99=$(csv p99_ns "test = 'rsa-2048-sign'")
  check "trend of a test" ends 0 runs --trend ops_per_s --test rsa-2048-sign --format csv
  check "its rate" [ "$(csv "printf('%.1f', value)" "name = '$run'")" = "$rate" ]
  check "its count" [ "$(csv count "name = '$run'")" = "$count" ]
done
check "its percentiles" ends 0 runs --trend p99 --test rsa-2048-sign --format csv
check "are the report's" [ "$(csv value "name = 'trend-summary'")" = "$p99" ]
check "no test" wrong "did you mean 'rsa-2048-sign'?" runs --trend p99 --test rsa-2048-sing

# Rows of calls go, all else stays.
sums "$DB" >"$WORK/sums"
check "dry run" ends 0 prune --calls-older-than 36h --dry-run
check "says what it would do" says "6006 rows of calls of 2 runs would be removed"
check "and does not" [ "$(sql "SELECT count(*) > 12000 FROM call")" = 1 ]
check "report before" ends 0 report nightly-2 --format csv
before=$(csv "count || ' ' || error_count || ' ' || total_ns || ' ' || mean_ns || ' ' || min_ns ||
  ' ' || max_ns" "function = 'C_GenerateRandom'")
check "exact" [ "$(csv "DISTINCT percentiles" 1)" = exact ]
check "prune" ends 0 prune --calls-older-than 36h
check "says what it did" says "6006 rows of calls of 2 runs removed"
check "says what got free" says "freed in the database"
check "prints nothing" [ ! -s "$WORK/out" ]
check "it is sound" sound "$DB"
sums "$DB" | cmp - "$WORK/sums"
check "sums are what they were" [ $? -eq 0 ]
check "report after" ends 0 report nightly-2 --format csv
check "from histograms" [ "$(csv "DISTINCT percentiles" 1)" = histogram ]
check "with the same counts and sums" [ "$(csv "count || ' ' || error_count || ' ' || total_ns ||
  ' ' || mean_ns || ' ' || min_ns || ' ' || max_ns" "function = 'C_GenerateRandom'")" = "$before" ]
p99=$(csv p99_ns "function = 'C_GenerateRandom'")
check "trend after" ends 0 runs --trend p99 --function C_GenerateRandom --format csv
check "is the report's" [ "$(csv value "name = 'nightly-2'")" = "$p99" ]
check "runs after" ends 0 runs --name nightly-2 --format csv
check "calls stay" [ "$(csv call_count 1)" = 4003 ]
check "no rows are left" [ "$(sql "SELECT count(*) FROM calls WHERE run_id = 2")" = 0 ]
check "calls of what is left" ends 0 calls nightly-3
check "report by what only rows tell" wrong "not kept one by one" report nightly-2 --by caller
check "a summary has nothing to prune" ends 0 prune --calls-older-than 0h --run summary
check "says so" says "0 rows of calls of 0 runs removed"
check "prune again" ends 0 prune --calls-older-than 36h
check "does nothing" says "0 rows of calls of 0 runs removed"
check "report of a summary" ends 0 report summary
size=$(stat -c %s "$DB")
check "vacuum" ends 0 prune --vacuum
check "it is smaller" [ "$(stat -c %s "$DB")" -lt "$size" ]
check "and sound" sound "$DB"

# Baselines stay.
sql "INSERT INTO baseline VALUES ('good', 1); INSERT INTO baseline_run VALUES ('good', 3)"
check "prune of a baseline" wrong "in the baseline 'good'" prune --calls-older-than 1h --run 3
check "prune beside a baseline" ends 0 prune --calls-older-than 1h
check "leaves it" [ "$(sql "SELECT count(*) FROM calls WHERE run_id = 3")" = 6003 ]
check "delete of a baseline" wrong "in the baseline 'good'" runs delete 3 --yes
sql "DELETE FROM baseline_run; DELETE FROM baseline"

# Others write: they are waited for, but not for ever.
(flock 9 && exec sleep 60) 9>>"$DB-writer" &
LOCK=$!
within 10 not flock -n "$DB-writer" true
check "prune of a locked database" ends 3 prune --calls-older-than 1h
check "says why" says "another process is writing"
check "rename in a locked database" ends 3 runs rename 1 other
kill $LOCK
wait $LOCK 2>/dev/null

# Beside a recording: nothing is lost.
truncate -s 1M "$WORK/counts"
env P11PROF_MODULE="$DELAY_MODULE" P11PROF_TEST_DELAY=constant:100us P11PROF_NAME=live "$DRIVER" \
  "$SHIM" "$WORK/counts" finalize 2 100000 &
LIVE=$!
has_calls() {
  [ "$(sqlite3 -readonly "$DB" "SELECT total(count) > 0 FROM call_group
    WHERE run = (SELECT id FROM run WHERE name = 'live')" 2>/dev/null)" = 1 ]
}
check "a run that goes on" within 30 has_calls
check "is not deleted" wrong "is still being recorded" runs delete live --yes
check "is merged" ends 0 merge "$DB" --db "$WORK/live.db"
while kill -0 $LIVE 2>/dev/null; do
  ends 0 prune --calls-older-than 0m --windows-older-than 0m || check "is pruned" false
done
check "it ends well" wait $LIVE
check "what it left is taken" ends 0 collect --spool "$P11PROF_SPOOL"
check "nothing is lost" [ "$(sql "SELECT call_count || ' ' || lost_count || ' ' ||
  (SELECT sum(count) FROM function_stats AS f WHERE f.run_id = r.run_id)
  FROM runs AS r WHERE name = 'live'")" = "200003 0 200003" ]
check "its rows went while it was recorded" [ "$(sql "SELECT count(*) < 200003 FROM calls
  WHERE run_id = (SELECT run_id FROM runs WHERE name = 'live')")" = 1 ]
check "the database is sound" sound "$DB"
check "what became of it is merged" ends 0 merge "$DB" --db "$WORK/live.db"
check "in its place" says "1 runs replaced"
env P11PROF_MODULE="$NULL_MODULE" P11PROF_NAME=waiting P11PROF_RUN=00000000-0000-4000-8000-00000000000a \
  P11PROF_DRAIN=external "$DRIVER" "$SHIM" "$WORK/counts" finalize 1 10
sql "INSERT INTO run (uuid, kind, name, start_wall_ns, start_monotonic_ns)
  VALUES (x'0000000000004000800000000000000A', 'profile', 'waiting', 1, 1)"
check "what waits is not deleted" wrong "'p11prof collect' takes them" runs delete waiting --yes \
  --no-collect
check "what came is" ends 0 runs delete waiting --yes

# Deleting.
check "delete without a terminal" wrong "no terminal to ask at" runs delete nightly-3
rows=$(sql "SELECT count(*) FROM call")
printf 'n\n' | script -qec "'$P11PROF' runs delete nightly-3" /dev/null >"$WORK/out" 2>&1
check "it asks" shows "Delete this run? [y/N]"
check "and does as told" shows "nothing is deleted"
check "not by one word in two" wrong "did you mean" runs delete nightly-3,nightli-1 --yes
check "nothing is deleted" [ "$(sql "SELECT count(*) FROM call")" = "$rows" ]
printf 'y\n' | script -qec "'$P11PROF' runs delete nightly-3" /dev/null >"$WORK/out" 2>&1
check "deleted" [ "$(sql "SELECT count(*) FROM run WHERE name = 'nightly-3'")" = 0 ]
check "delete several" ends 0 runs delete nightly-1,nightly-2 summary --yes
check "says so" says "3 runs with 0 rows of calls deleted"
check "it is sound" sound "$DB"
check "what it never was" ends 0 runs --format csv
check "are left" [ "$(csv "group_concat(name)" "name NOT LIKE '%a%'")" = live ]

# Merging.
mv "$DB" "$WORK/first.db"
rm -f "$DB"-*
calls one 1000
copy "$WORK/one.db"
calls two 1000
check "a merge" ends 0 merge "$WORK/one.db" "$WORK/first.db" --db "$WORK/all.db"
check "says what it did" says "runs copied"
check "it prints nothing" [ ! -s "$WORK/out" ]
check "once more" ends 0 merge "$DB" --db "$WORK/all.db"
check "one is new" says "1 runs copied"
check "one is not" says "1 runs here already"
check "it is sound" sound "$WORK/all.db"
for run in one two; do
  check "report of $run there" ends 0 report $run --format csv
  cut -d, -f2- "$WORK/out" >"$WORK/there"
  check "report of $run here" ends 0 report $run --db "$WORK/all.db" --format csv
  cut -d, -f2- "$WORK/out" | cmp - "$WORK/there"
  check "is the same" [ $? -eq 0 ]
done
for other in "$0" "$WORK/none.db" "$WORK/all.db" "$WORK"; do
  check "not $other" wrong "$other" merge "$other" --db "$WORK/all.db"
done
check "no database is made for nothing" wrong none.db merge "$WORK/none.db" --db "$WORK/new.db"
check "indeed" [ ! -e "$WORK/new.db" ]
copy "$WORK/damaged.db"
dd if=/dev/urandom of="$WORK/damaged.db" bs=16384 seek=8 count=20 conv=notrunc 2>/dev/null
check "a damaged one is refused" ends 2 merge "$WORK/damaged.db" --db "$WORK/damaged-into.db"
check "says so" says "damaged"
copy "$WORK/old.db"
sqlite3 "$WORK/old.db" "PRAGMA user_version = 1"
check "an old one is refused" wrong "p11prof runs" merge "$WORK/old.db" --db "$WORK/all.db"
cp "$WORK/one.db" "$WORK/both.db"
sqlite3 "$WORK/both.db" "UPDATE spool SET batch = batch + 5;
  INSERT INTO spool (spool_id, process, batch) SELECT randomblob(16), 1, 1"
sql "INSERT INTO spool (spool_id, process, batch) SELECT randomblob(16), 1, 1"
check "two that went on are left out" ends 2 merge "$WORK/both.db"
check "by name" says "run 1 one of"
sql "DELETE FROM spool WHERE batch = 1 AND state = 3"

# Killed at any moment: nothing is wrong, and the next time does the rest.
calls many 60000 2
sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
  INSERT INTO group_window SELECT NULL, call_group, i * 60000000000, 60000000000, count,
    success_count, error_count, undisclosed_count, sum_ns, error_sum_ns, sum_squares, min_ns,
    max_ns, in_bytes, out_bytes FROM group_window JOIN n
    WHERE call_group IN (SELECT g.id FROM call_group AS g JOIN run AS r ON r.id = g.run
      WHERE r.name = 'many');
  INSERT OR IGNORE INTO window_bucket SELECT w.id, b.low_ns, b.high_ns, b.count
    FROM group_window AS w JOIN group_bucket AS b ON b.call_group = w.call_group"
ages many 480
sql "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
sums "$DB" >"$WORK/sums"

# killed AFTER COMMAND...: SIGKILL comes after so many seconds, if it still runs.
killed() {
  after=$1
  shift
  "$P11PROF" "$@" >/dev/null 2>&1 </dev/null &
  victim=$!
  sleep "$after"
  kill -KILL $victim 2>/dev/null
  wait $victim 2>/dev/null
}

prune="prune --calls-older-than 1h --windows-older-than 48h"
cp "$DB" "$WORK/whole.db"
# shellcheck disable=SC2086
check "prune to the end" ends 0 $prune --db "$WORK/whole.db"
everything "$WORK/whole.db" >"$WORK/whole"
for after in 0.01 0.02 0.03 0.05 0.07 0.1 0.15 0.2 0.3 0.5; do
  cp "$DB" "$WORK/killed.db"
  # shellcheck disable=SC2086
  killed $after $prune --db "$WORK/killed.db"
  check "sound after SIGKILL at $after s" sound "$WORK/killed.db"
  sums "$WORK/killed.db" | cmp -s - "$WORK/sums"
  check "sums are right" [ $? -eq 0 ]
  # shellcheck disable=SC2086
  check "the rest is done" ends 0 $prune --db "$WORK/killed.db"
  everything "$WORK/killed.db" | cmp -s - "$WORK/whole"
  check "as at once" [ $? -eq 0 ]
  rm -f "$WORK"/killed.db*
done

# run_calls DB: rows and calls of each run.
run_calls() {
  sqlite3 "$1" "SELECT r.name, (SELECT sum(call_count) FROM process WHERE run = r.id),
    (SELECT total(last_call - first_call + 1) FROM segment WHERE run = r.id),
    (SELECT sum(b.count) FROM call_group AS g JOIN group_window AS w ON w.call_group = g.id
      JOIN window_bucket AS b ON b.group_window = w.id WHERE g.run = r.id)
    FROM run AS r ORDER BY r.uuid"
}
run_calls "$DB" >"$WORK/whole"
for after in 0.02 0.05 0.1 0.2 0.4; do
  killed $after merge "$DB" --db "$WORK/killed.db"
  if [ -e "$WORK/killed.db" ]; then
    check "sound after SIGKILL of a merge at $after s" sound "$WORK/killed.db"
    check "only whole runs" [ -z "$(run_calls "$WORK/killed.db" | grep -vxF -f "$WORK/whole")" ]
  fi
  check "the others are merged" ends 0 merge "$DB" --db "$WORK/killed.db"
  run_calls "$WORK/killed.db" | cmp -s - "$WORK/whole"
  check "as at once" [ $? -eq 0 ]
  rm -f "$WORK"/killed.db*
done
for after in 0.02 0.05 0.1 0.2; do
  cp "$DB" "$WORK/killed.db"
  killed $after runs delete many --yes --db "$WORK/killed.db" --no-collect
  check "sound after SIGKILL of a delete at $after s" sound "$WORK/killed.db"
  "$P11PROF" runs delete many --yes --db "$WORK/killed.db" --no-collect 2>/dev/null
  check "it is deleted" [ "$(sqlite3 "$WORK/killed.db" "SELECT count(*) FROM run
    WHERE name = 'many'")" = 0 ]
  check "and all of it" sound "$WORK/killed.db"
  rm -f "$WORK"/killed.db*
done

# The commands of the documentation.
cd "$WORK" || exit 1
calls nightly-1 100
bends 0 --test rsa-2048-sign --iterations 100
calls nightly-2 100
copy host-a.db
cp "$WORK/one.db" host-b.db
ln -s "$P11PROF" "$WORK/p11prof"
PATH=$WORK:$PATH
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$ROOT/docs/retention.md" \
  >"$WORK/commands"
check "there are examples" [ "$(wc -l <"$WORK/commands")" -ge 10 ]
while read -r line; do
  check "$line" sh -c "$line >'$WORK/out' 2>'$WORK/notes' || { cat '$WORK/notes'; false; }" \
    </dev/null
done <"$WORK/commands"

finish
