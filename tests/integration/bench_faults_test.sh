#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench: tokens that refuse, run full, go away, crash or hang.
# Environment: P11PROF, TOKEN (the fake token).

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"

# The PIN is tried once, whatever the number of those that want to.
for processes in 1 4; do
  FAKE_PIN=4321
  check "a wrong PIN of $processes" bends 2 --test sha-256 --iterations 10 --processes "$processes"
  check "is named" says "C_Login on token \"fake\": CKR_PIN_INCORRECT"
  check "one try" logged 1 login
done
check "no key was asked for" bends 2 --test login-logout --iterations 10
check "and one try only" logged 1 login
check "the run failed" [ "$(newest state)" = failed ]
FAKE_PIN=1234
RULES=final-try
check "one try left" bends 2 --test sha-256 --iterations 10
check "is said" says "CKF_USER_PIN_FINAL_TRY"
check "and not used up" logged 0 login
RULES=locked
check "a locked PIN" bends 3 --test sha-256 --iterations 10
check "is said, too" says "locked"
check "and not tried" logged 0 login
check "login-logout" bends 0 --test login-logout --iterations 100
check "is measured" is 100 "SELECT sum(count) FROM load_threads WHERE run_id = LAST"
check "and clean" token_is_clean

# Limits: what does not fit is skipped, and why; the rest is measured.
# skipped TEST TEXT: in the newest run.
# shellcheck disable=SC2317
skipped() {
  is "$1" "SELECT group_concat(DISTINCT test) FROM skipped WHERE run_id = LAST
    AND reason LIKE '%$2%'"
}
RULES=sessions=4
check "few sessions" bends 0 --test sha-256 --threads 3,4 --iterations 10
check "are too few for one" skipped sha-256 CKR_SESSION_COUNT
check "advice" says "use fewer threads"
check "the other is measured" is 3 "SELECT threads FROM loads WHERE run_id = LAST"
check "all of it" operations measured 30 sha-256
check "no session is left" token_is_clean
RULES=sessions=4
check "no session to open" bends 0 --test session-open-close,sha-256 --threads 3 --iterations 10
check "is skipped as such" skipped session-open-close CKR_SESSION_COUNT
RULES=objects=3
check "a full token" bends 0 --test rsa-2048-sign,find-by-label-100,aes-cmac,ecdsa-p256-sign \
  --iterations 10
check "has no room for these" skipped ecdsa-p256-sign,find-by-label-100 CKR_DEVICE_MEMORY
check "and for those it has" operations measured 10 aes-cmac
check "halves are not left" token_is_clean
RULES=refuse=CKM_ECDSA
check "a mechanism that is listed only" bends 0 --test ecdsa-p256-sign,sha-256 --iterations 10
check "is refused" skipped ecdsa-p256-sign "CKM_ECDSA%CKR_MECHANISM_INVALID"
RULES=refuse=CKM_SHA256
check "nothing left to do" bends 3 --test sha-256 --iterations 10
check "is said so" says "this token can do none of these tests"
check "is a failure" [ "$(newest state)" = failed ]
check "a mechanism that is not listed" bends 0 --test des3-cbc-encrypt,sha-256 --iterations 10
check "is named in the reason" skipped des3-cbc-encrypt CKM_DES3_CBC
check "rows that cannot be" bends 0 --iterations 2 --data-sizes 100,1KB --threads 1,2 \
  --test des3-cbc-encrypt,aes-256-cbc-encrypt
check "have a reason once" [ "$(grep -c "is skipped" "$WORK/notes")" = 2 ]
check "with the size that it is of" says "is skipped: with 100 B: C_Encrypt (CKM_AES_CBC)"
check "the others are measured" is 1024,1024 "SELECT group_concat(data_bytes) FROM loads
  WHERE run_id = LAST"
check "logins of processes" bends 0 --test login-logout --iterations 5 --threads 1,2 --processes 2
check "are of one thread each" is "10,1" "SELECT sum(count) || ',' || max(threads) FROM load_threads
  JOIN loads USING (run_id, load) WHERE loads.run_id = LAST"
check "and clean, too" token_is_clean

# Wrong results, of each kind of test that has its own way to find them.
for test in rsa-2048-sign-multipart aes-256-cbc-pad-encrypt aes-256-ccm-encrypt aes-256-gmac \
  aes-256-gcm-encrypt-multipart aes-256-gcm-decrypt-multipart aes-256-cbc-digest-encrypt \
  aes-256-cbc-decrypt-digest aes-256-cbc-sign-encrypt aes-256-cbc-decrypt-verify \
  sha3-256-multipart hmac-sha3-256 x25519-derive x448-derive ed448-keygen aes-256-kwp-wrap \
  object-copy set-attribute seed-random; do
  RULES=wrong-after=60
  check "wrong results of $test" bends 3 --test $test --iterations 100 --verify all
  check "are found" is 1 "SELECT sum(error_count) > 0 FROM load_threads WHERE run_id = LAST"
done

# Token objects that are not destroyed at once, or never.
RULES=keeps=5
check "a token that keeps objects at first" bends 0 --token-keys --iterations 20 \
  --test rsa-2048-sign,rsa-2048-keygen
check "has none in the end" token_is_clean
RULES=keeps=2
check "and another" bends 0 --token-keys --iterations 20 --test find-by-label-100
check "has none either" token_is_clean
check "and nobody is alarmed" not says "remove them"
RULES=keeps=1000000
check "one that keeps them for ever" bends 0 --token-keys --iterations 20 --test rsa-2048-sign
check "has some" not token_is_clean
check "which are named" says "2 objects labelled p11prof-"

# Gone half-way.
RULES=remove=3000
check "a token that is removed" bends 3 --test sha-256,aes-cmac --iterations 100000 --threads 2 \
  --warmup 10
check "ends early" says "CKR_DEVICE_REMOVED"
check "what was done is kept" is 1 "SELECT count(*) > 500 FROM operations WHERE run_id = LAST
  AND phase = 'measured' AND rv = 'CKR_OK'"
check "what failed is no success" is 1 "SELECT sum(count) = sum(error_count + success_count)
  AND sum(error_count) > 0 FROM operation_stats WHERE run_id = LAST AND phase = 'measured'"
check "slices say the same" is 1 "SELECT (SELECT sum(count) FROM windows WHERE run_id = LAST
  AND phase = 'measured' AND operation IS NOT NULL) = (SELECT sum(count) FROM load_threads
  WHERE run_id = LAST)"

# Crashes. The first N - 1 calls have returned, and none of them is lost.
for processes in 1 2; do
  RULES=crash=3000
  check "a crash of $processes" bends 3 --test sha-256 --iterations 100000 --processes "$processes"
  check "is told by its signal" says "Segmentation fault"
  check "the run failed" [ "$(newest state)" = failed ]
  # C_GetMechanismInfo, and what is tried and verified, do not go through the shim.
  check "calls that returned are there" is 1 "SELECT count(*) > 2000 AND
    count(*) >= max(call_count) AND max(lost_count) = 0 FROM calls JOIN processes
    USING (run_id, process_id) WHERE run_id = LAST GROUP BY process_id LIMIT 1"
  check "results so far" is 1 "SELECT sum(count) > 500 FROM operation_stats
    WHERE run_id = LAST AND phase = 'measured'"
  check "nothing waits" [ -z "$(ls "$P11PROF_SPOOL")" ]
done
RULES=exit=3000
check "a module that ends its process" bends 3 --test sha-256 --iterations 100000
check "is told by its exit code" says "exit code 5"
RULES=crash=5
check "a crash in C_OpenSession" bends 3 --test sha-256 --iterations 10
check "is told, too" says "Segmentation fault"
RULES=crash=60
check "a crash while keys are made" bends 3 --test sha-256,rsa-2048-sign,aes-cmac --iterations 10
check "ends it" says "Segmentation fault"

# One worker of two, killed by somebody.
bench_start --test sha-256 --duration 20s --processes 2
within 10 workers 2
sleep 0.5
kill -KILL "$(pgrep -P "$COMMAND" | tail -n 1)"
check "a worker that is killed ends the run" ended 3 20
check "and is told" says "worker 2 was killed (SIGKILL)"
check "the other was left in peace" logged 1 "end sessions=0 objects=0"

finish
