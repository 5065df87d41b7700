#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench --vs: verdicts on sides of known delays, what goes wrong on one side, what is left.
# Environment: P11PROF, TOKEN (the fake token), DELAY_MODULE, STRETCH_MODULE, ROOT (of the sources).

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "$SOFTHSM" softhsm2-util pkcs11-tool

# stretched NAME PERCENT: a module whose calls take so much longer. They sleep: what else the machine
# does falls on them less than on those that keep the processor.
stretched() {
  cp "$STRETCH_MODULE" "$WORK/$1.so"
  echo "$2 sleep" >"$WORK/$1.percent"
}
stretched plain 0
stretched slow 40
export P11PROF_TEST_STRETCHED="$DELAY_MODULE" P11PROF_TEST_DELAY=sleep:1ms

# versus CODE BASE CURRENT OPTION...: how a comparison of modules in $WORK ends.
versus() {
  expected=$1 base=$2 current=$3
  shift 3
  "$P11PROF" bench --module "$WORK/$base.so" --vs "$WORK/$current.so" --db "$DB" --quiet \
    --test ecdsa-p256-sign --verify none --duration 1s --slices 40 "$@" >"$WORK/out" 2>"$WORK/notes"
  code=$?
  [ "$code" -eq "$expected" ] || { echo "exit code $code" && cat "$WORK/out" "$WORK/notes" && false; }
}

# printed TEXT: by the last bench, on stdout.
printed() {
  grep -qF -e "$1" "$WORK/out" || { cat "$WORK/out" && false; }
}

# sides COLUMN: of the runs of both sides, base first.
# shellcheck disable=SC2317
sides() {
  query "SELECT group_concat($1) FROM (SELECT * FROM runs
    WHERE json_extract(options, '\$.side') IS NOT NULL ORDER BY run_id DESC LIMIT 2)" |
    tr -d '"' | awk -F, '{ print $2 "," $1 }'
}

# overlaps: of measured slices of both sides with the same number (start_ns counts from each run's start).
overlaps="WITH side AS (SELECT w.run_id, w.slice, w.duration_ns, r.start_wall_ns + w.start_ns AS start_ns
  FROM windows AS w JOIN runs AS r USING (run_id) WHERE w.phase = 'measured' AND w.operation = 'sign')
  SELECT count(*) FROM side AS a JOIN side AS b ON a.run_id < b.run_id AND a.slice = b.slice
  WHERE abs(a.start_ns - b.start_ns) < min(a.duration_ns, b.duration_ns)"

# --- verdicts ---

check "a slower side" in_3 versus 1 plain slow
check "is regressed" printed " regressed"
check "with an arrow" printed "↓"
check "sides are named" [ "$(grep -c -e "^  base .*plain.so" -e "^  current .*slow.so" "$WORK/out")" = 2 ]
check "both are runs" [ "$(sides name)" = vs-base,vs-current ]
check "of one pair" is 1 "SELECT count(DISTINCT json_extract(options, '\$.pair_uuid')) FROM runs
  WHERE run_id > LAST - 2 AND json_extract(options, '\$.pair_uuid') IN (SELECT uuid FROM runs)"
check "with as many slices" is 40,40 "SELECT group_concat(slices) FROM (SELECT count(*) AS slices
  FROM windows WHERE run_id > LAST - 2 AND phase = 'measured' AND operation = 'sign' GROUP BY run_id)"
check "that take turns" is 0 "$overlaps"
check "only histograms are kept" is 0 "SELECT count(*) FROM calls"
check "the other way round" in_3 versus 0 slow plain --name mine
check "is improved" printed " improved"
check "and has its name" [ "$(sides name)" = mine-base,mine-current ]
check "a side with itself" in_3 versus 0 plain plain
check "is not regressed" not grep -q regressed "$WORK/out"
check "a threshold beyond it" in_3 versus 0 plain slow --threshold 900%
check "makes it the same" printed " same"
check "few pairs" versus 0 plain slow --duration 200ms --slices 5
check "are insufficient" printed insufficient

# --- formats ---

check "JSON" in_3 versus 1 plain slow --format json
check "has both sides, the pairs and a verdict" [ "$(python3 -c "
import json
d = json.load(open('$WORK/out'))
r = d['results'][0]
p = r['pairs']
print(d['schema'], d['base']['module'].endswith('plain.so'), d['current']['token_label'],
      d['threshold'], len(p), sum(x[0] for x in p) == r['base_count'],
      r['verdict'], r['effect_low'] < r['effect'] < r['effect_high'], d['mean_effect'] > 0.05)
")" = "p11prof/bench-vs/v1 True test token 0.05 40 True regressed True True" ]
check "CSV" in_3 versus 1 plain slow --csv --record calls
check "has a line a test" [ "$(wc -l <"$WORK/out")" = 2 ]
check "with a verdict" printed ",regressed"
check "calls are kept where they are wanted" is 1 "SELECT count(*) > 100 FROM calls"
check "JUnit" in_3 versus 1 plain slow --format junit
check "has a failure" [ "$(python3 -c "
import xml.etree.ElementTree as tree
suite = tree.parse('$WORK/out').getroot()[0]
print(suite.get('tests'), suite.get('failures'), suite[0].get('name'), suite[0][0].tag, suite[0][0].get('message'))
")" = "1 1 ecdsa-p256-sign failure regressed" ]
mkdir "$WORK/temporary"
export TMPDIR="$WORK/temporary"
check "Markdown to a file" in_3 versus 1 plain slow --format markdown --output "$WORK/report.md" --record off
check "has a table" grep -q "| ecdsa-p256-sign |.*regressed" "$WORK/report.md"
check "and stdout nothing" [ ! -s "$WORK/out" ]
check "nothing recorded is no run" [ "$(sides name)" = vs-base,vs-current ]
check "nor a folder left" [ -z "$(ls "$WORK/temporary")" ]

# --- one side that cannot ---

ln -s "$TOKEN" "$WORK/fake.so"
# on_fake CODE OPTION...: the fake token on both sides.
on_fake() {
  unset P11PROF_TEST_STRETCHED P11PROF_TEST_DELAY
  expected=$1
  shift
  bends "$expected" --vs same --test rsa-2048-sign --duration 1s "$@"
}
RULES=errors=10
check "operations that fail" on_fake 3
check "are told" printed "FAILED: rsa-2048-sign, base: "
check "with their reason" printed " failed (CKR_DEVICE_ERROR), current: "
RULES=wrong=7
check "results that are wrong" on_fake 3 --verify all
check "are told, too" printed " failed (wrong results)"
RULES=errors=10
check "JUnit of those that fail" on_fake 3 --format junit
check "has an error" printed 'failures="0" errors="1"'
RULES=errors=10
check "JSON of those that fail" on_fake 3 --format json
check "has their number" printed '"current_error_count":'
check "a module that is not there" on_fake 2 --vs /nonexistent.so
check "is told" says "current: module /nonexistent.so"
echo no module >"$WORK/bad.so"
check "a module that is none" on_fake 2 --vs "$WORK/bad.so"
check "is told of the current side" says "current: "
check "a token that is not there" on_fake 2 --vs-token-label other
check "is told with those that are" says 'current: no initialised token of the module is the one that was named; it has slot 0: "fake"'
check "leaves nothing on the base's" token_is_clean
export WRONG_PIN=4321
check "a wrong PIN" on_fake 2 --vs-pin-source env:WRONG_PIN
check "is tried once there" logged 2 login
check "and told" says "current: C_Login on token \"fake\": CKR_PIN_INCORRECT"
check "both runs failed" [ "$(sides state)" = failed,failed ]
check "nothing in common" bends 3 --vs same --test des3-cbc-encrypt
check "is told" says "CKM_DES3_CBC"
check "a key that is not there" on_fake 2 --vs-key none
check "is told of its side" says "current: "
for wrong in "--vs same --repeat 2" "--vs same --list-tests" "--vs same --prometheus" \
  "--threshold 5%" "--vs-slot 1" "--vs same --threshold 7" "--vs same --threshold x%"   "--format junit"; do
  # shellcheck disable=SC2086
  check "$wrong" bends 2 $wrong --test sha-256
done
check "a plan" on_fake 0 --dry-run
check "has the slices" grep -q "rsa-2048-sign .* 60 " "$WORK/out"
check "logins, alone on each side" bends 0 --vs same --test login-logout,sha-256 --quick --threshold 900%
check "have a row each" [ "$(grep -c -e "login-logout " -e "sha-256 " "$WORK/out")" = 2 ]
check "threads and processes" bends 0 --vs same --test sha-256 --threads 1,2 --processes 2 --quick --threshold 900%
check "have rows" [ "$(grep -c "sha-256 " "$WORK/out")" = 2 ]
check "and leave nothing" token_is_clean

# --- half-way ---

RULES=errors=50
check "operations that fail" on_fake 3 --slices 20
check "have results in spite of it" printed "rsa-2048-sign "

# pair_started: a comparison that has made its first pairs.
pair_started() {
  RULES=delays=shuffled:1ms-2ms
  earlier=$(newest_id)
  bench_start --vs same --test rsa-2048-sign --duration 30s --slices 300 --record calls
  within 20 workers 2
  within 20 logged 2 login
  within 30 measured 500 "$earlier"
}
for side in base:head current:tail; do
  pair_started
  kill -KILL "$(pgrep -P "$COMMAND" | "${side#*:}" -n 1)"
  check "the ${side%:*}'s worker is killed" ended 3 20
  check "that is told" says "${side%:*}: the worker 1 was killed (SIGKILL)"
  check "both runs failed" [ "$(sides state)" = failed,failed ]
  check "there are results" printed "rsa-2048-sign "
  check "the other one cleaned up" logged 1 "end sessions=0 objects=0"
done
for signal in INT:130 TERM:143; do
  pair_started
  kill -"${signal%:*}" "$COMMAND"
  check "${signal%:*}" ended "${signal#*:}" 20
  check "gives results so far" printed "rsa-2048-sign "
  check "interrupts both" [ "$(sides state)" = interrupted,interrupted ]
  check "of calls that are kept" is 2 "SELECT count(*) FROM (SELECT run_id FROM calls WHERE run_id IN
    (SELECT run_id FROM runs ORDER BY run_id DESC LIMIT 2) GROUP BY run_id)"
  check "leaves nothing on either token" token_is_clean
  check "both workers ended" logged 2 end
  check "nothing waits" [ -z "$(ls "$P11PROF_SPOOL")" ]
done
pair_started
killed=$(pgrep -P "$COMMAND")
kill -KILL "$COMMAND"
# shellcheck disable=SC2317
gone() {
  for worker in $killed; do
    kill -0 "$worker" 2>/dev/null && return 1
  done
  return 0
}
check "workers of both sides end without the command" within 20 gone
wait "$COMMAND"
check "and clean up" logged 2 "end sessions=0 objects=0"

# --- the commands of the manual, on two tokens of SoftHSM ---

make_token
make_key 01 rsa RSA:2048
make_key 02 rsa2 RSA:2048
make_key 03 ec EC:prime256v1
softhsm2-util --init-token --free --label spare --so-pin 12345678 --pin "$PIN" >/dev/null
cp "$SOFTHSM" "$WORK/old.so"
cp "$SOFTHSM" "$WORK/new.so"
sed -n '/^## Two modules/,/^## [^T]/p' "$ROOT/docs/benchmarking.md" |
  sed -n 's/^p11prof bench //p' >"$WORK/commands"
check "the manual has commands" [ "$(wc -l <"$WORK/commands")" -ge 4 ]
while read -r options; do
  # shellcheck disable=SC2086
  (cd "$WORK" && PIN=$PIN "$P11PROF" bench $options --db "$DB" --quick --quiet >out 2>notes)
  code=$?
  check "p11prof bench $options" [ "$code" -le 1 ]
  check "has results" grep -q "geometric mean" "$WORK/out"
done <"$WORK/commands"
own() {
  PIN=$PIN "$P11PROF" bench --module "$SOFTHSM" --token-label test --pin-source env:PIN --vs same \
    --db "$DB" --quick --quiet "$@" >"$WORK/out" 2>"$WORK/notes"
}
check "keys of different types" own --threshold 900% --key rsa --vs-key ec --test sign
check "are compared by what they do" grep -q "rsa-2048-sign *ecdsa-p256-sign " "$WORK/out"
code=0
own --key rsa --vs-key ec || code=$?
check "nothing in common is wrong usage" [ "$code" = 2 ]
check "and each test is named" says "rsa-2048-decrypt is left out: only the key of the base side"

check "a key by its URI" own --threshold 900% --key rsa --test sign \
  --vs-key-uri 'pkcs11:object=rsa2;type=private'
check "is of the token of the base" grep -q 'current .*token "test".*key "rsa2"' "$WORK/out"
code=0
own --key-uri 'pkcs11:object=rsa;type=private' --vs-token-label spare --test sign || code=$?
check "no other one is taken in its place" [ "$code" = 2 ]
check "on the other token" says 'current: the token has no key "rsa"'
code=0
own --key none || code=$?
check "a key that is there is named" says '"rsa"'
check "besides one whose name is longer" says '"rsa2"'
code=0
own --vs-uri pkcs11:manufacturer=SoftHSM%20project --test sign || code=$?
check "several tokens there" [ "$code" = 2 ]
check "are told apart by the options of that side" says "--vs-slot, --vs-token-label or --vs-uri"

check "the tokens have what they had" [ "$(pkcs11-tool --module "$SOFTHSM" --token-label test --login \
  --pin "$PIN" --list-objects 2>/dev/null | grep -c '^Private Key')" = 3 ]
check "the other one nothing" [ -z "$(pkcs11-tool --module "$SOFTHSM" --token-label spare --login \
  --pin "$PIN" --list-objects 2>/dev/null)" ]
check "no PIN is kept" keeps_secrets "$PIN"

finish
