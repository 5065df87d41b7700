#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench on a token with keys of somebody's own: they are used and left as they are, nothing
# of ours stays, and the PIN is nowhere.
# Environment: P11PROF, TOKEN (the fake token), SHIM.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "$SOFTHSM" softhsm2-util pkcs11-tool pgrep "${SHIM:?}"

make_token
export SOFT_PIN="$PIN"
make_key 01 mine rsa:2048
make_key 02 curve EC:prime256v1

# listing: all objects of the token, with all that pkcs11-tool tells of them.
listing() {
  pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --list-objects 2>/dev/null
}
listing >"$WORK/before"

# soft OPTION...: on that token.
soft() {
  "$P11PROF" bench --module "$SOFTHSM" --token-label test --pin-source env:SOFT_PIN --db "$DB" \
    --quiet "$@" >"$WORK/out" 2>"$WORK/notes"
}

# unchanged: the objects are what they were, byte for byte; if not, which.
# shellcheck disable=SC2317
unchanged() {
  listing | diff "$WORK/before" -
}

# tests: those of the newest run.
tests() {
  query "SELECT group_concat(test, ' ') FROM (SELECT test FROM loads WHERE run_id =
    (SELECT max(run_id) FROM runs) ORDER BY load)" | tr -d '"'
}

# --key.
check "a key of one's own" soft --key mine --iterations 10
for test in rsa-2048-sign rsa-2048-verify rsa-2048-encrypt rsa-2048-decrypt; do
  check "does $test" is 10 "SELECT t.count FROM load_threads AS t JOIN loads USING (run_id, load)
    WHERE run_id = LAST AND test = '$test'"
done
check "and nothing else" is 0 "SELECT count(*) FROM loads WHERE run_id = LAST
  AND key_type IS NOT 'CKK_RSA'"
check "all of it right" is "0,0" "SELECT sum(error_count), sum(wrong_count) FROM load_threads
  WHERE run_id = LAST"
check "makes no key" is 0 "SELECT count(*) FROM calls WHERE run_id = LAST
  AND function LIKE 'C_Generate%'"
check "the token is as it was" unchanged
check "what it does not fit" soft --key curve --test sign,encrypt --iterations 10
check "is said to have a key made for it" \
  says "rsa-2048-encrypt works on a key that is made for it: it does not fit yours"
check "a family" soft --key curve --test sign,verify --iterations 10
check "of it all" not says "made for"
check "is that of the key" [ "$(tests)" = "ecdsa-p256-sign ecdsa-p256-verify" ]
check "by its URI" soft --key-uri "pkcs11:object=mine;type=private" --test sign --iterations 10
check "is the same" [ "$(tests)" = rsa-2048-sign ]
soft --key yours --iterations 10
check "a key that is missing" [ $? -eq 2 ]
check "is named" says yours
check "with those that are there" says mine
check "no key was made for that" unchanged

# --token-keys.
check "token keys" soft --token-keys --test rsa-2048-sign,aes-cmac,find-by-label-100,rsa-2048-keygen \
  --iterations 3 --slices 1
check "are destroyed" unchanged
check "they were there" is 1 "SELECT count(*) > 100 FROM calls WHERE run_id = LAST
  AND function = 'C_DestroyObject' AND rv = 'CKR_OK'"

# soft_start OPTION...: in the background, until it measures.
soft_start() {
  "$P11PROF" bench --module "$SOFTHSM" --token-label test --pin-source env:SOFT_PIN --db "$DB" \
    --quiet --record summary "$@" >"$WORK/out" 2>"$WORK/notes" &
  COMMAND=$!
  sleep 3 # SoftHSM rewrites its token at each login: who begins just then may find none
}
# shellcheck disable=SC2317
has_our_keys() {
  ! unchanged >/dev/null 2>&1
}
soft_start --token-keys --test rsa-2048-sign,aes-256-kw-wrap,rsa-2048-keygen --duration 60s \
  --processes 2
check "token keys that are in use" within 10 has_our_keys
sleep 0.5
kill -INT "$COMMAND"
check "INT" ended 130 10
check "leaves none of them" unchanged
unchanged >/dev/null || cat "$WORK/notes"
soft_start --token-keys --test rsa-2048-sign,aes-cmac --duration 60s --processes 2
within 10 has_our_keys
sleep 0.5
kill -KILL "$COMMAND"
wait "$COMMAND"
check "after KILL of the command they go, too" within 8 unchanged
check "sessions keys" soft --test rsa-2048-sign,aes-cmac --iterations 10
check "never were on the token" unchanged

# A copy of the shim, with settings.
cp "$SHIM" "$WORK/copy.so"
printf 'module = %s\n' "$SOFTHSM" >"$WORK/copy.conf"
chmod 600 "$WORK/copy.conf"
"$P11PROF" bench --module "$WORK/copy.so" --token-label test --pin-source env:SOFT_PIN --db "$DB" \
  --quiet --test aes-cmac --iterations 100 >"$WORK/out" 2>"$WORK/notes"
check "the shim as module" [ $? -eq 0 ]
check "is told" says "$WORK/copy.so is p11prof's shim"
check "its module is used" is "$(readlink -f "$SOFTHSM")" "SELECT module_path FROM processes WHERE run_id = LAST"
check "nothing is recorded twice" is "1,100" "SELECT count(DISTINCT process_id), count(*)
  FROM operations WHERE run_id = LAST AND phase = 'measured'"
check "nor in a run of its own" is bench "SELECT group_concat(DISTINCT kind) FROM runs"

# The PIN.
"$P11PROF" bench --module "$SOFTHSM" --uri "pkcs11:token=test?pin-value=$PIN" --db "$DB" --quiet \
  --record off --test random-32 --duration 2s >"$WORK/uri" 2>&1 &
COMMAND=$!
within 5 workers 1
sleep 0.5
for process in $COMMAND $(pgrep -P "$COMMAND"); do
  check "no PIN in arguments" not grep -aqF -e "$PIN" "/proc/$process/cmdline"
done
check "a URI with a PIN" ended 0 10
check "no PIN in what was said" not grep -qF -e "$PIN" "$WORK/uri" "$WORK/out" "$WORK/notes"
check "nor in the database" not grep -aqF -e "$PIN" "$DB"*
export P11PROF_DEBUG=1
check "a run" soft --test login-logout,rsa-2048-sign --iterations 20 --format json
check "the PIN is in no file of it" keeps_secrets "$PIN"
check "nor in its results" not grep -qF -e "$PIN" "$WORK/out"
SOFT_PIN=$PIN-wrong
soft --test aes-cmac --iterations 10
check "a wrong PIN" [ $? -eq 2 ]
check "is said nowhere" keeps_secrets "$PIN"
SOFT_PIN=$PIN
check "spools had none" [ -z "$(ls "$P11PROF_SPOOL")" ]

# A spool while it is in use.
export P11PROF_SPOOL_LIMIT=4MB
soft_start --test login-logout --duration 30s
within 10 sh -c "ls '$P11PROF_SPOOL' | grep -q ."
sleep 0.5
check "no PIN in a spool" not grep -raqF -e "$PIN" "$P11PROF_SPOOL"
kill -TERM "$COMMAND"
check "TERM" ended 143 20

unset P11PROF_SPOOL_LIMIT

# The throw-away token.
unset SOFTHSM2_CONF
mkdir "$WORK/tmp"
export TMPDIR="$WORK/tmp"
check "a token to throw away" "$P11PROF" bench --db "$DB" --quiet --test sha-256 --iterations 10 \
  >"$WORK/out" 2>"$WORK/notes"
check "is thrown away" [ -z "$(ls -A "$WORK/tmp")" ]
for wait in 0.02 0.1 0.3 0.8; do
  "$P11PROF" bench --db "$DB" --quiet --test rsa-2048-sign --duration 30s >"$WORK/out" \
    2>"$WORK/notes" &
  COMMAND=$!
  sleep "$wait"
  kill -TERM "$COMMAND"
  check "after TERM, too" ended 143 20
  check "whenever it came ($wait s)" [ -z "$(ls -A "$WORK/tmp")" ]
done

finish
