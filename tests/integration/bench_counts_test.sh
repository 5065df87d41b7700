#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench: how many operations are done, and that all that is wrong is counted as such.
# Environment: P11PROF, TOKEN (the fake token).

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"

# Numbers. Each of 4 threads does 250.
SIGN="--test rsa-2048-sign"
# shellcheck disable=SC2086
{
  check "threads" bends 0 $SIGN --threads 4 --iterations 250
  check "4 x 250" operations measured 1000
  check "each does as many" is "250,250,250,250" \
    "SELECT group_concat(count) FROM load_threads WHERE run_id = LAST"
  check "each is another thread" is 4 "SELECT count(DISTINCT thread_id) FROM operations
    WHERE run_id = LAST AND phase = 'measured'"
  check "histograms count the same" is 1000 "SELECT sum(count) FROM operation_stats
    WHERE run_id = LAST AND phase = 'measured'"
  check "windows count the same" is 1000 "SELECT sum(count) FROM windows WHERE run_id = LAST
    AND operation = 'sign' AND phase = 'measured'"
  check "nothing is lost" is 0 "SELECT lost_count FROM runs WHERE run_id = LAST"
  check "one login" logged 1 login
  check "clean" token_is_clean

  check "primes" bends 0 $SIGN --threads 3 --iterations 101 --warmup 7 --cooldown 13 --slices 10
  check "3 x 101" operations measured 303
  check "3 x 7 to warm up" operations warmup 21
  check "3 x 13 to cool down" operations cooldown 39
  check "10 slices" is 10 "SELECT count(*) FROM windows WHERE run_id = LAST
    AND operation = 'sign' AND phase = 'measured'"
  check "slices are alike" is 1 "SELECT max(count) - min(count) <= 3 FROM windows
    WHERE run_id = LAST AND operation = 'sign' AND phase = 'measured'"
  check "results are of the measured part" is 303 "SELECT sum(count) FROM load_threads
    WHERE run_id = LAST"
  check "fewer slices" bends 0 $SIGN --iterations 25 --slices 30 --warmup 0
  check "than make sense" is 2 "SELECT count(*) FROM windows WHERE run_id = LAST
    AND operation = 'sign' AND phase = 'measured'"
  check "no warm-up" operations warmup 0
  check "one iteration" bends 0 $SIGN --iterations 1
  check "is one" operations measured 1

  check "processes" bends 0 $SIGN --processes 2 --threads 3 --iterations 50
  check "2 x 3 x 50" operations measured 300
  check "in two processes" is "150,150" "SELECT group_concat(n) FROM (SELECT count(*) AS n
    FROM operations WHERE run_id = LAST AND phase = 'measured' GROUP BY process_id)"
  check "a login each" logged 2 login
  check "both clean" token_is_clean
  check "lists" bends 0 $SIGN --processes 1,2 --threads 1,3 --iterations 20
  check "have a row each" is "1x1 1x3 2x1 2x3" "SELECT group_concat(processes || 'x' || threads, ' ')
    FROM loads WHERE run_id = LAST"
  check "with its count" is "20,60,40,120" "SELECT group_concat(n) FROM (SELECT count(*) AS n
    FROM operations WHERE run_id = LAST AND phase = 'measured' GROUP BY load)"
  check "sizes" bends 0 --test sha-256,rsa-2048-sign --data-sizes 16,1KB,1MB --iterations 10
  check "are of tests that have one" is "rsa-2048-sign 32 sha-256 16 sha-256 1024 sha-256 1048576" \
    "SELECT group_concat(test || ' ' || data_bytes, ' ') FROM
      (SELECT * FROM loads WHERE run_id = LAST ORDER BY load)"
  check "and are what is done" is "10,10,10" "SELECT group_concat(n) FROM (SELECT count(*) AS n
    FROM operations WHERE run_id = LAST AND phase = 'measured' AND operation = 'digest'
    GROUP BY in_bytes)"

  # Whichever comes first.
  check "time is first" bends 0 $SIGN --duration 300ms --iterations 100000000
  check "that time" is 1 "SELECT sum(duration_ns) >= 300e6 AND min(duration_ns) < 12e6 FROM windows
    WHERE run_id = LAST AND operation = 'sign' AND phase = 'measured'"
  check "the number is first" bends 0 $SIGN --duration 1h --iterations 60
  check "that number" operations measured 60
}

# The order of slices.
order() {
  bends 0 --test sha-256,random-32,aes-cmac --iterations 100 --seed "$1" >&2
  query "SELECT load FROM windows WHERE run_id = (SELECT max(run_id) FROM runs)
    AND operation IS NOT NULL AND phase = 'measured' ORDER BY start_ns" | tr '\n' ' '
}
first=$(order 7)
check "30 slices" [ "$(echo "$first" | wc -w)" = 30 ]
check "a seed gives an order" [ "$first" = "$(order 7)" ]
check "another seed another" [ "$first" != "$(order 8)" ]
check "repeat" bends 0 --test sha-256 --iterations 20 --repeat 3 --name thrice
check "three runs" is 3 "SELECT count(*) FROM runs WHERE name = 'thrice' AND state = 'finished'"

# Errors. Before the measured operations come 4 to try.
RULES=errors=100
check "errors end with 3" bends 3 --test rsa-2048-sign,sha-256 --iterations 1000 --warmup 0
check "each is counted" is "1000,10,990" "SELECT count, error_count, success_count
  FROM operation_stats WHERE run_id = LAST AND test = 'rsa-2048-sign' AND phase = 'measured'"
check "by thread" is 10 "SELECT sum(error_count) FROM load_threads AS t
  JOIN loads AS l USING (run_id, load) WHERE run_id = LAST AND test = 'rsa-2048-sign'"
check "by name" is 10 "SELECT sum(count) FROM errors WHERE run_id = LAST
  AND rv = 'CKR_DEVICE_ERROR'"
check "other tests are as ever" is "1000,0" "SELECT count, error_count FROM operation_stats
  WHERE run_id = LAST AND test = 'sha-256' AND phase = 'measured'"
check "the first one says why" \
  says "10 operations failed; the first of rsa-2048-sign with CKR_DEVICE_ERROR"
check "clean after errors" token_is_clean
RULES=errors=1
check "nothing but errors" bends 3 --test rsa-2048-sign,sha-256 --iterations 20
check "is skipped" is "rsa-2048-sign" "SELECT test FROM skipped WHERE run_id = LAST
  AND reason LIKE '%C_Sign%CKR_DEVICE_ERROR%'"
check "the others run" operations measured 20 sha-256

# Wrong results: 5 to try, one of them for a look at it first.
RULES=wrong=100
check "wrong results end with 3" bends 3 --test rsa-2048-sign --verify all --iterations 1000 \
  --warmup 0
check "each is found" is "1000,10,10" "SELECT count, error_count, wrong_count FROM load_threads
  WHERE run_id = LAST"
check "all were looked at" not says "--verify all"
check "clean after wrong results" token_is_clean
RULES=wrong-after=500
check "wrong results of a sample" bends 3 --test rsa-2048-sign --iterations 10000 --warmup 0
check "are no share of all" says "about one in a hundred is checked; --verify all shows how many"
RULES=wrong=100
check "none is looked for" bends 0 --test rsa-2048-sign --verify none --iterations 1000
check "none is found" is 0 "SELECT sum(wrong_count) FROM load_threads WHERE run_id = LAST"
RULES=wrong-after=50
check "a sample" bends 3 --test rsa-2048-sign --iterations 500 --slices 5 --warmup 0
check "finds a token that is always wrong" is 1 "SELECT sum(wrong_count) BETWEEN 9 AND 10
  FROM load_threads WHERE run_id = LAST"
for test in aes-256-gcm-encrypt sha-256 hmac-sha256 aes-cmac rsa-2048-encrypt sha-256-multipart; do
  RULES=wrong=50
  check "wrong results of $test" bends 3 --test "$test" --verify all --iterations 100 --warmup 0
  check "are found" is 2 "SELECT sum(wrong_count) FROM load_threads WHERE run_id = LAST"
done
RULES=wrong=1
export RULES
check "wrong at once" bends 3 --test rsa-2048-sign,random-32 --iterations 10
check "is told" is 1 "SELECT count(*) FROM skipped WHERE run_id = LAST AND reason LIKE '%wrong%'"

finish
