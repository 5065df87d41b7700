#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench: what is recorded in which mode, what it needs for that, and where results go.
# Environment: P11PROF, TOKEN (the fake token), NULL_MODULE.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need pgrep

# quick OPTION...: on the null module, that answers at once and needs no PIN.
quick() {
  "$P11PROF" bench --module "$NULL_MODULE" --verify none --quiet "$@" >"$WORK/out" \
    2>"$WORK/notes"
}

# Modes.
SIGN="--test rsa-2048-sign --iterations 500 --threads 2"
# shellcheck disable=SC2086
{
  check "calls" bends 0 $SIGN --record calls
  check "are rows" operations measured 1000
  check "and stand for the mode" is calls "SELECT options ->> 'record' FROM runs WHERE run_id = LAST"
  check "summary" bends 0 $SIGN --record summary
  check "has no rows" is 0 "SELECT count(*) FROM calls WHERE run_id = LAST AND load IS NOT NULL"
  check "and the same counts" is "1000,1000" "SELECT sum(count), (SELECT sum(count)
    FROM load_threads WHERE run_id = LAST) FROM operation_stats WHERE run_id = LAST
    AND phase = 'measured'"
  check "and stands for the mode" is summary "SELECT options ->> 'record' FROM runs
    WHERE run_id = LAST"
}
# Iterations in parts, two operations at once, and what is no operation of PKCS#11.
check "other iterations" bends 0 --iterations 40 --test \
  'rsa-2048-sign-multipart,combined,*-sign-encrypt,object-*,set-attribute,seed-random'
check "have names" is "digest-encrypt,object-copy,object-create-destroy,seed-random,set-attribute,\
sign,sign-encrypt" "SELECT group_concat(operation) FROM (SELECT DISTINCT operation FROM operations
  WHERE run_id = LAST AND phase = 'measured' ORDER BY operation)"
check "so have their tests" is 0 "SELECT count(*) FROM loads WHERE run_id = LAST
  AND coalesce(operation LIKE '0x%', 1)"
check "are of so many calls" is "1:3,2:1,6:1,8:2" "SELECT group_concat(n || ':' || c) FROM
  (SELECT n, count(*) AS c FROM (SELECT test, min(call_count) AS n FROM operations
  WHERE run_id = LAST AND phase = 'measured' GROUP BY test
  HAVING count(*) = 40 AND min(call_count) = max(call_count)) GROUP BY n ORDER BY n)"
before=$(cksum "$DB")
mkdir "$WORK/tmp"
RULES=errors=100
export TMPDIR="$WORK/tmp"
# shellcheck disable=SC2086
check "off" bends 3 $SIGN --record off --warmup 0 --format json
unset TMPDIR
check "touches no database" [ "$before" = "$(cksum "$DB")" ]
check "leaves no file" [ -z "$(ls "$WORK/tmp"; ls "$P11PROF_SPOOL")" ]
json() {
  sqlite3 :memory: "SELECT json_extract(readfile('$WORK/out'), '\$.results[0].$1')"
}
check "counts" [ "$(json count) $(json error_count)" = "1000 10" ]
check "a database that is not there" "$P11PROF" bench --module "$NULL_MODULE" --quiet --quick \
  --record off --test aes-cmac --db "$WORK/none.db" >"$WORK/out" 2>"$WORK/notes"
check "is not made" [ ! -e "$WORK/none.db" ]

# Nothing is lost, however fast the module and small the spool.
export P11PROF_SPOOL_LIMIT=1MB
check "full speed" quick --test rsa-2048-sign --iterations 50000 --threads 2 --record calls \
  --db "$DB" --warmup 0
check "is recorded" is "100000,0" "SELECT count(*), (SELECT lost_count FROM runs
  WHERE run_id = LAST) FROM operations WHERE run_id = LAST AND phase = 'measured'"
for threads in 4 16; do
  quick --test rsa-2048-sign --iterations 5000 --record calls \
    --threads "$threads" --db "$DB" --warmup 0
  check "$threads threads and a small spool" is "$((threads * 5000)),0" "SELECT count(*),
    (SELECT lost_count FROM runs WHERE run_id = LAST) FROM operations WHERE run_id = LAST
    AND phase = 'measured'"
done
check "counted" is 80000 "SELECT sum(count) FROM load_threads WHERE run_id = LAST"

# A signal while threads wait for room.
"$P11PROF" bench --module "$NULL_MODULE" --quiet --verify none --db "$DB" \
  --test rsa-2048-sign --duration 60s --threads 2 --record calls >"$WORK/out" 2>"$WORK/notes" &
COMMAND=$!
sleep 1.5
kill -INT "$COMMAND"
check "INT when the spool is full" ended 130 10
check "loses nothing" is "interrupted,0,1" "SELECT state, lost_count, call_count > 1000 FROM runs
  WHERE run_id = LAST"

unset P11PROF_SPOOL_LIMIT

# peak OPTION...: the most memory that the command and its worker needed, in KiB.
peak() {
  quick "$@" &
  most=0
  while kill -0 $! 2>/dev/null; do
    for process in $! $(pgrep -P $!) $(pgrep -P $! | xargs -r -n 1 pgrep -P); do
      now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$process/status" 2>/dev/null)
      [ "${now:-0}" -le "$most" ] || most=$now
    done
  done
  wait $! || return 1
  echo "$most"
}
# What AddressSanitizer keeps of freed memory is no growth.
export ASAN_OPTIONS="$ASAN_OPTIONS:quarantine_size_mb=1"
# A short run may end between two looks at it: the most of three.
few=0
for _ in 1 2 3; do
  now=$(peak --record off --test rsa-2048-sign --iterations 500000)
  [ "${now:-0}" -le "$few" ] || few=$now
done
many=$(peak --record off --test rsa-2048-sign --iterations 3000000)
echo "500000 iterations: $few KiB, 3000000: $many KiB"
check "memory is measured" [ "${few:-0}" -gt 1000 ]
check "memory does not grow with iterations" [ "${many:-0}" -lt $((few + 4096)) ]

# Where results go.
echo old >"$WORK/results"
check "output" bends 0 --test sha-256 --iterations 50 --format json --output "$WORK/results"
check "is in the file" grep -q p11prof/export/v1 "$WORK/results"
check "and nowhere else" [ ! -s "$WORK/out" ]
check "nothing lies beside it" [ "$(echo "$WORK"/results*)" = "$WORK/results" ]
RULES=crash=3000
check "a crash" bends 3 --test sha-256 --iterations 100000 --csv --output "$WORK/results"
check "leaves results" grep -q '^.*sha-256' "$WORK/results"
check "that are whole" not grep -q p11prof/export/v1 "$WORK/results"
echo old >"$WORK/results"
RULES=locked
check "no results" bends 3 --test sha-256 --iterations 50 --output "$WORK/results"
check "leave the file alone" grep -qx old "$WORK/results"
for path in "$WORK/none/results" "$WORK" "$WORK/results/results"; do
  check "output to $path" bends 3 --test sha-256 --iterations 50 --output "$path"
  check "names it" says "$path"
  check "touches no token" logged 0 login
done
check "a full device" bends 3 --test sha-256 --iterations 50 --output /dev/full
check "is told" says /dev/full
check "the results are in the database" is 50 "SELECT sum(count) FROM load_threads
  WHERE run_id = LAST"

# A database that refuses what was recorded.
kept=$DB DB=$WORK/refuses.db
check "another database" sqlite3 "$kept" "VACUUM INTO '$DB'"
check "that refuses" sqlite3 "$DB" \
  "CREATE UNIQUE INDEX refuses ON call ((0)) WHERE id > $(sqlite3 "$DB" "SELECT max(id) FROM call")"
check "ends it" bends 3 --test sha-256 --iterations 50 --record calls
check "is told why" says refuses
check "and what to do" says "waits in its spool; 'p11prof collect --db $DB' takes it"
check "and what it takes then" sqlite3 "$DB" "DROP INDEX refuses"
check "is all of it" "$P11PROF" collect --db "$DB"
check "every operation is there" is 50 "SELECT count(*) FROM operations
  WHERE run_id = LAST AND phase = 'measured'"
DB=$kept

for db in "3 $WORK/results/x.db" "2 $WORK" "3 /proc/x.db"; do
  rm -f "$LOG"
  "$P11PROF" bench --module "$TOKEN" --pin-source env:FAKE_PIN --db "${db#* }" --test sha-256 \
    --quick >"$WORK/out" 2>"$WORK/notes"
  check "a database at ${db#* }" [ $? -eq "${db%% *}" ]
  check "is named" says "${db#* }"
  check "before the login" logged 0 login
done
cp "$WORK/notes" "$WORK/text"
"$P11PROF" bench --module "$TOKEN" --pin-source env:FAKE_PIN --db "$WORK/text" --test sha-256 \
  --quick >"$WORK/out" 2>"$WORK/notes"
check "a database that is none" [ $? -ge 2 ]
check "is left alone" grep -q . "$WORK/text"

mkdir -m 755 "$WORK/open"
for spool in "$WORK/open" "$WORK/none"; do
  P11PROF_SPOOL=$spool bends 3 --test sha-256 --iterations 50
  check "a spool folder that cannot be used" [ $? -eq 0 ]
  check "is named" says "nothing can be recorded: there is no room for a spool in $spool"
done

finish
