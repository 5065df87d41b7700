#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# bench --suite-from of real applications: each call of theirs is in the file, and nothing of their
# token. Environment: P11PROF, ROOT.

. "$(dirname "$0")/../integration/shell_test.sh"
need p11tool pkcs11-tool softhsm2-util "$SOFTHSM"
/usr/bin/python3 -c 'import tomllib' 2>/dev/null || {
  echo "skipped: Python's tomllib is missing"
  exit 77
}
make_token
make_key 01 secret-label rsa:2048
make_key 02 other-label EC:prime256v1

# suite_from RUN: into $WORK/suite.toml, what it says into $WORK/said.
suite_from() {
  "$P11PROF" bench --db "$DB" --suite-from "$1" --output "$WORK/suite.toml" 2>"$WORK/said"
}

# same_counts: the file has the calls of the newest run, function by function.
same_counts() {
  query "SELECT function, CAST(sum(count) AS INTEGER) FROM function_stats
    WHERE run_id = (SELECT max(run_id) FROM runs) GROUP BY function ORDER BY function" \
    >"$WORK/recorded"
  /usr/bin/python3 "$ROOT/tests/apps/like_count.py" "$WORK/suite.toml" | LC_ALL=C sort >"$WORK/file"
  LC_ALL=C sort "$WORK/recorded" | diff - "$WORK/file"
}

# lines: of calls and repeats in the file.
lines() {
  grep -c '^ *{ \(repeat\|call\) = ' "$WORK/suite.toml"
}

record --name tool --module "$SOFTHSM" -- \
  pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --test >/dev/null 2>&1
check "pkcs11-tool becomes a suite" suite_from last
check "… with each of its calls" same_counts
check "… and says so" grep -q 'calls of 1 thread in 1 process' "$WORK/said"
check "it signs with a private key of its type and size" grep -q \
  'class = "CKO_PRIVATE_KEY", key_type = "CKK_RSA", key_bits = 2048.*"sign"' "$WORK/suite.toml"
check "the login is the user's" grep -q 'C_Login.*user = "CKU_USER"' "$WORK/suite.toml"

record --module "$SOFTHSM" -- p11tool --provider "$SOFTHSM" --login --set-pin "$PIN" --list-all \
  pkcs11:token=test >/dev/null 2>&1
check "p11tool becomes a suite" suite_from last
check "… with each of its calls" same_counts

# shellcheck disable=SC2016
record --module "$SOFTHSM" -- sh -c 'for i in 1 2 3; do pkcs11-tool --module "$0" --login \
  --pin "$1" --sign --mechanism SHA256-RSA-PKCS --id 01 --input-file "$0" --output-file /dev/null
  done' "$SOFTHSM" "$PIN" >/dev/null 2>&1
check "three processes become a suite" suite_from last
check "… with each of their calls" same_counts
check "… and three processes" [ "$(grep -c '^\[\[processes\]\]' "$WORK/suite.toml")" = 3 ]
check "… that use one key" [ "$(grep -c 'number = .*"sign"' "$WORK/suite.toml")" = 1 ]

# A bench is a recorded run as well; two thousand operations are few lines.
PIN="$PIN" "$P11PROF" bench --db "$DB" --module "$SOFTHSM" --token-label test \
  --pin-source env:PIN --quiet --test ecdsa-p256-sign --iterations 500 --threads 4 --slices 1 \
  >/dev/null 2>&1
check "a bench becomes a suite" suite_from last
check "… with each of its calls" same_counts
check "… of few lines" [ "$(lines)" -lt 300 ]
check "… whose key is made" grep -q 'C_GenerateKeyPair.*made = \[' "$WORK/suite.toml"

# A run by its name, to stdout, with --quiet.
"$P11PROF" bench --db "$DB" --suite-from tool --quiet >"$WORK/stdout" 2>"$WORK/said"
check "a run has a name" grep -q '^name = "run [0-9]* (pkcs11-tool)"' "$WORK/stdout"
check "--quiet says nothing" [ ! -s "$WORK/said" ]
cat "$WORK/suite.toml" "$WORK/stdout" >"$WORK/all"
check "nothing of the token is in it" not grep -qi \
  -e "$PIN" -e secret-label -e other-label -e "$WORK" -e "$SOFTHSM" "$WORK/all"

# What is no such run.
refused() {
  "$P11PROF" bench --db "$DB" "$@" >"$WORK/stdout" 2>"$WORK/said"
  [ $? -eq 2 ]
}
record --name sums --module "$SOFTHSM" -- true
check "a run without calls" refused --suite-from sums
check "a run that is not there" refused --suite-from 999
check "a name nearby" refused --suite-from toll
check "… is named" grep -q "did you mean 'tool'" "$WORK/said"
check "a token is none of it" refused --suite-from tool --module "$SOFTHSM"
check "a file that cannot be made" not \
  "$P11PROF" bench --db "$DB" --suite-from tool --output "$WORK/no/folder" 2>/dev/null

finish
