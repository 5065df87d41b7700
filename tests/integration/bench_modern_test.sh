#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench with the tests of PKCS#11 3.0 to 3.2: what is recorded is what the module logged,
# what is wrong is found, what is not there is said, and nothing stays.
# Environment: P11PROF, TOKEN (the fake token with interface 3.2).

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"

MODERN='*-message-*,ml-*,slh-dsa-*'
CALL_LOG=$WORK/calls.log

# logs_more COUNT FUNCTION NUMBER: so many more calls of it the module logged than were recorded.
logs_more() {
  logged=$(od -An -v -t u8 -w40 "$CALL_LOG" |
    awk -v number="$3" '$1 == number { count++ } END { print count + 0 }')
  is $((logged - $1)) "SELECT count(*) FROM calls WHERE run_id = LAST AND function = '$2'"
}

# unlike VIEW: rows of a view whose mechanism or key are not those of their load.
unlike() {
  is 0 "SELECT count(*) FROM $1 AS o JOIN loads AS l USING (run_id, load) WHERE run_id = LAST
    AND o.phase = 'measured' AND o.operation NOT LIKE 'generate%'
    AND (o.operation IS NOT l.operation OR o.mechanism IS NOT l.mechanism
      OR o.key_type IS NOT l.key_type OR o.key_bits IS NOT l.key_bits)"
}

# All of them, every result looked at.
check "all of 3.x" bends 0 --test "$MODERN" --verify all --threads 2 --iterations 10 --warmup 0
check "are done" is "70,1400" "SELECT count(DISTINCT load) || ',' || sum(t.count)
  FROM load_threads AS t WHERE run_id = LAST"
check "without an error" is "0,0" "SELECT sum(error_count) || ',' || sum(wrong_count)
  FROM load_threads WHERE run_id = LAST"
check "none is left out" is 0 "SELECT count(*) FROM skipped WHERE run_id = LAST"
check "all could be looked at" is 0 "SELECT sum(unchecked) FROM loads WHERE run_id = LAST"
check "each operation is there" is 1400 "SELECT count(*) FROM operations WHERE run_id = LAST
  AND phase = 'measured'"
check "with mechanism and key" unlike operations
check "a parameter set is a number" is "44 65 87 512 768 1024" "SELECT group_concat(key_bits, ' ')
  FROM (SELECT DISTINCT key_bits FROM calls WHERE run_id = LAST
  AND function IN ('C_Sign', 'C_EncapsulateKey') AND key_type IN ('CKK_ML_DSA', 'CKK_ML_KEM')
  ORDER BY key_bits)"
check "also of SLH-DSA" is "12,1,12" "SELECT count(DISTINCT key_bits) || ',' || min(key_bits) || ','
  || max(key_bits) FROM calls WHERE run_id = LAST AND key_type = 'CKK_SLH_DSA'"
check "outputs are as long as they should be" is "1088,3309,49856" "SELECT
  max(out_bytes) FILTER (WHERE function = 'C_EncapsulateKey' AND key_bits = 768) || ',' ||
  max(out_bytes) FILTER (WHERE function = 'C_Sign' AND key_bits = 65) || ',' ||
  max(out_bytes) FILTER (WHERE function = 'C_Sign' AND key_bits = 12) FROM calls WHERE run_id = LAST"
check "a process is opened once a thread" is 6 "SELECT count(*) FROM calls WHERE run_id = LAST
  AND function = 'C_MessageEncryptInit'"
check "and ended" is 6 "SELECT count(*) FROM calls WHERE run_id = LAST
  AND function = 'C_MessageEncryptFinal' AND rv = 'CKR_OK'"
check "clean" token_is_clean

# What the module logged: what was recorded, and what opening a job tries.
export P11PROF_TEST_DELAY_LOG="$CALL_LOG"
check "a log" bends 0 --test "$MODERN" --verify none --iterations 25
unset P11PROF_TEST_DELAY_LOG
check "C_EncryptMessage" logs_more 9 C_EncryptMessage 74
check "C_DecryptMessage" logs_more 9 C_DecryptMessage 79
check "C_SignMessage" logs_more 4 C_SignMessage 84
check "C_VerifyMessage" logs_more 6 C_VerifyMessage 89
check "C_EncapsulateKey" logs_more 9 C_EncapsulateKey 93
check "C_DecapsulateKey" logs_more 9 C_DecapsulateKey 94
check "and they are many" is 1 "SELECT count(*) >= 75 FROM calls WHERE run_id = LAST
  AND function = 'C_DecapsulateKey'"
check "histograms" bends 0 --test "$MODERN" --record summary --iterations 10 --warmup 0
check "have as many" is 700 "SELECT sum(count) FROM operation_stats WHERE run_id = LAST
  AND phase = 'measured'"
check "of the same mechanisms and keys" unlike operation_stats
check "nothing recorded" bends 0 --test "$MODERN" --record off --iterations 10
check "processes" bends 0 --test 'ml-kem-768-*,aes-256-gcm-message-*' --processes 2 --threads 2 \
  --iterations 20
check "all of them" is 80 "SELECT min(n) FROM (SELECT count(*) AS n FROM operations WHERE
  run_id = LAST AND phase = 'measured' GROUP BY load)"
check "a mix" bends 0 --mix ml-dsa-65-sign:2,aes-256-gcm-message-encrypt:2,ml-kem-768-decapsulate:1 \
  --verify all --threads 2 --iterations 100
check "clean after all of that" token_is_clean

# names REPORT: it has the words of 3.x.
names() {
  for word in CKM_ML_DSA CKM_ML_KEM CKM_SLH_DSA CKK_ML_KEM encapsulate message-encrypt; do
    grep -qF -e "$word" "$1" || { echo "no $word in $1" && return 1; }
  done
}
bends 0 --test "$MODERN" --iterations 5 --format json
check "JSON of bench" names "$WORK/out"
for format in json csv html; do
  "$P11PROF" export last --db "$DB" --format "$format" >"$WORK/export" 2>/dev/null
  check "$format of export" names "$WORK/export"
done
"$P11PROF" export last --db "$DB" --format prometheus >"$WORK/export"
check "metrics" grep -q 'key_type="CKK_ML_KEM",key_bits="768"' "$WORK/export"

# Wrong results: every fiftieth. An iteration has one, checks have up to four more.
while read -r test least most; do
  RULES=wrong=50
  check "wrong results of $test" bends 3 --test "$test" --verify all --iterations 100 --warmup 0
  check "are found" is 1 "SELECT sum(wrong_count) BETWEEN $least AND $most FROM load_threads
    WHERE run_id = LAST"
  check "and leave nothing" token_is_clean
done <<END
aes-256-gcm-message-encrypt 4 4
aes-128-gcm-message-decrypt 2 2
ecdsa-p256-message-sign 2 2
ml-dsa-65-message-sign 2 2
ml-dsa-44-sign 2 2
slh-dsa-shake-256f-sign 2 2
ml-dsa-87-keygen 4 4
slh-dsa-sha2-128s-keygen 4 4
ml-kem-512-encapsulate 2 10
ml-kem-768-decapsulate 2 6
ml-kem-1024-keygen 2 10
END
RULES=accepts
ANY="ml-dsa-65-*verify*,slh-dsa-sha2-192f-verify,ml-kem-768-decapsulate,*-message-decrypt"
ANY="$ANY,aes-128-?cm-decrypt,aes-256-gcm-decrypt-multipart,aes-256-kw*-unwrap,sha-256"
check "a token that accepts everything" bends 3 --iterations 5 --test "$ANY"
check "is told" is "changed ciphertexts 1,changed keys 2,changed tags 6,wrong signatures 4" "SELECT
  group_concat(what || ' ' || n) FROM (SELECT substr(reason, instr(reason, 'accepts ') + 8) AS what,
  count(*) AS n FROM skipped WHERE run_id = LAST GROUP BY what ORDER BY what)"
RULES=errors=10
check "errors" bends 3 --test ml-dsa-65-message-sign,ml-dsa-65-sign --iterations 100 --warmup 0
check "are counted" is "20,0" "SELECT sum(error_count) || ',' || sum(wrong_count) FROM load_threads
  WHERE run_id = LAST"
check "and their sessions closed" token_is_clean
RULES=strict
check "a token that wants it its way" bends 0 --test '*-message-*,ml-kem-*' --verify all --iterations 10
check "gets it" is "0,0" "SELECT count(*), (SELECT sum(error_count) FROM load_threads
  WHERE run_id = LAST) FROM skipped WHERE run_id = LAST"

# has INTERFACE REASONS: how many tests are skipped for want of what.
has() {
  RULES=interface=$1
  bends 0 --test "$MODERN,sha-256" --iterations 2 || return 1
  is "$2" "SELECT coalesce(group_concat(n || ' ' || reason, '; '), '') FROM (SELECT reason, count(*)
    AS n FROM skipped WHERE run_id = LAST GROUP BY reason ORDER BY reason)"
}
NO_3_0="the module has no PKCS#11 3.0 interface"
NO_3_2="the module has no PKCS#11 3.2 interface"
NO_HASH="6 the token has no CKM_HASH_ML_DSA_SHA512"
NO_KEYS="3 the token has no CKM_ML_DSA_KEY_PAIR_GEN; 3 the token has no CKM_ML_KEM_KEY_PAIR_GEN; \
24 the token has no CKM_SLH_DSA; 12 the token has no CKM_SLH_DSA_KEY_PAIR_GEN"
check "3.2" has 302 ""
check "3.0 only" has 300 "6 $NO_3_2; $NO_HASH; 8 the token has no CKM_ML_DSA; $NO_KEYS"
check "does messages" is 8 "SELECT count(*) FROM loads WHERE run_id = LAST AND test LIKE '%message%'"
check "2.40 only" has 240 "10 $NO_3_0; 6 $NO_3_2; $NO_HASH; 6 the token has no CKM_ML_DSA; $NO_KEYS"
for lie in null fails older short; do
  check "interface $lie" has "$lie" "10 $NO_3_0; 6 $NO_3_2"
done
RULES=interface=short
check "as far as it goes" bends 0 --record off --test '*-message-*,ml-kem-768-encapsulate' --iterations 2
RULES=interface=empty
export RULES
check "functions that are missing" bends 0 --test "$MODERN,sha-256" --iterations 2
check "are said to be" is 16 "SELECT count(*) FROM skipped WHERE run_id = LAST
  AND reason LIKE 'C_%CKR_FUNCTION_NOT_SUPPORTED'"

# SoftHSM has nothing of it.
"$P11PROF" bench --db "$DB" --quiet --test "$MODERN,sha-256" --iterations 2 >"$WORK/out" 2>"$WORK/notes"
check "SoftHSM" [ $? -eq 0 ]
check "is asked for no interface" is 0 "SELECT count(*) FROM calls WHERE run_id = LAST
  AND function LIKE 'C_GetInterface%'"
check "skips them all" is "10,6,54" "SELECT sum(reason = '$NO_3_0') || ',' ||
  sum(reason = '$NO_3_2') || ',' || sum(reason LIKE 'the token has no CKM%') FROM skipped
  WHERE run_id = LAST"

finish
