#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench --ramp: how many threads are the best on a token that serves so many at a time, and
# what reports, exports and comparisons make of it.
# Environment: P11PROF, TOKEN (the fake token), ROOT (of the sources).

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
. "$(dirname "$0")/bench_ramp_shell.sh"

# has_loads NAME COUNT: the run of that name has so many, or more.
# shellcheck disable=SC2317
has_loads() {
  [ "$(sqlite3 "$DB" "SELECT count(*) FROM loads JOIN runs USING (run_id)
    WHERE runs.name = '$1'" 2>/dev/null)" -ge "$2" ] 2>/dev/null
}

# --- options ---

for wrong in "--ramp threads=1..4 --vs same" "--ramp threads=1..4 --stress" \
  "--ramp threads=1..4 --list-tests" "--ramp threads=1..4 --repeat 2" "--ramp threads=1..4 --threads 2" \
  "--ramp processes=1..4 --processes 2" "--ramp threads=1..4 --ramp threads=1..4" "--ramp threads" \
  "--ramp threads=0..4" "--ramp threads=1..257" "--ramp fibres=1..2" "--ramp threads=4..1" \
  "--ramp rate=1..9 --iterations 5" "--ramp threads=1..4 --processes 1,2" \
  "--ramp threads=1..4 --data-sizes 1KB,2KB" "--ramp threads=1..4 --test sign,verify" \
  "--ramp threads=1..4 --test rsa-*" "--slo p99" "--slo p99=20" "--slo p99>20ms" "--slo errors<1%" \
  "--slo C_Sign.p99<20ms" "--slo p99<20ms,p50<1ms" "--slo p99=0" "--slo" "--slo p98=20ms" \
  "--slo p99=20ms --vs same"; do
  # shellcheck disable=SC2086
  check "$wrong" bends 2 $wrong
  check "is told" [ -s "$WORK/notes" ]
  check "before a login" logged 0 login
done
check "two tests" bends 2 --ramp threads=1..4 --test sign,verify
check "are named" says "(rsa-2048-sign, rsa-2048-verify)"
check "a suite" bends 2 --ramp threads=1..4 --suite "$ROOT/tests/data/none.toml"
check "is refused first" says "of one test"
check "nothing was recorded of these" [ ! -e "$DB" ]
check "a plan" ramp 0 "" --dry-run --ramp threads=1..8
check "has its steps" [ "$(grep -c "rsa-2048-sign" "$WORK/out")" = 6 ]

# --- threads: four are served at a time, 20 ms each: 200/s ---

# shellcheck disable=SC2317
four_threads() {
  ramp 0 serves=4x20ms --ramp threads=1..24 --duration 800ms --name one &&
    true_of "r['finding'] in ('saturates', 'falls') and 3 <= r['best'] <= 6 and
      160 <= max(x['ops_per_s'] for x in s) <= 215 and
      s[0]['threads'] == 1 and 35 <= s[0]['ops_per_s'] <= 51 and 19e6 < s[0]['p50_ns'] < 4e7 and
      s[-1]['threads'] < 24 and s[-1]['p50_ns'] > 1.5 * s[0]['p50_ns']"
}
check "four at a time" in_3 four_threads
check "is said" printed "best: "
check "the verdict is of the page" printed "Ramp: rsa-2048-sign, 1 to "
check "with a chart" printed "^ best"
check "steps are in order" true_of "[x['threads'] for x in s] == sorted(x['threads'] for x in s)"
check "rows say their step" is 1 "SELECT count(*) > 3 AND min(ramp) = 1 AND count(DISTINCT ramp) = count(*)
  FROM loads WHERE run_id = LAST"
check "histograms are kept, no rows" is "summary,threads" "SELECT options ->> 'record',
  options -> 'ramp' ->> 'of' FROM runs WHERE run_id = LAST"
check "clean" token_is_clean
cp "$WORK/out" "$WORK/page"
check "report" told report last
check "has the same verdict" [ "$(grep -F "best: " "$WORK/page")" = "$(grep -F "best: " "$WORK/out")" ]
check "report in ASCII" told report last --ascii
check "has a chart of it" not grep -q '█' "$WORK/out"
check "json" told report last --format json
check "is that of export" sh -c "'$P11PROF' export last --format json --db '$DB' | cmp - '$WORK/out'"
check_schema "fits the schema" "$WORK/out"
check "csv" told export last --format csv
check "has a row each" true_of "len(open('$WORK/out').read().split()) > len(s)"
check "html" told export last --format html
check "has the verdict" printed "best: "
check "markdown" told report last --format markdown
check "has the chart as code" [ "$(grep -c '^```' "$WORK/out")" = 2 ]
check "metrics" told export last --format prometheus
check "trends leave its steps out" [ -z "$("$P11PROF" runs --trend p50 --test rsa-2048-sign \
  --name one --db "$DB" --format csv 2>/dev/null | tail -n +2)" ]
check "again" ramp 0 serves=4x10ms --ramp threads=4,2,1 --quick --name two
check "compare" sh -c "'$P11PROF' compare one two --db '$DB' --format json >'$WORK/out'; [ \$? -le 1 ]"
check "pairs steps by their threads" python3 -c "
import json
rows = json.load(open('$WORK/out'))['currents'][0]['rows']
threads = [r['threads'] for r in rows]
print(threads)
assert sorted(threads) == [1, 2, 4]"

# --- others ---

check "a list" ramp 0 serves=1x10ms --ramp threads=4,1,2 --quick
check "is run as it is" true_of "[x['threads'] for x in s] == [1, 2, 4]"
# shellcheck disable=SC2317
grows() {
  ramp 0 serves=64x20ms --ramp threads=1,2,4 --quick && printed "go further"
}
check "it grows" in_3 grows
check "one step" ramp 0 serves=2x5ms --ramp threads=2 --quick
check "is alone" true_of "r['finding'] == 'single'"
# shellcheck disable=SC2317
two_processes() {
  ramp 0 serves=1x20ms --ramp processes=1,2 --quick &&
    true_of "r['ramp_of'] == 'processes' and r['best'] == 2"
}
check "processes have a token each" in_3 two_processes
check "a mix" bends 0 --mix sign:1,random-32:1 --ramp threads=1,2 --quick
check "is one step each" true_of "len(s) == 2 and s[0]['test'] == 'mix' and s[0]['p99_ns'] > 0"
check "iterations" ramp 0 "" --ramp threads=1,2 --iterations 20
check "are of each thread" true_of "[x['count'] for x in s] == [20, 40]"
check "errors" ramp 3 errors-after=45 --ramp threads=1,2 --iterations 20
check "are no best step" true_of "r['best'] == 1 and s[1]['verdict'] == 'failed'"
check "errors only" ramp 3 errors=1 --ramp threads=1,2 --iterations 20
check "nothing is kept" ramp 0 serves=2x5ms --ramp threads=1,2 --quick --record off
check "but the verdict" printed "best: "
check "json of a bench" ramp 0 serves=2x5ms --ramp threads=1,2 --quick --format json
check "is that of export" sh -c "'$P11PROF' export last --format json --db '$DB' | cmp - '$WORK/out'"
# shellcheck disable=SC2317
two_keep() {
  ramp 0 serves=2x20ms --ramp threads=1,2,8 --quick --slo p50=45ms &&
    true_of "r['met_up_to'] == 2 and r['missed_from'] == 8 and r['verdict'] == 'met'" &&
    printed "holds p50 <= 45 ms up to 2 threads"
}
check "an objective of threads" in_3 two_keep
# shellcheck disable=SC2317
four_keep() {
  ramp 0 serves=8x20ms --ramp threads=1,4,8 --rate 100 --duration 500ms --slo p50=60ms &&
    true_of "[x['verdict'] for x in s] == ['missed', 'met', 'met'] and r['best'] == 4" &&
    printed "holds p50 <= 60 ms from 4 up to 8 threads"
}
check "threads that a rate needs" in_3 four_keep
check "an objective that none keeps" ramp 1 serves=2x10ms --ramp threads=1,2 --quick --slo p50=5ms
check "is said" says "does not hold p50 <= 5 ms: even 1 thread"
check "and marked" true_of "r['verdict'] == 'missed' and r['met_up_to'] is None"

# After Ctrl-C: what there is.
# shellcheck disable=SC2034
RULES=serves=2x10ms
bench_start --test rsa-2048-sign --ramp threads=1,2,3,4,5,6,7,8 --duration 2s --name cut
check "a second step begins" within 20 has_loads cut 2
kill -INT "$COMMAND"
check "an end in the middle" ended 130 10
check "has a verdict" printed "Ramp: "
check "of what there is" true_of "0 < len(s) < 8 and d['runs'][0]['state'] == 'interrupted'"

finish
