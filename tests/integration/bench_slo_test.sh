#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench --ramp rate and --slo: the highest rate that a token holds, or that keeps an
# objective.
# Environment: P11PROF, TOKEN (the fake token), ROOT (of the sources).

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
. "$(dirname "$0")/bench_ramp_shell.sh"

# --- rates: four are served at a time, 20 ms each: 200/s ---

# shellcheck disable=SC2317
rates() {
  ramp 0 serves=4x20ms --ramp rate=140..300 --threads 16 --duration 400ms &&
    true_of "r['ramp_of'] == 'rate' and 140 <= r['held'] <= 240
      and r['held'] < r['not_held'] <= 1.06 * r['held'] and r['best'] <= r['held']"
}
check "the highest rate that is held" in_3 rates
check "is said" printed "knee: "
check "what is beyond is marked" true_of "s[-1]['verdict'] == 'not held' and s[0]['verdict'] in ('held', 'knee')"
check "it waits there" true_of "s[-1]['p99_ns'] > 2 * s[0]['p50_ns']"
check "json" told report last --format json
check_schema "fits the schema" "$WORK/out"

# shellcheck disable=SC2317
search() {
  ramp 0 serves=4x20ms --slo p50=30ms --threads 16 --duration 250ms &&
    true_of "120 <= r['met_up_to'] <= 230 and r['met_up_to'] < r['missed_from'] <= 1.05 * r['met_up_to']"
}
check "a search for an objective" in_3 search
check "is said" printed "holds p50 <= 30 ms up to "
check "begins without a schedule" true_of "s[0]['rate'] is None and 100 < s[0]['ops_per_s'] < 215"
check "kept its objective" is "rate,p50=30ms" "SELECT options -> 'ramp' ->> 'of', options ->> 'slo'
  FROM runs WHERE run_id = LAST"
check "what no rate keeps" ramp 1 serves=4x5ms --slo mean=4ms --threads 2 --duration 200ms
check "is said" says "does not hold mean <= 4 ms: even "
check "random arrivals" ramp 0 serves=4x20ms --slo p50=60ms --threads 16 --duration 100ms --arrivals poisson
check "are kept" is "poisson" "SELECT max(arrivals) FROM loads WHERE run_id = LAST"
# shellcheck disable=SC2317
both() {
  ramp 0 serves=4x20ms --ramp rate=40,60,400 --slo p50=35ms --threads 16 --duration 500ms &&
    true_of "[x['verdict'] for x in s] == ['met', 'met', 'missed'] and
      r['met_up_to'] == 60 and r['missed_from'] == 400"
}
check "both mark what keeps it" in_3 both
check "a mix at rates" bends 0 --mix sign:1,random-32:1 --ramp rate=50,100 --duration 500ms
check "is one step each" true_of "[x['rate'] for x in s] == [50, 100] and r['test'] == 'mix'"

finish
