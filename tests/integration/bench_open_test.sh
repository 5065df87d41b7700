#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench --rate: what is scheduled, counted, shown, compared and refused.
# Environment: P11PROF, TOKEN (the fake token), ROOT (of the sources).
# shellcheck disable=SC2317

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "${ROOT:?}" python3

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

# refuses TEXT OPTION...: wrong usage, which is said.
refuses() {
  text=$1
  shift
  bends 2 "$@" && says "$text"
}

# intended: when operations of the newest run were due, since the slice's start.
intended() {
  query "SELECT group_concat(due) FROM (SELECT o.intended_start_ns - s.start_ns AS due
    FROM operations AS o JOIN bench_slice AS s ON s.run = o.run_id AND s.load = o.load
    WHERE o.run_id = (SELECT max(run_id) FROM runs) ORDER BY 1)"
}

# One schedule, whatever threads, phases and recordings are.
check "a rate" bends 0 --test rsa-2048-sign --rate 200/s --iterations 40 --warmup 10 --cooldown 5 \
  --slices 1 --threads 3 --seed 7 --format json
check "counts operations of all threads" is "40,10,5" "SELECT
  count(*) FILTER (WHERE phase = 'measured'), count(*) FILTER (WHERE phase = 'warmup'),
  count(*) FILTER (WHERE phase = 'cooldown') FROM operations WHERE run_id = LAST"
check "that are due one after the other" is 1 "SELECT sum(gap = 5000000) = 54 FROM (SELECT
  intended_start_ns - lag(intended_start_ns) OVER (ORDER BY intended_start_ns) AS gap
  FROM operations WHERE run_id = LAST AND phase IS NOT NULL)"
check "none before its time" is 0 "SELECT count(*) FROM operations WHERE run_id = LAST
  AND start_ns < intended_start_ns"
check "rows and histograms agree" is 1 "SELECT (SELECT sum(start_ns + elapsed_ns -
  intended_start_ns) FROM operations WHERE run_id = LAST AND phase = 'measured') = (SELECT sum_ns
  FROM operation_stats WHERE run_id = LAST AND phase = 'measured')"
check "service times too" is 1 "SELECT (SELECT sum(duration_ns) FROM operations WHERE run_id = LAST
  AND phase = 'measured') = (SELECT sum_ns FROM operation_stats WHERE run_id = LAST
  AND phase = 'service')"
check "of the measured part only" is 40 "SELECT sum(count) FROM run_histogram
  WHERE run_id = LAST AND phase = 'service' AND operation = 'sign'"
check "the results have them" in_json "r[0]['rate'] == 200 and r[0]['arrivals'] == 'constant' and
  r[0]['missed_count'] == 0 and r[0]['service_p99_ns'] <= r[0]['p99_ns'] and
  r[0]['count'] == 40 and abs(r[0]['ops_per_s'] - 200) < 20"
check_schema "of its schema" "$WORK/out"
cp "$WORK/out" "$WORK/bench.json"
check "export says the same" "$P11PROF" export last --db "$DB" --format json --output "$WORK/out"
check "to the byte" cmp "$WORK/out" "$WORK/bench.json"
constant=$(intended)

# near MOMENTS MOMENTS: the same, but for what their conversion to ns rounds.
near() {
  printf '%s\n%s\n' "$1" "$2" | awk -F, 'NR == 1 { count = split($0, first) }
    NR == 2 { for (i = 1; i <= count; i++) far += (first[i] - $i) ^ 2 > 1e6; far += NF != count }
    END { exit far > 0 || count == 0 }'
}
check "random arrivals" bends 0 --test rsa-2048-sign --rate 200 --arrivals poisson --iterations 40 \
  --warmup 0 --slices 1 --threads 3 --seed 7
poisson=$(intended)
check "are others" not near "$poisson" "$constant"
check "one thread" bends 0 --test rsa-2048-sign --rate 200 --arrivals poisson --iterations 40 \
  --warmup 0 --slices 1 --seed 7
check "has the same" near "$poisson" "$(intended)"
check "two processes" bends 0 --test rsa-2048-sign --rate 200 --arrivals poisson --iterations 30 \
  --warmup 10 --slices 1 --seed 7 --processes 2
check "and a warm-up too" near "$poisson" "$(intended)"
check "another seed" bends 0 --test rsa-2048-sign --rate 200 --arrivals poisson --iterations 40 \
  --warmup 0 --slices 1 --seed 8
check "has others" not near "$poisson" "$(intended)"

# Without rows.
for record in summary off; do
  check "$record" bends 0 --test rsa-2048-sign --rate 400 --iterations 100 --record $record --format json
  check "has the service time" in_json "0 < r[0]['service_p50_ns'] <= r[0]['p50_ns'] and
    r[0]['missed_count'] == 0 and r[0]['count'] == 100"
done

# Slices in which half an operation would be due, and a rate of which one and a half are.
check "short slices" bends 0 --test sha-256 --rate 25 --duration 2s
check "add up to the rate" is "4,50" "SELECT count(DISTINCT slice), sum(count) FROM windows
  WHERE run_id = LAST AND phase = 'measured' AND operation = 'digest'"
check "few operations" bends 0 --test sha-256 --rate 2.5 --duration 600ms
check "are no rate that was not held" not grep -q "were not held" "$WORK/out"

check "a rate of nothing" bends 0 --test sha-256 --rate 1/h --duration 600ms
check "is said to be that" shows "NOTHING DONE: sha-256, 1.00 KB (0.000278/s were wanted)"

# More than the token can do: 20 ms each.
RULES=stalls=1000:20ms-21ms check "too much" bends 0 --test rsa-2048-sign --rate 200/s --duration 1s \
  --warmup 0 --slices 1
check "is said when it happens" says "200 operations/s are not held"
check "and with the results" shows "Rates that were not held"
check "with numbers" shows "rsa-2048-sign, 32 B: 200/s were wanted"
check "and why" shows "the token is saturated with 1 thread"
check "nothing is dropped silently" is 200 "SELECT s.count + l.missed_count
  FROM operation_stats AS s JOIN loads AS l USING (run_id, load) WHERE run_id = LAST AND
  s.phase = 'measured'"
check "report says it again" sh -c "'$P11PROF' report last --db '$DB' | grep -q 'were not held'"
check "a part of it says nothing" sh -c "! '$P11PROF' report last --db '$DB' --slower-than 100ms |
  grep -q 'were not held'"
check "operations are there once" [ "$("$P11PROF" report last --db "$DB" |
  sed -n '/^Operations/,/^$/s/^ *sign  *CKM_[A-Z0-9_]*  *CKK_RSA  *2048  *\([0-9]*\) .*/\1/p')" = \
  "$(query "SELECT count(*) FROM operations WHERE operation = 'sign' AND
  run_id = (SELECT max(run_id) FROM runs)")" ]
# A call of 100 ms now and then: late, but done, and twice as many could be. One slice ends with one.
RULES=stalls=90:2ms-100ms check "a stall at the end" bends 0 --test rsa-2048-sign --rate 200/s \
  --duration 500ms --warmup 0 --slices 1 --format json
check "makes its slice longer" in_json "r[0]['missed_count'] == 0 and r[0]['count'] == 100 and
  r[0]['ops_per_s'] < 196"
check "is no rate that was not held" not sh -c "'$P11PROF' report last --db '$DB' |
  grep -q 'were not held'"
RULES=stalls=275:2ms-600ms check "a longer one" bends 0 --test rsa-2048-sign --rate 250/s \
  --duration 2s --warmup 0 --slices 4
check "misses some" shows "operations never began"
check "because of the token" shows "never began: the token stalled"
RULES=stalls=1000:30ms-31ms check "slow operations" bends 0 --test rsa-2048-sign --rate 100/s \
  --threads 2 --duration 2s --record summary
check "have the slices of the schedule" is 4 "SELECT count(DISTINCT slice) FROM windows
  WHERE run_id = LAST AND phase = 'measured' AND slice IS NOT NULL"
check "a count is done however late" bends 0 --test rsa-2048-sign --rate 5000 --iterations 300 --slices 1
check "and misses none" is "300,0" "SELECT s.count || ',' || l.missed_count
  FROM operation_stats AS s JOIN loads AS l USING (run_id, load) WHERE run_id = LAST AND
  s.phase = 'measured'"
bench_start --test rsa-2048-sign --rate 1/m --duration 300s --warmup 0 --slices 1
sleep 1
kill -INT "$COMMAND"
check "who waits for the next one can be stopped" ended 130 10

# Mixes and suites.
check "a mix" bends 0 --mix sign:3,verify:1 --rate 200 --iterations 80 --threads 2 --format json
check "has one rate" in_json "[x['rate'] for x in r] == [150, 50] and
  sum(x['count'] for x in r) == 80 and all(x['service_p99_ns'] for x in r)"
check "and time of its own" in_json "abs(sum(x['time_share'] for x in r) - 1) < 1e-5"
RULES=stalls=1000:20ms-21ms check "too much of it" bends 0 --mix sign:3,random:1 --rate 400 \
  --duration 1s --warmup 0 --slices 1 --format json
check "is missed by weight" in_json "sum(x['count'] + x['missed_count'] for x in r) == 400 and
  abs(r[0]['missed_count'] - 3 * r[1]['missed_count']) <= 3"
cat >"$WORK/suite.toml" <<'END'
[[tests]]
name = "paced"
operations = [
  { type = "sign", rate = "100/s", iterations = 20, threads = 2 },
  { type = "sha-256", think_time = "5ms", iterations = 20 },
  { type = "sha-256", iterations = 20 },
]
END
check "a suite" bends 0 --suite "$WORK/suite.toml" --warmup 0 --format json
check "paces its steps" in_json "[x['rate'] for x in r] == [100, None, None] and
  [x['think_time_ns'] for x in r] == [None, 5000000, None]"
check "a pause counts in no latency" in_json "r[1]['ops_per_s'] < 200 and
  r[1]['max_ns'] < 5000000 and r[2]['ops_per_s'] > r[1]['ops_per_s']"
check "--rate is for the rest" bends 0 --suite "$WORK/suite.toml" --rate 200 --arrivals poisson --dry-run
check "of its steps" shows "200"

# Others must not take one for the other.
for rate in 100 200; do
  check "$rate/s" bends 0 --test rsa-2048-sign --rate $rate --iterations 20 --name "rate-$rate"
done
check "rates are different loads" sh -c "'$P11PROF' compare rate-100 rate-200 --db '$DB' 2>&1 |
  grep -q 'nothing of one side is on the other'"
check "equal ones are not" sh -c "'$P11PROF' compare rate-100 rate-100 --db '$DB' 2>&1 |
  grep -q 'at 100/s'"
check "exported ones too" sh -c "'$P11PROF' export rate-100 --db '$DB' --format json \
  --output '$WORK/100.json' && '$P11PROF' compare '$WORK/100.json' rate-100 --db '$DB' |
  grep -q 'at 100/s'"
check "a rate with many digits" bends 0 --test rsa-2048-sign --rate 10k/m --iterations 20 --name digits
check "is the same in a file" sh -c "'$P11PROF' export digits --db '$DB' --format json \
  --output '$WORK/digits.json' && '$P11PROF' compare '$WORK/digits.json' digits --db '$DB' |
  grep -q 'at 166.667/s'"
check "metrics say which" sh -c "'$P11PROF' export rate-100 --db '$DB' --format prometheus |
  grep -q '^p11prof_bench_service_p99_seconds{.*rate=\"100\",arrivals=\"constant\"'"
check "charts" "$P11PROF" histogram rate-200 --db "$DB"
check "of operations" "$P11PROF" timeline rate-200 --db "$DB" --x iteration
check "a stress run" bends 0 --stress --rate 100/s --duration 3s
check "says its rate" shows "100 operations/s"

# Wrong usage.
check "no rate" refuses "--rate wants operations in a time" --rate 0
check "no unit" refuses "not '5/d'" --rate 5/d
check "too many" refuses "at most a million" --rate 1000001
check "arrivals of nothing" refuses "--arrivals is how" --arrivals poisson
check "no such arrivals" refuses "constant or poisson" --rate 5 --arrivals normal
check "two sides" refuses "without --rate" --rate 5 --vs same
check "the plan" bends 0 --test rsa-2048-sign --rate 40 --threads 1,2 --dry-run
check "has the rate" shows "40.0"
check "a closed loop has none of it" bends 0 --test rsa-2048-sign --iterations 20 --format json
check "at all" in_json "r[0]['rate'] is None and r[0]['missed_count'] is None and
  r[0]['service_p99_ns'] is None"
check "clean" token_is_clean

finish
