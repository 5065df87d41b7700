#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# pkcs11-tool with SoftHSM under `record`: same output, same files, and the same calls as
# pkcs11-spy counts. Environment: P11PROF.

. "$(dirname "$0")/../integration/shell_test.sh"
need pkcs11-tool softhsm2-util "$SOFTHSM"
SPY=$(find /usr/lib /usr/lib64 -name pkcs11-spy.so 2>/dev/null | head -n 1)
make_token
make_key 01 'label-never-recorded' rsa:2048
make_key 02 'other' EC:prime256v1
echo 'plaintext-never-recorded' >"$WORK/data"

# tool ARGUMENT...: with the real module.
tool() {
  pkcs11-tool --module "$SOFTHSM" "$@"
}

# spy_calls: "count,function" of the calls in its log, sorted.
spy_calls() {
  sed -n 's/^[0-9]*: \(C_[A-Za-z]*\).*/\1/p' "$WORK/spy" | grep -v '^C_GetInterface' | sort |
    uniq -c | awk '{ print $1 "," $2 }' | sort
}

own_calls() {
  query "SELECT sum(count), function FROM function_stats
    WHERE run_id = (SELECT max(run_id) FROM runs) AND function != 'C_GetFunctionList'
      AND function NOT LIKE 'C_GetInterface%' GROUP BY function" | sort
}

# same WHAT ARGUMENT...: output and calls of pkcs11-tool are those without us.
same() {
  what=$1
  shift
  tool "$@" >"$WORK/plain" 2>&1
  plain=$?
  record --module "$SOFTHSM" -- sh -c 'exec "$@" 2>&1' - pkcs11-tool --module "$SOFTHSM" "$@" \
    >"$WORK/recorded"
  check "$what ends as without us" [ $? -eq $plain ]
  check "$what prints the same" cmp -s "$WORK/plain" "$WORK/recorded"
  [ -n "$SPY" ] || return
  PKCS11SPY=$SOFTHSM PKCS11SPY_OUTPUT=$WORK/spy pkcs11-tool --module "$SPY" "$@" >/dev/null 2>&1
  check "$what makes the calls that pkcs11-spy counts" [ "$(spy_calls)" = "$(own_calls)" ]
  rm -f "$WORK/spy"
}

verify() {
  tool --verify --id 01 --mechanism SHA256-RSA-PKCS -i "$WORK/data" \
    --signature-file "$WORK/signature" >/dev/null 2>&1
}

same "-L" -L
same "-M" -M
same "-O with a login" --login --pin "$PIN" -O
same "a wrong PIN" --login --pin wrong-pin-never-recorded -O
same "--test" --login --pin "$PIN" --test
record --module "$SOFTHSM" -- pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --sign --id 01 \
  --mechanism SHA256-RSA-PKCS -i "$WORK/data" -o "$WORK/signature" >/dev/null
check "a signature is recorded with its key" [ "$(query "SELECT operation, mechanism, key_bits
  FROM operations WHERE operation = 'sign' AND run_id = (SELECT max(run_id) FROM runs)")" = \
  sign,CKM_SHA256_RSA_PKCS,2048 ]
check "the signature is good" verify
check "pkcs11-tool itself calls" called_from C_Sign pkcs11-tool
check "its stacks add up" folds
check "no secret is recorded" keeps_secrets "$PIN" wrong-pin-never-recorded \
  label-never-recorded plaintext-never-recorded

finish
