#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench --mix: what is drawn, counted, shown, compared and refused.
# Environment: P11PROF, TOKEN (the fake token), DELAY_MODULE, ROOT (of the sources).
# shellcheck disable=SC2317

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "${DELAY_MODULE:?}" "${ROOT:?}" "$SOFTHSM" python3

MIX=sign:50%,verify:30%,encrypt:20%

# json PATH: a value of the last output.
json() {
  sqlite3 :memory: "SELECT json_extract(readfile('$WORK/out'), '$1')"
}

# in_json EXPRESSION: is true of the last output's results, r, in Python.
in_json() {
  python3 -c "import json, sys
r = json.load(open(sys.argv[1]))['results']
sys.exit(0 if $1 else str([{k: v for k, v in x.items() if not isinstance(v, list)} for x in r]))" "$WORK/out"
}

# shows TEXT: the last output does.
shows() {
  grep -qF -e "$1" "$WORK/out" || { cat "$WORK/out" && false; }
}

# Numbers.
check "a mix" bends 0 --mix $MIX --threads 3 --iterations 400 --seed 1 --slices 200 --format json
check "3 x 400 in all" is 1200 "SELECT count(*) FROM operations WHERE run_id = LAST
  AND phase = 'measured'"
check "each thread as many" is "400,400,400" "SELECT group_concat(n) FROM (SELECT sum(count) AS n
  FROM load_threads WHERE run_id = LAST GROUP BY thread_id)"
check "threads and rows agree" is 1 "SELECT min(n = m) FROM (SELECT load, count(*) AS n
  FROM operations WHERE run_id = LAST AND phase = 'measured' GROUP BY load) JOIN
  (SELECT load, sum(count) AS m FROM load_threads WHERE run_id = LAST GROUP BY load) USING (load)"
check "histograms and windows agree" is 1 "SELECT (SELECT sum(count) FROM operation_stats WHERE
  run_id = LAST AND phase = 'measured') = 1200 AND (SELECT sum(count) FROM windows WHERE
  run_id = LAST AND phase = 'measured' AND operation IS NOT NULL) = 1200"
check "three loads of one mix" is "1 0.5,1 0.3,1 0.2" "SELECT group_concat(mix || ' ' || weight)
  FROM (SELECT * FROM loads WHERE run_id = LAST ORDER BY load)"
check "in the order that was asked for" is "rsa-2048-sign,rsa-2048-verify,rsa-2048-encrypt" \
  "SELECT group_concat(test) FROM (SELECT * FROM loads WHERE run_id = LAST ORDER BY load)"
check "with the same slices" is 1 "SELECT count(DISTINCT n) FROM (SELECT group_concat(start_ns ||
  ' ' || duration_ns) AS n FROM (SELECT * FROM bench_slice WHERE run = LAST ORDER BY slice)
  GROUP BY load)"
check "each is another operation" is "rsa-2048-encrypt encrypt,rsa-2048-sign sign,rsa-2048-verify verify" \
  "SELECT group_concat(test || ' ' || operation) FROM (SELECT DISTINCT test, operation
  FROM operations WHERE run_id = LAST AND phase = 'measured' ORDER BY test)"
check "weights are about met" is 1 "SELECT min(abs(n / 1200.0 - weight) < 0.06) FROM loads JOIN
  (SELECT load, count(*) AS n FROM operations WHERE run_id = LAST AND phase = 'measured'
  GROUP BY load) USING (load) WHERE run_id = LAST"
check "shares add up" in_json "abs(sum(x['time_share'] for x in r) - 1) < 1e-5 and
  abs(sum(x['count_share'] for x in r) - 1) < 1e-5"
check "a share is of all calls' time" in_json "all(abs(x['time_share'] -
  x['total_ns'] / sum(y['total_ns'] for y in r)) < 1e-5 for x in r)"
check "rates are of the same time" in_json "all(abs(x['ops_per_s'] / r[0]['ops_per_s'] -
  x['count'] / r[0]['count']) < 1e-3 for x in r)"
check "clean" token_is_clean
cp "$WORK/out" "$WORK/bench.json"
check "export says the same" "$P11PROF" export last --db "$DB" --format json --output "$WORK/out"
check "to the byte" cmp "$WORK/out" "$WORK/bench.json"
check_schema "of its schema" "$WORK/bench.json"
check "nothing is lost" is 0 "SELECT lost_count FROM runs WHERE run_id = LAST"
check "a ready query has the rates" [ "$("$P11PROF" sql @bench-throughput --db "$DB" --format csv |
  grep ^rsa-2048-encrypt, | cut -d, -f6 | cut -d. -f1)" = "$(json '$.results[2].ops_per_s' | cut -d. -f1)" ]

# The same seed draws the same: load by load, in each thread.
drawn() {
  bends 0 --mix sign:5,verify:3,random:2 --iterations 300 --slices 6 --warmup 10 "$@" >&2
  query "SELECT group_concat(load, '') FROM (SELECT thread_id, load FROM operations
    WHERE run_id = (SELECT max(run_id) FROM runs) AND phase = 'measured' ORDER BY start_ns)
    GROUP BY thread_id" | sort
}
first=$(drawn --seed 7 --threads 2)
check "two threads" [ "$(echo "$first" | sort -u | wc -l)" = 2 ]
check "a seed repeats them" [ "$first" = "$(drawn --seed 7 --threads 2)" ]
check "whatever the warm-up is" [ "$first" = "$(drawn --seed 7 --threads 2 --warmup 0)" ]
check "another seed does not" [ "$first" != "$(drawn --seed 8 --threads 2)" ]
check "processes differ" [ "$(drawn --seed 7 --processes 2 | sort -u | wc -l)" = 2 ]

# Steps.
check "threads are mixes" bends 0 --mix sign:1,sha-256:1 --threads 1,2 --processes 1,2 \
  --data-sizes 4KB --iterations 50
check "with a number each" is "1,2,3,4" "SELECT group_concat(DISTINCT mix) FROM loads
  WHERE run_id = LAST"
check "and their counts" is "50,100,100,200" "SELECT group_concat(n) FROM (SELECT sum(count) AS n
  FROM load_threads JOIN loads USING (run_id, load) WHERE run_id = LAST GROUP BY mix)"
check "data of tests that have one" is "32,4096" "SELECT group_concat(DISTINCT data_bytes) FROM loads
  WHERE run_id = LAST"
check "a heading each" shows "Mix 4"
check "with its threads" shows "Threads of mix 2"
check "warm-up and cool-down" bends 0 --mix $MIX --iterations 100 --warmup 30 --cooldown 20 --slices 1
check "are drawn too" is "100,30,20" "SELECT
  count(*) FILTER (WHERE phase = 'measured'), count(*) FILTER (WHERE phase = 'warmup'),
  count(*) FILTER (WHERE phase = 'cooldown') FROM operations WHERE run_id = LAST"
check "time" bends 0 --mix $MIX --duration 300ms --record summary
check "is that of each" is 1 "SELECT min(n) > 200e6 FROM (SELECT sum(duration_ns) AS n
  FROM bench_slice WHERE run = LAST GROUP BY load)"
check "calls that are no operation" bends 0 --mix session-open-close:1,get-attributes:1,random:1 \
  --iterations 200
check "are each of their test" is 1 "SELECT count(*) = 200 AND
  sum(test = 'session-open-close') BETWEEN 40 AND 100 AND sum(test = 'get-attributes') > 40
  FROM operations WHERE run_id = LAST AND phase = 'measured'"
check "nothing recorded" bends 0 --mix $MIX --iterations 250 --record off --threads 2 --format json
check "counts all the same" in_json "sum(x['count'] for x in r) == 500 and
  all(x['p50_ns'] > 0 and x['mix'] == 1 for x in r)"
check "one operation is a mix" bends 0 --mix sign:100% --iterations 30
check "a rare one has no error" bends 0 --mix sign:1000000,verify:0.0001 --iterations 30 --record off

# A real token, and verification of all results.
check "SoftHSM" "$P11PROF" bench --db "$DB" --mix sign:40,verify:30,sha-256:20,aes-256-gcm-encrypt:10 \
  --threads 2 --iterations 100 --verify all --quiet --output "$WORK/out"
check "does what was asked for" is "200,0" "SELECT sum(count), sum(error_count) FROM load_threads
  WHERE run_id = LAST"
check "operation by operation" is 1 "SELECT min(n = m) FROM (SELECT load, count(*) AS n
  FROM operations WHERE run_id = LAST AND phase = 'measured' GROUP BY load) JOIN
  (SELECT load, sum(count) AS m FROM load_threads WHERE run_id = LAST GROUP BY load) USING (load)"

# Errors and wrong results are those of their operation.
RULES=exit=400
check "a module that ends in the warm-up" bends 3 --mix sign:1,random:1 --warmup 5s
check "leaves no rate" grep -q "all operations: -/s" "$WORK/out"
RULES=errors=50
check "errors end with 3" bends 3 --mix sign:50,sha-256:50 --iterations 1000 --warmup 0
check "all of them are of the one that fails" is "rsa-2048-sign" "SELECT group_concat(DISTINCT test)
  FROM load_threads JOIN loads USING (run_id, load) WHERE run_id = LAST AND error_count > 0"
check "as many as the calls say" is 1 "SELECT (SELECT sum(error_count) FROM load_threads WHERE
  run_id = LAST) = (SELECT count(*) FROM operations WHERE run_id = LAST AND phase = 'measured'
  AND rv = 'CKR_DEVICE_ERROR')"
check "clean after errors" token_is_clean
RULES=wrong-after=50
check "wrong results" bends 3 --mix sign:50,sha-256:50 --verify all --iterations 300 --warmup 0
check "are counted by test" is 1 "SELECT min(wrong_count) > 80 AND sum(wrong_count) > 250
  FROM load_threads WHERE run_id = LAST"
RULES=remove=3000
check "a token that goes" bends 3 --mix sign:50,sha-256:50 --iterations 5000
check "ends the mix" says "the mix ends early: nothing works any more"

# What cannot be done is not replaced.
RULES=refuse=CKM_SHA256
check "a mechanism that is missing" bends 3 --mix sign:1,sha-256:1 --iterations 10
check "is named with its reason" says "the mix is not run: sha-256 cannot be done: "
check "nothing of the mix is run" is 0 "SELECT count(*) FROM loads WHERE run_id = LAST"
check "one that is not listed" bends 3 --mix sign:1,des3-cbc-encrypt:1 --iterations 10
check "is named" says "des3-cbc-encrypt cannot be done: the token has no CKM_DES3_CBC"
check "a failed run" is failed "SELECT state FROM runs WHERE run_id = LAST"

# refuses TEXT OPTION...: wrong usage, before a token is touched.
refuses() {
  text=$1
  shift
  bends 2 "$@" && says "$text" && [ ! -s "$WORK/out" ] && [ ! -e "$LOG" ]
}
check "a sum" refuses "add up to 80, not to 100" --mix sign:50%,verify:30%
check "negative" refuses "the weight of sign is a number above 0" --mix sign:-1
check "zero" refuses "the weight of sign" --mix sign:0,verify:1
check "nan" refuses "the weight of sign" --mix sign:nan
check "no weight" refuses "not 'sign'" --mix sign
check "empty" refuses "tests with their weights" --mix ""
check "an unknown word" refuses 'did you mean "sign"' --mix sgn:1
check "twice the same" refuses "rsa-2048-sign twice" --mix sign:1,rsa-2048-sign:1
check "two mixes" refuses "given twice" --mix sign:1 --mix verify:1
check "with --test" refuses "without --test" --mix sign:1 --test verify
check "with --vs" refuses "without --mix" --mix sign:1 --vs same
check "several sizes" refuses "one size of data" --mix sha-256:1 --data-sizes 1KB,2KB
check "the token for itself" refuses "logins are of the whole process" --mix login-logout:1,sign:1
check "control characters" refuses "the weight of" --mix "$(printf 'sign:\033[31m')"
check "are not printed" not grep -q "$(printf '\033')" "$WORK/notes"

# A signal.
RULES=delays=shuffled:1ms-3ms
export RULES
before=$(query "SELECT max(run_id) FROM runs")
bench_start --mix sign:50%,verify:50% --duration 60s --slices 200 --threads 2 --record calls
# measures: the run that goes on has some of each in the database.
measures() {
  [ "$(sqlite3 -readonly "$DB" "SELECT min(n) > 20 AND count(*) = 2 FROM (SELECT count(*) AS n
    FROM operations WHERE run_id > $before AND phase = 'measured' GROUP BY load)")" = 1 ]
}
check "a mix for a minute" within 30 measures
kill -INT "$COMMAND"
check "Ctrl-C" ended 130 20
check "keeps the results" is 1 "SELECT count(*) = 2 AND min(n) > 20 FROM (SELECT sum(count) AS n
  FROM load_threads WHERE run_id = LAST GROUP BY load)"
check "shows them" shows "Mix 1"
check "and the token is clean" token_is_clean

# Known delays: a MAC is two calls of 5 ms, reading attributes one. By hand: the share of the MACs
# is 2 n / (2 n + m).
shares_are_known() {
  P11PROF_TEST_DELAY=sleep:5ms "$P11PROF" bench --module "$DELAY_MODULE" --db "$DB" --quiet \
    --verify none --mix hmac-sha256:1,get-attributes:1 --iterations 100 --format json \
    --output "$WORK/out" 2>"$WORK/notes" &&
    in_json "abs(r[0]['p50_ns'] / r[1]['p50_ns'] - 2) < 0.3 and
      abs(r[0]['time_share'] - 2 * r[0]['count'] / (2 * r[0]['count'] + r[1]['count'])) < 0.05"
}
check "known delays give known shares" in_3 shares_are_known

# Beside the same test alone.
check "alone" bends 0 --test rsa-2048-sign --duration 300ms --name alone
check "in a mix" bends 0 --mix sign:50%,verify:50% --duration 300ms --name mixed
check "in a mix again" bends 0 --mix sign:50%,verify:50% --duration 300ms --name mixed
check "in another one" bends 0 --mix sign:80%,verify:20% --duration 300ms --name other
# compares CODE SIDE SIDE
compares() {
  "$P11PROF" compare --db "$DB" --threshold 10000% "$2" "$3" >"$WORK/out" 2>"$WORK/notes"
  [ $? -eq "$1" ] || { cat "$WORK/notes" && false; }
}
check "a mix is compared with its like" compares 0 last~1 last~2
check "operation by operation" shows "50 % of a mix"
check "not with the test alone" compares 2 alone mixed
check "not with another weight" compares 2 mixed other
trend() {
  "$P11PROF" runs --db "$DB" --trend p50 --test rsa-2048-sign --format csv "$@" | tail -n +2 | wc -l
}
check "trends are of tests alone" [ "$(trend --name alone)$(trend --name mixed 2>/dev/null)" = 10 ]
check "or of mixes" [ "$(trend --name alone --mix 2>/dev/null)$(trend --name mixed --mix)" = 02 ]
check "series" "$P11PROF" export alone,mixed --db "$DB" --format prometheus --output "$WORK/out"
check "are two" [ "$(grep -c '^p11prof_bench_operations_total{test="rsa-2048-sign"' "$WORK/out")" = 2 ]

# The guide.
mkdir "$WORK/guide"
ln -s "$TOKEN" "$WORK/guide/fake.so"
ln -s "$P11PROF" "$WORK/guide/p11prof"
awk '/^## A mix/ { mine = 1 } /^## Suites/ { mine = 0 } /^```/ { inside = /sh$/; next }
  mine && inside' "$ROOT/docs/benchmarking.md" | sed 's/--token-label test/--token-label fake/' >"$WORK/commands"
while IFS= read -r line; do
  check "the guide's: $line" env PATH="$WORK/guide:$PATH" PIN=1234 P11PROF_DB="$DB" \
    sh -c "cd '$WORK/guide' && $line" </dev/null >"$WORK/out" 2>"$WORK/notes"
  check "shows a mix" shows "all operations: "
done <"$WORK/commands"
check "there are examples" [ "$(wc -l <"$WORK/commands")" = 2 ]
guide_sql=$(awk '/^## A mix/ { mine = 1 } /^## Suites/ { mine = 0 } /^```/ { inside = /sql$/; next }
  mine && inside' "$ROOT/docs/benchmarking.md" | tr '\n' ' ' | sed 's/run_id = 12/run_id = LAST/')
check "its query is of all operations" is 1000 "SELECT sum(count) FROM (${guide_sql%; })
  WHERE mix = 2"

finish
