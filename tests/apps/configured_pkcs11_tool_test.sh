#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# pkcs11-tool and p11tool with the shim as their module. Environment: P11PROF, SHIM.

. "$(dirname "$0")/configured.sh"
need p11tool openssl
make_token
make_key 01 first rsa:2048
make_key 02 second EC:prime256v1
make_shim tools
echo 'plaintext-never-recorded' >"$WORK/data"
openssl dgst -sha256 -binary -out "$WORK/hash" "$WORK/data"

# tool ARGUMENT...: pkcs11-tool through the shim; its output is kept.
tool() {
  pkcs11-tool --module "$MODULE" --login --pin "$PIN" "$@" >"$WORK/out" 2>>"$WORK/notes"
}

# same ARGUMENT...: the shim changes neither output nor end.
same() {
  pkcs11-tool --module "$SOFTHSM" "$@" >"$WORK/plain" 2>&1
  plain=$?
  pkcs11-tool --module "$MODULE" "$@" >"$WORK/recorded" 2>&1
  check "$1 ends as without us" [ $? -eq $plain ]
  check "$1 prints the same" cmp -s "$WORK/plain" "$WORK/recorded"
}

same -L
same -M
same -O
same --show-info
same --test --login --pin "$PIN"
same -O --login --pin wrong-pin-never-recorded

# The .conf beside a copy is found by whatever path the copy is loaded.
(cd "$WORK" && pkcs11-tool --module ./tools.so -L) >"$WORK/recorded" 2>&1
check "a relative path works" [ $? -eq 0 ]
pkcs11-tool --module "$SOFTHSM" -L >"$WORK/plain" 2>&1
check "... and prints the same" cmp -s "$WORK/plain" "$WORK/recorded"

tool --keypairgen --id 03 --label third --key-type rsa:2048
check "a key is made" [ $? -eq 0 ]
check "... and recorded" [ "$(recorded tools C_GenerateKeyPair)" = 1 ]

check "it signs" tool --sign --id 01 --mechanism SHA256-RSA-PKCS -i "$WORK/data" -o "$WORK/signature"
check "it verifies" tool --verify --id 01 --mechanism SHA256-RSA-PKCS -i "$WORK/data" \
  --signature-file "$WORK/signature"
check "... what is right" grep -q 'Signature is valid' "$WORK/out"
tool --verify --id 01 --mechanism SHA256-RSA-PKCS -i "$WORK/hash" \
  --signature-file "$WORK/signature"
check "... and what is wrong" grep -q 'Invalid signature' "$WORK/out"
check "it signs with EC" tool --sign --id 02 --mechanism ECDSA -i "$WORK/hash" -o "$WORK/signature"
check "the curve is recorded" [ "$(query "SELECT key_type, key_bits FROM operations
  WHERE mechanism = 'CKM_ECDSA' AND operation = 'sign'")" = CKK_EC,256 ]

tool --read-object --type pubkey --id 01 -o "$WORK/key"
openssl pkeyutl -encrypt -pubin -keyform DER -inkey "$WORK/key" -in "$WORK/hash" -out "$WORK/secret"
check "it decrypts" tool --decrypt --id 01 --mechanism RSA-PKCS -i "$WORK/secret" -o "$WORK/plain"
check "... to the same" cmp -s "$WORK/hash" "$WORK/plain"
check "a decryption's result is undisclosed" [ "$(query "SELECT DISTINCT rv, out_bytes FROM calls
  WHERE function = 'C_Decrypt' AND mechanism = 'CKM_RSA_PKCS' AND kind = 'call'
    AND run_id = (SELECT max(run_id) FROM runs)")" = undisclosed, ]

IV=000102030405060708090a0b0c0d0e0f
check "it makes an AES key" tool --keygen --id 04 --label fourth --key-type AES:32
check "it encrypts with AES" tool --encrypt --id 04 --mechanism AES-CBC-PAD --iv $IV \
  -i "$WORK/data" -o "$WORK/secret"
check "it decrypts with AES" tool --decrypt --id 04 --mechanism AES-CBC-PAD --iv $IV \
  -i "$WORK/secret" -o "$WORK/plain"
check "... to the same" cmp -s "$WORK/data" "$WORK/plain"
check "the key's type is recorded" [ "$(query "SELECT DISTINCT key_type FROM operations
  WHERE mechanism = 'CKM_AES_CBC_PAD' AND operation = 'encrypt'")" = CKK_AES ]

export GNUTLS_PIN="$PIN"
p11tool --provider "$SOFTHSM" --login --list-all 'pkcs11:token=test' >"$WORK/plain" 2>/dev/null
p11tool --provider "$MODULE" --login --list-all 'pkcs11:token=test' >"$WORK/recorded" 2>/dev/null
check "p11tool ends well" [ $? -eq 0 ]
check "p11tool prints the same" cmp -s "$WORK/plain" "$WORK/recorded"
check "it lists the keys" [ "$(grep -c 'Label: ' "$WORK/recorded")" -ge 3 ]
check "p11tool is recorded" [ "$(query "SELECT count(*) FROM runs WHERE program = 'p11tool'")" = 1 ]

check "every run has calls, and lost none" [ "$(query "SELECT count(*) FROM runs
  WHERE call_count = 0 OR lost_count > 0")" = 0 ]
check "who asked for its token has it" [ "$(query "SELECT DISTINCT token_label FROM runs
  WHERE token_label IS NOT NULL")" = test ]
check "no secret is recorded" keeps_secrets "$PIN" wrong-pin-never-recorded plaintext-never-recorded

finish
