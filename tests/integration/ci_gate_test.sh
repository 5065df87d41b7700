#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/ci: the steps of the workflow as GitHub would run them, and the gate on modules of known speed.
# Environment: P11PROF, DELAY_MODULE, STRETCH_MODULE, ROOT (of the sources), BUILD (where they are built).

. "$(dirname "$0")/shell_test.sh"
need "${DELAY_MODULE:?}" "${STRETCH_MODULE:?}" "$SOFTHSM" softhsm2-util cmake xmllint
/usr/bin/python3 -c 'import yaml' || need python3-yaml
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
GATE=$ROOT/docs/ci/gate.sh
SUMMARY=$WORK/step_summary
unset GITHUB_STEP_SUMMARY

# Stand-ins: a machine whose p11prof is built already, and a folder of ours as /usr/local.
mkdir "$WORK/bin" "$WORK/workspace"
cat >"$WORK/bin/cmake" <<END
#!/bin/sh
case \$1 in
-S) [ -e "\$2/CMakeLists.txt" ] ;;
--build) [ "\$2" = p11prof-build ] ;;
--install) [ "\$2 \$3 \$4" = "p11prof-build --prefix /usr/local" ] &&
  $(command -v cmake) --install "$BUILD" --prefix "$WORK/local" ;;
esac
END
chmod 755 "$WORK/bin/cmake"
PATH=$WORK/bin:$WORK/local/bin:$PATH
unset P11PROF
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' \
  "$WORK/tokens" >"$WORK/softhsm2.conf"
export SOFTHSM2_CONF="$WORK/softhsm2.conf"
ln -s "$ROOT" "$WORK/workspace/p11prof"
cd "$WORK/workspace" || exit 1

# event CODE NAME [VARIABLE=VALUE...]: how the job ends for it; what its steps print is in $WORK/out and
# $WORK/notes, the summary of the job in $SUMMARY.
event() {
  expected=$1 event=$2
  shift 2
  rm -rf "$WORK/steps" "$WORK/tokens" p11prof-results # a machine of its own
  mkdir "$WORK/steps" "$WORK/tokens"
  : >"$SUMMARY"
  /usr/bin/python3 "$ROOT/tests/integration/workflow_steps.py" "$ROOT/docs/ci/github-actions.yml" \
    "$event" "$WORK/steps" "$@" >"$WORK/names" || return 1
  ended=0
  while read -r number name; do
    [ -e "$WORK/steps/$number.sh" ] || continue
    GITHUB_STEP_SUMMARY=$SUMMARY sh -e "$WORK/steps/$number.sh" >"$WORK/out" 2>"$WORK/notes" \
      </dev/null || ended=$?
    [ "$ended" -eq 0 ] || break
  done <"$WORK/names"
  [ "$ended" -eq "$expected" ] && return
  echo "step '$name' ended with $ended"
  cat "$WORK/out" "$WORK/notes"
  return 1
}

# gate CODE WORDS [SETTING=VALUE...]: how it ends.
gate() {
  expected=$1 words=$2
  shift 2
  code=0
  # shellcheck disable=SC2086
  env "$@" "$GATE" $words >"$WORK/out" 2>"$WORK/notes" </dev/null || code=$?
  [ "$code" -eq "$expected" ] || { echo "exit code $code" && cat "$WORK/out" "$WORK/notes" && false; }
}

# works COMMAND...: what it prints is of interest if it fails.
works() {
  "$@" >"$WORK/out" 2>&1 </dev/null || { cat "$WORK/out" && false; }
}

# says TEXT: on stderr; finds TEXT FILE.
says() {
  grep -qF -e "$1" "$WORK/notes" || { cat "$WORK/notes" && false; }
}
finds() {
  grep -qF -e "$1" "$2" || { cat "$2" && false; }
}

# junit NUMBER NAMES: so many test cases, and the names of those that failed.
junit() {
  xmllint --noout p11prof-results/junit.xml
  found=$(/usr/bin/python3 -c "import sys, xml.etree.ElementTree as tree
cases = tree.parse('p11prof-results/junit.xml').getroot().findall('.//testcase')
print(len(cases), *[c.get('name') for c in cases if c.find('failure') is not None])")
  [ "$found" = "$1${2:+ $2}" ] || { echo "found: $found" && cat p11prof-results/junit.xml && false; }
}

# --- the workflow, as it is ---

export GATE_OPTIONS="--iterations 40 --slices 10" GATE_CURRENT_RUNS=1
check "a pull request without a baseline" event 2 pull_request
check "is told what to do" says "there is no baseline in p11prof-baseline: 'gate.sh baseline' makes it"
check "a push" event 0 push GATE_RUNS=3
[ "$FAILED" -eq 0 ] || exit 1
check "makes a baseline" [ "$(find p11prof-baseline -name '*.json' | wc -l)" = 3 ]
oldest=$(find p11prof-baseline -name '*.json' | sort | head -n 1)
check "another push" event 0 push GATE_RUNS=3
check "adds a run" [ "$(find p11prof-baseline -name '*.json' | wc -l)" = 3 ]
check "in place of the oldest" [ ! -e "$oldest" ]
check "a pull request" event 0 pull_request GATE_THRESHOLD=900%
check "has a summary on its page" finds "| rsa-2048-sign 32 bytes |" "$SUMMARY"
check "and in a file" cmp "$SUMMARY" p11prof-results/summary.md
check "has all tests" junit 4
check "the token is empty" [ -z "$(find "$WORK/tokens" -name '*.object' -newer "$WORK/names" | tail -n +2)" ]
check "two modules side by side" event 0 pull_request OLD_MODULE="$SOFTHSM" NEW_MODULE="$SOFTHSM" \
  GATE_THRESHOLD=900%
check "have a summary, too" finds "| rsa-2048-sign | ops_per_s " "$SUMMARY"
check "and test cases" junit 4
check "a wrong PIN" event 2 push GATE_TOKEN=ci2 GATE_PIN_SOURCE=env:HOME
check "is told" says CKR_PIN_INCORRECT
check "with the settings" says "GATE_TOKEN=ci2, GATE_PIN_SOURCE=env:HOME"
check "and costs no baseline" [ "$(find p11prof-baseline -name '*.json' | wc -l)" = 3 ]

# --- verdicts, on modules of known speed ---

# module NAME PERCENT: whose calls sleep, and take so much longer.
module() {
  cp "$STRETCH_MODULE" "$WORK/$1.so"
  echo "$2 sleep" >"$WORK/$1.percent"
}
module plain 0
module again 0
module slow 300 # by so much that a busy machine cannot hide it
# The machine decides about rates; about medians it does not.
export P11PROF_TEST_STRETCHED="$DELAY_MODULE" P11PROF_TEST_DELAY=sleep:4ms
export GATE_OPTIONS="--iterations 40 --verify none" GATE_CURRENT_RUNS=3 GATE_BASELINE=base.json
export GATE_THRESHOLD=p50=10%,ops_per_s=10000%
export GATE_TESTS=rsa-2048-sign,ecdsa-p256-sign GATE_MODULE="$WORK/plain.so"
check "results that cannot be written are no regression" gate 2 check GATE_RESULTS=/proc/none
check "are named" says "GATE_RESULTS=/proc/none"
for number in x 0 1.5; do
  check "no number of runs: $number" gate 2 baseline GATE_RUNS="$number" GATE_BASELINE=none
  check "is named" says "GATE_RUNS=$number: a number from 1 is wanted"
done
check "a folder with a comma" gate 2 baseline GATE_BASELINE=a,b
check "is named" says "GATE_BASELINE=a,b"
check "a baseline as one file" gate 0 baseline
check "a threshold that is none" gate 2 check GATE_THRESHOLD=abc
check "is named before anything is measured" not says throw-away
check "with its setting" says "GATE_THRESHOLD=abc"
check "is where it is to be" [ -s base.json ]
cp base.json kept.json
for settings in GATE_BASELINE=base.json GATE_BASELINE=folder; do
  [ -e "${settings#*=}" ] || { mkdir folder && cp kept.json folder/1.json; }
  check "$settings: the same speed" gate 0 check "$settings" GATE_MODULE="$WORK/again.so" \
    GATE_CURRENT_RUNS=1
  check "$settings: has test cases" junit 2
  : >"$SUMMARY"
  check "$settings: a slower one" gate 1 check "$settings" GATE_MODULE="$WORK/slow.so" \
    GITHUB_STEP_SUMMARY="$SUMMARY"
  check "$settings: is a failure of each test" junit 2 \
    "rsa-2048-sign 32 bytes ecdsa-p256-sign 32 bytes"
  check "$settings: is printed" finds "2 regressed" "$WORK/out"
  check "$settings: is on the page of the job" finds "regressed" "$SUMMARY"
done
check "a larger threshold" gate 0 check GATE_MODULE="$WORK/slow.so" GATE_CURRENT_RUNS=1 \
  GATE_THRESHOLD=p50=900%,ops_per_s=10000%
export GATE_OPTIONS="--duration 2s --slices 20 --verify none" GATE_THRESHOLD=10%
check "the slow one side by side" gate 1 "vs $WORK/plain.so $WORK/slow.so"
check "is a failure" junit 2 "rsa-2048-sign ecdsa-p256-sign"
check "and told" finds "| rsa-2048-sign | ops_per_s " p11prof-results/summary.md
check "one with itself is not" gate 0 "vs $WORK/plain.so $WORK/again.so"

# --- what cannot be ---

check "no module" gate 2 baseline GATE_MODULE=/nonexistent/module.so
check "is told" says "/nonexistent/module.so"
check "leaves the baseline" cmp base.json kept.json
check "no module beside another" gate 2 "vs $WORK/plain.so /nonexistent/module.so"
check "is told, too" says "are not compared: bench ended with 2"
check "no such token" gate 2 check GATE_TOKEN=other
check "is told with its name" says "GATE_TOKEN=other"
echo '{"schema": "p11prof/export/v1", "runs": [' >cut.json
start=$(date +%s)
check "half a baseline" gate 2 check GATE_BASELINE=cut.json GATE_OPTIONS='--duration 100s'
check "is told before a token is measured" [ $(($(date +%s) - start)) -lt 50 ]
check "with what to do" says "'gate.sh baseline' makes a new one"
check "tests that the baseline has not" gate 2 check GATE_TESTS=hmac-sha256 \
  GATE_OPTIONS="--iterations 40 --verify none"
check "are told" says "makes a baseline of the same tests"
for words in "" "chekc" "check now" "vs one" "baseline two three"; do
  check "gate.sh $words" gate 2 "$words"
  check "says its usage" says "usage: gate.sh baseline | check | vs OLD NEW"
done
check "no p11prof" gate 2 check P11PROF=/nonexistent/p11prof
check "is told with its name" says "/nonexistent/p11prof"

# --- the guide ---

unset P11PROF_TEST_STRETCHED P11PROF_TEST_DELAY GATE_MODULE GATE_TESTS GATE_BASELINE
export GATE_OPTIONS="--iterations 30 --slices 10 --test sha-256" TOKEN_PIN=1234 GATE_THRESHOLD=900%
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$ROOT/docs/ci/README.md" |
  sed 's|docs/ci|p11prof/docs/ci|' >"$WORK/guide"
check "the guide has commands" [ "$(grep -c gate.sh "$WORK/guide")" = 2 ]
softhsm2-util --init-token --free --label ci --so-pin 12345678 --pin "$TOKEN_PIN" >"$WORK/out"
check "they work" works sh -eu "$WORK/guide"
check "they make what they say" [ -s baseline.json ]
grep -oE '^\|.*GATE_[A-Z_]+.*\| ' "$ROOT/docs/ci/README.md" | grep -oE 'GATE_[A-Z_]+' | sort -u >"$WORK/settings"
while read -r setting; do
  check "$setting is a setting" grep -q "^#   $setting " "$GATE"
done <"$WORK/settings"
check "nothing else is left" [ "$(find "$WORK/workspace" -mindepth 1 -maxdepth 1 | wc -l)" = 8 ]

finish
