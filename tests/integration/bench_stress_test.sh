#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench --stress: intervals that add up, a token that becomes slower, fails, leaks or goes
# away, and a database that takes nothing.
# Environment: P11PROF, TOKEN (the fake token), DELAY_MODULE, STRETCH_MODULE, ROOT (of the sources),
# SANITIZED.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "$SOFTHSM" softhsm2-util pkcs11-tool flock unshare

# stress CODE OPTION...: how a run on the fake token ends.
# shellcheck disable=SC2317
stress() {
  expected=$1
  shift
  bends "$expected" --stress --test rsa-2048-sign "$@"
}

# printed TEXT: by the last bench, on stdout.
# shellcheck disable=SC2317
printed() {
  grep -qF -e "$1" "$WORK/out" || { cat "$WORK/out" && false; }
}

# told COMMAND...: p11prof, on our database; stdout goes to $WORK/out, stderr to $WORK/notes.
# shellcheck disable=SC2317
told() {
  "$P11PROF" "$@" --db "$DB" >"$WORK/out" 2>"$WORK/notes"
}

# lines FILE: of intervals: from the head to a blank line or the end.
lines() {
  sed -n '/^ *TIME .*SESSIONS$/,/^$/p' "$1" | sed -e 1d -e '/^$/d'
}

# has_lines FILE MOST: some, each with percentiles. A machine that stalls has fewer than MOST.
# shellcheck disable=SC2317
has_lines() {
  found=$(lines "$1" | grep -cE ' [mu]s +[0-9.]+ [mu]s ')
  [ "$found" -ge 1 ] && [ "$found" -le "$2" ] && [ "$found" = "$(lines "$1" | wc -l)" ]
}

# json EXPRESSION: of the document d that the last bench wrote, and its load's findings s.
json() {
  python3 -c "
import json
d = json.load(open('$WORK/out'))
s = d['stress'][0]
print($1)"
}

# --- options ---

for wrong in "--interval 2s --duration 1s" "--duration 500ms --interval 1s" "--interval 0" "--interval 49ms" \
  "--interval x" "--interval -1" "--interval 1e99" "--max-errors 0" "--max-errors x" \
  "--max-errors -1" "--vs same" "--list-tests" "--repeat 2" "--iterations 10" "--slices 3" \
  "--quick" "--threads 1,2" "--processes 1,2" "--data-sizes 1KB,2KB" "--test sign,verify" \
  "--test rsa-*" "--test all" "--test sha-265" "--format junit" "--duration 0"; do
  # shellcheck disable=SC2086
  check "$wrong" bends 2 --stress $wrong
  check "is told" [ -s "$WORK/notes" ]
  check "before a login" logged 0 login
done
check "intervals without stress" bends 2 --interval 1s --test sha-256
check "are told" says "--interval and --max-errors are of --stress"
check "errors without stress" bends 2 --max-errors 1 --test sha-256
check "two tests" bends 2 --stress --test sign,verify
check "are named" says "(rsa-2048-sign, rsa-2048-verify)"
check "nothing was recorded of these" [ ! -e "$DB" ]
check "a plan" stress 0 --dry-run --duration 1h
check "has its slices" grep -q "rsa-2048-sign .* 600 " "$WORK/out"

# --- what it says, and what is true ---

# three_intervals: no stretch of the run was so busy that it took an interval of its own.
# shellcheck disable=SC2317
three_intervals() {
  rm -rf "$DB"* "$WORK/log"
  RULES=delays=shuffled:1ms-2ms
  P11PROF_TEST_DELAY_LOG=$WORK/log stress 0 --duration 3 --interval 1s --threads 2 --name long &&
    [ "$(lines "$WORK/out" | wc -l)" = 3 ]
}
check "three intervals, a line each" in_3 three_intervals
check "have a head" printed "Stress: rsa-2048-sign, 2 threads, key made for it (RSA, 2048 bits), 3.00 s, a line each 1.00 s"
check "with times" is "1,2,3" "SELECT group_concat(CAST(round(until_ns / 1e9) AS INTEGER))
  FROM intervals WHERE run_id = LAST"
check "and the sessions of the token" is "3,3,3" "SELECT group_concat(session_count) FROM intervals
  WHERE run_id = LAST"
check "which are printed" [ "$(lines "$WORK/out" | grep -cE ' 3(  stolen.*)?$')" = 3 ]
check "they add up" is "1,1,1" "SELECT sum(i.count) = (SELECT sum(count) FROM load_threads
  WHERE run_id = LAST), sum(i.count) = (SELECT sum(count) FROM windows WHERE run_id = LAST
  AND phase = 'measured' AND operation = 'sign'), sum(i.measured_ns) = (SELECT sum(duration_ns)
  FROM windows WHERE run_id = LAST AND phase = 'measured' AND operation = 'sign')
  FROM intervals AS i WHERE run_id = LAST"
check "to the time" is 1 "SELECT abs(max(until_ns) - 3e9) < 0.3e9 AND sum(duration_ns) > 2.9e9
  AND sum(measured_ns) > 0.5 * sum(duration_ns) FROM intervals WHERE run_id = LAST"
check "percentiles are of the intervals" is 1 "SELECT min(p50_ns) BETWEEN 1e6 AND 3e6
  AND min(p99_ns) > max(p50_ns) FROM intervals WHERE run_id = LAST"
check "the machine is seen" is 1 "SELECT min(cpu_share) > 0 AND max(cpu_share) <= 1
  AND min(rss_bytes) > 1e6 FROM intervals WHERE run_id = LAST"
check "one warm-up" is 1 "SELECT count(DISTINCT start_ns) FROM windows WHERE run_id = LAST
  AND phase = 'warmup'"
check "histograms are kept, no rows" is "summary,0" "SELECT options ->> 'record',
  (SELECT count(*) FROM calls WHERE run_id = LAST) FROM runs WHERE run_id = LAST"
check "the end has a sum" printed "rsa-2048-sign: $(query "SELECT sum(count) FROM intervals") operations, 0 errors in"
check "and results" printed "together "
check "clean" token_is_clean
# The token's own log: C_Sign that began within each interval.
sqlite3 -csv "$DB" "SELECT r.start_monotonic_ns + i.start_ns, i.duration_ns, i.count, i.ops_per_s,
  i.measured_ns, (SELECT code FROM function_name WHERE name = 'C_Sign') FROM intervals AS i
  JOIN run AS r ON r.id = i.run_id" >"$WORK/intervals.csv"
check "the token counted the same" python3 -c "
import struct
data = open('$WORK/log', 'rb').read()
calls = [struct.unpack_from('<5Q', data, at) for at in range(0, len(data), 40)]
for line in open('$WORK/intervals.csv'):
    start, duration, count, rate, measured, sign = (float(x) for x in line.split(','))
    own = [c for c in calls if c[0] == sign and start <= c[3] < start + duration]
    print(len(own), count, rate)
    assert len(own) == count
    assert abs(rate * measured / 1e9 - len(own)) < 1
    # Both threads work all the time that is measured: the rate is no less than what the clock says.
    assert len(own) / (duration / 1e9) <= rate * 1.001
"

check "report" told report long
check "has the intervals again" [ "$(sed -n '/^Intervals/,/^$/p' "$WORK/out" | wc -l)" = 6 ]
check "a ready query" told sql @stress --format csv
check "has them, too" [ "$(tail -n +2 "$WORK/out" | cut -d, -f3 | paste -s -d +)" = \
  "$(query "SELECT group_concat(count, '+') FROM intervals")" ]
check "timeline" told timeline long
check "has the load" printed "latency"
check "metrics" told export long --format prometheus
check "has the load, too" printed 'test="rsa-2048-sign"'
check "merge" "$P11PROF" merge --db "$WORK/other.db" "$DB"
check "takes intervals along" [ "$(sqlite3 "$WORK/other.db" "SELECT count(*) FROM intervals")" = 3 ]

check "delete" "$P11PROF" runs delete long --yes --db "$WORK/other.db"
check "takes them away" [ "$(sqlite3 "$WORK/other.db" "SELECT count(*) FROM bench_interval")" = 0 ]

# --- formats ---

RULES=delays=shuffled:1ms-2ms
check "JSON" stress 0 --duration 2s --threads 2 --cooldown 100ms --format json
check "is nothing but that, and keeps to the schema" python3 -c "
import json
d = json.load(open('$WORK/out'))
assert d['schema'] == 'p11prof/export/v1'
assert [i['interval'] for i in d['intervals']] == list(range(1, len(d['intervals']) + 1))
assert sum(i['count'] for i in d['intervals']) == d['results'][0]['count'] == d['stress'][0]['count']
assert d['results'][0]['cooldown_change'] is not None
assert d['runs'][0]['options']['cooldown'] == {'duration_ns': 100000000}
assert d['runs'][0]['options']['stress'] == {'interval_ns': 1000000000}
"
check "is what export writes" "$P11PROF" export last --db "$DB" --format json --output "$WORK/export.json"
check "to the byte" cmp "$WORK/out" "$WORK/export.json"
check_schema "the schema has it" "$WORK/out"
check "quiet says no lines" [ -z "$(lines "$WORK/notes")" ]
# The two are alike, but what the machine does may make one of them slower.
check "compare" told compare long last --fail-on none
check "has a verdict on the test" printed "rsa-2048-sign"
export P11PROF_TEST_TOKEN=delays=shuffled:1ms-2ms
check "CSV" told bench --stress --module "$TOKEN" --token-label fake --pin-source env:FAKE_PIN \
  --test rsa-2048-sign --duration 1s --interval 500ms --csv
unset P11PROF_TEST_TOKEN
check "has one row" [ "$(wc -l <"$WORK/out")" = 2 ]
check "and lines on stderr" has_lines "$WORK/notes" 2
RULES=delays=shuffled:1ms-2ms
check "Markdown to a file" stress 0 --duration 1s --interval 500ms --format markdown --output "$WORK/report.md"
check "has the intervals" grep -q "^## Intervals" "$WORK/report.md"
check "stdout has nothing" [ ! -s "$WORK/out" ]
RULES=delays=shuffled:1ms-2ms
before=$(query "SELECT count(*) FROM runs")
check "off" stress 0 --duration 1s --interval 500ms --record off
check "has lines with percentiles" has_lines "$WORK/out" 2
check "and is no run" [ "$(query "SELECT count(*) FROM runs")" = "$before" ]
RULES=delays=shuffled:1ms-2ms
check "calls" stress 0 --duration 1s --interval 1s --record calls --processes 2
check "are rows" is 1 "SELECT count(*) = (SELECT sum(count) FROM intervals WHERE run_id = LAST)
  FROM operations WHERE run_id = LAST AND phase = 'measured'"

# --- failures ---

RULES=errors=20,delays=shuffled:1ms-2ms
check "so many errors" stress 3 --duration 20s --max-errors 10
check "end it" says "ended early: --max-errors 10 are reached (CKR_DEVICE_ERROR, the first after "
check "soon" is 1 "SELECT sum(error_count) BETWEEN 10 AND 20 AND max(until_ns) < 10e9 FROM intervals
  WHERE run_id = LAST"
check "with a sum" printed "errors in"
check "clean after that" token_is_clean
RULES=errors=50,delays=shuffled:1ms-2ms
check "fewer" stress 3 --duration 1s --max-errors 1000000
check "are told at the end" says "operations failed (CKR_DEVICE_ERROR, the first after "
RULES=errors-after=500,delays=shuffled:1ms-2ms
check "nothing but errors" stress 3 --duration 60s --interval 1s --threads 2
check "end it, too" says "ended: nothing succeeded in a whole interval (CKR_DEVICE_ERROR, the first after "
check "after an interval of them" is "1,1" "SELECT count = error_count, until_ns < 20e9 FROM intervals
  WHERE run_id = LAST ORDER BY interval DESC LIMIT 1"
check "that are no flood" is 1 "SELECT max(error_count) < 1000 FROM intervals WHERE run_id = LAST"
RULES=errors-after=500
check "fast ones" stress 3 --duration 60s --interval 1s --warmup 0
check "are no flood either" is 1 "SELECT sum(error_count) BETWEEN 100 AND 600 FROM intervals
  WHERE run_id = LAST"
# outage: a machine on which 200 operations take seconds sees no end of it.
# shellcheck disable=SC2317
outage() {
  RULES=errors-after=200,errors-until=320,delays=shuffled:1ms-2ms
  stress 3 --duration 6s --interval 3s &&
    is "120,1" "SELECT sum(error_count), max(until_ns) > 5.8e9 FROM intervals WHERE run_id = LAST"
}
check "errors that pass are survived" in_3 outage
check "and the token works again" is 1 "SELECT count > error_count FROM intervals
  WHERE run_id = LAST ORDER BY interval DESC LIMIT 1"
RULES=wrong=100,delays=shuffled:1ms-2ms
check "wrong results" stress 3 --duration 20s --verify all --max-errors 3
check "are errors" says "(wrong results, the first after "
RULES="wrong-after=100,errors-after=140,delays=shuffled:1ms-2ms"
check "wrong results, then failures" stress 3 --duration 20s --warmup 0 --verify all --max-errors 60
check "are what the first of them is" says "(wrong results, the first after "
RULES=remove=1000,delays=shuffled:1ms-2ms
check "a token that is removed" stress 3 --duration 60s
check "ends it at once" says "ended early: the token is gone (" # which a verification may meet first
RULES=crash=1500,delays=shuffled:1ms-2ms
check "a crash" stress 3 --duration 60s --interval 1s
check "is told" says "the module ended the worker 1 (Segmentation fault)"
RULES=crash=2500,delays=shuffled:1ms-2ms
check "one in the cool-down" stress 3 --duration 1s --cooldown 30s
check "is told, too" says "the module ended the worker 1 (Segmentation fault)"
check "with a sum of what was" printed "rsa-2048-sign: "
check "and a failed run" [ "$(newest state)" = failed ]

RULES=leak=20000,delays=shuffled:1ms-2ms
check "memory that leaks" stress 0 --duration 4s --interval 500ms
check "is suspected" printed "does the module leak?"
check "that which does not" not grep -q leak "$WORK/report.md"

# stress_start OPTION...: a run that has said its first line.
stress_start() {
  : >"$WORK/out"
  bench_start --stress --test rsa-2048-sign --duration 60s --interval 500ms "$@"
  within 20 grep -q ' ms ' "$WORK/out"
}
for signal in INT:130 TERM:143 HUP:129; do
  RULES=delays=shuffled:1ms-2ms
  stress_start --threads 2 --processes 2
  kill -"${signal%:*}" "$COMMAND"
  check "${signal%:*}" ended "${signal#*:}" 20
  check "ends with a sum" printed "rsa-2048-sign: "
  check "of what is kept" is "interrupted,1" "SELECT state, (SELECT sum(count) FROM intervals
    WHERE run_id = LAST) = (SELECT sum(count) FROM load_threads WHERE run_id = LAST) FROM runs
    WHERE run_id = LAST"
  check "leaves nothing" token_is_clean
done
RULES=hang=2000,delays=shuffled:1ms-2ms
stress_start
check "a module that hangs is noticed" within 30 grep -qF "the module has not come back for" "$WORK/notes"
# interrupts: the first one asks, the next one insists.
# shellcheck disable=SC2317
interrupts() {
  ! kill -INT "$COMMAND" 2>/dev/null
}
check "and ended" within 20 interrupts
check "as by a signal" ended 130 20
check "has its lines kept" is 1 "SELECT count(*) > 0 FROM intervals WHERE run_id = LAST"

# A database that takes nothing for a while: a spool of 1 MB is full soon.
export P11PROF_SPOOL_LIMIT=1MB
before=$(newest_id)
bench_start --stress --test sha-256 --duration 14s --interval 2s --record calls
within 60 measured 0 "$before" # a database that is locked before there is a run is another matter
flock "$DB-writer" sleep 17 &
holder=$!
check "a database that is locked" ended 0 60
kill "$holder" 2>/dev/null
wait "$holder"
unset P11PROF_SPOOL_LIMIT
# An interval lasts until there is room for its calls: of a slow build that may be all the time.
check "does not stop it" [ "$(lines "$WORK/out" | awk '$2 == "s" && $3 > 0' | wc -l)" -ge 1 ]
check "for good" is 1 "SELECT max(until_ns) > 5e9 FROM intervals WHERE run_id = LAST"
# losses_told: if there are any. The load waits for room in its spool; a slice in hand may not.
# shellcheck disable=SC2317
losses_told() {
  [ "$(newest lost_count)" = 0 ] || says "calls could not be kept"
}
check "what was lost is told" losses_told

# A disk that is full, where this user may make one.
mkdir "$WORK/small"
cat >"$WORK/full" <<'END'
mount -t tmpfs -o size=2500k none "$1" || exit 77
shift
"$@"
END
unshare -rm sh "$WORK/full" "$WORK/small" true 2>/dev/null && {
  P11PROF_SPOOL_LIMIT=1MB unshare -rm sh "$WORK/full" "$WORK/small" "$P11PROF" bench --stress \
    --module "$TOKEN" --token-label fake --pin-source env:FAKE_PIN --db "$WORK/small/full.db" \
    --test sha-256 --duration 4s --interval 1s --record calls --quiet >"$WORK/out" 2>"$WORK/notes"
  code=$?
  check "a full disk" [ "$code" = 3 ]
  check "is told once" [ "$(grep -c 'warning: .*: it goes on; ' "$WORK/notes")" = 1 ]
  check "does not stop it" [ "$(lines "$WORK/out" | tail -n 1 | awk '$1 > 3.5 && $2 == "s" && $3 > 0')" ]
  check "what was done is told" says " operations in all, 0 of them failed"
  P11PROF_SPOOL_LIMIT=16MB unshare -rm sh "$WORK/full" "$WORK/small" "$P11PROF" bench \
    --module "$TOKEN" --token-label fake --pin-source env:FAKE_PIN --db "$WORK/small/full.db" \
    --test sha-256 --ramp threads=1,2 --iterations 50000 --record calls --quiet >"$WORK/out" \
    2>"$WORK/notes"
  code=$?
  check "a ramp that is judged by it" [ "$code" = 3 ]
  check "ends, and says why" says "the ramp ends, since steps are judged by what is stored: "
}

# --- slower ---

# stretched NAME PERCENT SECONDS: a module whose calls take so much longer from then on.
stretched() {
  cp "$STRETCH_MODULE" "$WORK/$1.so"
  echo "$2 sleep $3" >"$WORK/$1.percent"
}
stretched slow 150 4
stretched plain 0 0
# shellcheck disable=SC2317
slowing() {
  P11PROF_TEST_STRETCHED="$DELAY_MODULE" P11PROF_TEST_DELAY=sleep:2ms "$P11PROF" bench --stress \
    --module "$WORK/$1.so" --db "$DB" --quiet --test ecdsa-p256-sign --verify none --duration 8s \
    --interval 2s --format json >"$WORK/out" 2>"$WORK/notes"
}
# found CONDITION: of the effect of the last run.
# shellcheck disable=SC2317
found() {
  [ "$(json "$1")" = True ] || { json "s" && false; }
}
# What else the machine does in the first or the last tenth counts, too. Where it does very much, or
# a sanitizer does, eight seconds have too few windows for a verdict.
# shellcheck disable=SC2317
found_slower() {
  slowing slow && found "s['effect_low'] > 0.3 and 0.5 < s['effect'] < 3"
}
# shellcheck disable=SC2317
found_steady() {
  slowing plain && found "s['effect'] is None or s['effect_low'] < 0.3"
}
if [ -z "${SANITIZED:-}" ]; then
  check "a module that slows down is found to" in_3 found_slower
  check "and said" told report last
  check "as a degradation" grep -q "degradation: [0-9.]* % slower in the last tenth than in the first" "$WORK/out"
  check "without a leak that is not there" not grep -q "leak" "$WORK/out"
fi
check "one that does not is found not to" in_3 found_steady

# --- keys of one's own, and the commands of the manual ---

make_token
make_key 01 K RSA:2048
make_key 02 curve EC:prime256v1
# shellcheck disable=SC2317
own() {
  PIN=$PIN "$P11PROF" bench --module "$SOFTHSM" --token-label test --pin-source env:PIN --db "$DB" \
    --quiet --stress --duration 1s "$@" >"$WORK/out" 2>"$WORK/notes"
}
check "a key" own --key curve --threads 2
check "has the test that fits" printed "Stress: ecdsa-p256-sign, 2 threads, key \"curve\" (EC, 256 bits), "
check "another key" own --key K
check "signs with it" printed 'Stress: rsa-2048-sign, 1 thread, key "K" (RSA, 2048 bits), 1.00 s, a line each 1.00 s'
check "a family" own --key K --test decrypt
check "is that of the key" printed 'Stress: rsa-2048-decrypt, 1 thread, key "K" (RSA, 2048 bits)'
sed -n '/^## Stress/,/^## [^S]/p' "$ROOT/docs/benchmarking.md" | sed -n 's/^p11prof bench //p' |
  sed -e 's/--duration [^ ]*/--duration 2s/' -e 's/--interval [^ ]*/--interval 1s/' >"$WORK/commands"
check "the manual has commands" [ "$(wc -l <"$WORK/commands")" -ge 2 ]
while read -r options; do
  # shellcheck disable=SC2086
  PIN=$PIN "$P11PROF" bench --module "$SOFTHSM" --token-label test --pin-source env:PIN \
    --db "$DB" --quiet $options >"$WORK/out" 2>"$WORK/notes"
  code=$?
  check "p11prof bench $options" [ "$code" = 0 ]
  check "has lines" has_lines "$WORK/out" 2
done <"$WORK/commands"
check "keys are as they were" [ "$(pkcs11-tool --module "$SOFTHSM" --token-label test --login \
  --pin "$PIN" --list-objects 2>/dev/null | grep -c '^Private Key')" = 2 ]
check "no PIN is kept" keeps_secrets "$PIN"

finish
