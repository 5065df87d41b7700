#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# `advise` finds each pattern in an application that has it, and not in its twin that has not.
# Environment: P11PROF, APP, DELAY_MODULE.

. "$(dirname "$0")/shell_test.sh"
need softhsm2-util pkcs11-tool "$SOFTHSM" "${APP:?the path of pattern_app}" \
  "${DELAY_MODULE:?the path of delay.so}"

# run_app MODULE PATTERN HOW [NAME]: records it under that name.
run_app() {
  record --name "$2-$3" --module "$1" -- "$APP" "$1" "$PIN" "$2" "$3"
}

# found NAME OPTION...: the findings of the newest run of that name, a line each.
found() {
  run=$(query "SELECT max(run_id) FROM runs WHERE name = '$1'")
  shift
  "$P11PROF" advise --db "$DB" "$run" --format csv "$@" | tail -n +2 | cut -d, -f2,4
}

# has FINDING NAME OPTION...
has() {
  finding=$1
  shift
  found "$@" | grep -q "^$finding"
}

# tells PATTERN FINDING MODULE OPTION...: in the sick one only, which --all says more of.
tells() {
  pattern=$1 finding=$2 module=$3
  shift 3
  check "$pattern runs" run_app "$module" "$pattern" sick
  check "and is found" has "$finding" "$pattern-sick" "$@"
  check "its twin runs" run_app "$module" "$pattern" well
  check "and has none" not has "$finding" "$pattern-well" --all
}

make_token
make_key 01 first EC:prime256v1

# They rest for seconds: beside the others.
(P11PROF_TEST_DELAY=idle:50ms && export P11PROF_TEST_DELAY
  P11PROF_SPOOL=$WORK/sick DB=$WORK/sick.db
  export P11PROF_SPOOL && mkdir -m 700 "$P11PROF_SPOOL"
  run_app "$DELAY_MODULE" bursts-after-idle sick) &
resting=$!
(P11PROF_SPOOL=$WORK/well DB=$WORK/well.db
  export P11PROF_SPOOL && mkdir -m 700 "$P11PROF_SPOOL"
  run_app "$DELAY_MODULE" bursts-after-idle well) &
resting="$resting $!"

tells login-per-operation login-per-operation,logged "$SOFTHSM"
tells needless-login login-per-operation,CKR_USER_ALREADY "$SOFTHSM" --all
tells polling polling,C_GetTokenInfo "$SOFTHSM" --all
check "each question is told" has polling,C_GetSessionInfo polling-sick --all
tells leaked-sessions leaked-sessions "$SOFTHSM"
tells unfinished-searches unfinished-searches "$SOFTHSM"
tells retries retries,C_SignInit "$SOFTHSM" --all
tells attribute-fallback attribute-fallback "$SOFTHSM" --all
tells use-after-fork use-after-fork "$SOFTHSM"
"$P11PROF" report --db "$DB" use-after-fork-sick >"$WORK/out"
check "a child without a start-up is not among those that have one" grep -q \
  '^  start-up .* until C_SignInit: .*; 1 process began with an operation$' "$WORK/out"
"$P11PROF" report --db "$DB" use-after-fork-well >"$WORK/out"
check "one with a start-up is" grep -q '^  start-up    of 2 processes until' "$WORK/out"
tells failed-logins failed-logins,slot "$SOFTHSM"
tells weak-keys "weak-keys,RSA 1024" "$SOFTHSM"
check "so is its mechanism" has weak-keys,CKM_SHA1_RSA_PKCS weak-keys-sick

export P11PROF_TEST_DELAY=sleep:20ms
tells slow-startup "slow-startup,slots and tokens" "$DELAY_MODULE"
unset P11PROF_TEST_DELAY

# shellcheck disable=SC2086
wait $resting
DB=$WORK/sick.db
check "slow calls after rests are found" has bursts-after-idle,C_SignInit bursts-after-idle-sick
DB=$WORK/well.db
check "quick ones are not" not has bursts-after-idle bursts-after-idle-well --all

finish
