#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench: options that make no sense are refused before a token is touched.
# Environment: P11PROF, TOKEN (the fake token), NULL_MODULE.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need setsid

# refuses OPTION VALUE: as wrong usage, named, with nothing on stdout and no login.
# shellcheck disable=SC2317
refuses() {
  bends 2 --test sha-256 --iterations 10 "--$1" "$2" && says "$1" && says "'$2'" &&
    [ ! -s "$WORK/out" ] && logged 0 login
}

for wrong in threads:0 threads:1,x threads:257 threads: threads:-1 threads:1,,2 threads:1.5 \
  threads:99999999999999999999 processes:0 processes:65 processes:x iterations:0 iterations:-1 \
  iterations:abc iterations:1e3 iterations:99999999999999999999 duration:0 duration:-1 \
  duration:abc duration: duration:1x duration:inf duration:nan duration:0x10 duration:1e99 \
  data-sizes:0 data-sizes:1KB,0 data-sizes:x data-sizes:-1 data-sizes:2GB warmup:x warmup:-1 \
  cooldown:1y slices:0 slices:10001 slices:x repeat:0 repeat:x seed:x seed:-1 verify:some \
  record:rows format:xml slot:x slot:-1 slot-index:x test: key: vs: module:; do
  check "--$wrong" refuses "${wrong%%:*}" "${wrong#*:}"
done
check "17 numbers" refuses threads 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
check "no time" refuses duration 60x
check "it is named" says "a time (60s, 5m)"
check "seconds without their unit" bends 0 --test sha-256 --duration 1 --slices 3
check "are seconds" is 1000000000 "SELECT json_extract(options, '$.measured.duration_ns') FROM runs
  WHERE run_id = LAST"
check "the same number twice" bends 0 --test sha-256 --iterations 10 --threads 2,2
check "is one row" is 1 "SELECT count(*) FROM loads WHERE run_id = LAST"
check "no such test" bends 2 --test sha-265
check "the nearest is named" says "sha-256"
check "no such test among others" bends 2 --test sha-256,rsa-2048-sing
check "its nearest, too" says "rsa-2048-sign"
check "a glob that fits nothing" bends 2 --test 'dsa-*'
check "no test at all" bends 2 --test ,
check "is told" says "names no test"
check "no login for that" logged 0 login
check "no such option" bends 2 --treads 3
"$P11PROF" bench --module "$WORK/none.so" >"$WORK/out" 2>"$WORK/notes"
check "a module that is not there" [ $? -eq 2 ]
check "is named" says "$WORK/none.so"
"$P11PROF" bench --module "$0" >"$WORK/out" 2>"$WORK/notes"
check "a module that is none" [ $? -eq 2 ]
check "no such token" not "$P11PROF" bench --module "$TOKEN" --token-label fakes --quick \
  --pin-source env:FAKE_PIN >"$WORK/out" 2>"$WORK/notes"
check "what is there is named" says '"fake"'
check "two PINs" bends 2 --test sha-256 --pin 1234
check "no key" bends 2 --key nobody
check "of that name" says nobody
check "two names of a key" bends 2 --key a --key-uri 'pkcs11:object=b'
check "both are named" says "--key and --key-uri"
check "or of that of the other side" bends 2 --vs same --vs-key a --vs-key-uri 'pkcs11:object=b'
check "both are named, too" says "--vs-key and --vs-key-uri"
check "an objective that has no limit" bends 2 --slo p99
check "has an example" says "such as p99=20ms"
check "no login for these" logged 0 login
printf '[[tests]]\nname = "a"\noperations = []\n' >"$WORK/none.toml"
check "a suite of nothing" bends 2 --suite "$WORK/none.toml"
check "has its place" says "none.toml:3:14: operations is empty"
: >"$WORK/none.toml"
check "a suite without a test" bends 2 --suite "$WORK/none.toml"
check "has its place, too" says "none.toml:1:1: tests is missing"
check "nothing was recorded of these" is sha-256 "SELECT group_concat(DISTINCT test) FROM loads"

# Nobody to ask.
alone() {
  rm -f "$LOG"
  setsid -w "$P11PROF" bench --module "$TOKEN" --token-label fake --db "$DB" --quiet \
    --iterations 10 "$@" </dev/null >"$WORK/out" 2>"$WORK/notes"
}
check "public tests need no PIN" alone --test sha-256
check "and no login" logged 0 login
alone --test sha-256 --pin-source prompt
check "a prompt without a terminal" [ $? -eq 2 ]
check "is told" says "terminal"
alone --test sha-256 --pin-source env:NOT_SET
check "a variable that is not set" [ $? -eq 2 ]
check "is named" says NOT_SET
alone --test sha-256 --pin-source "file:$WORK/none"
check "a file that is not there" [ $? -eq 2 ]
check "nobody was asked, nothing tried" logged 0 login
printf '1234\n' >"$WORK/pin"
chmod 600 "$WORK/pin"
check "a file" alone --test rsa-2048-sign --pin-source "file:$WORK/pin"
check "a descriptor" alone --test rsa-2048-sign --pin-source fd:3 3<"$WORK/pin"
check "one login" logged 1 login

# What is only looked at.
check "list of tests" bends 0 --list-tests
check "has them all" [ "$(grep -c . "$WORK/out")" -gt 60 ]
runs=$(query "SELECT count(*) FROM runs")
check "dry run" bends 0 --dry-run --test rsa-2048-sign --duration 1h
check "records nothing" is "$runs" "SELECT count(*) FROM runs"
check "and leaves nothing" token_is_clean

finish
