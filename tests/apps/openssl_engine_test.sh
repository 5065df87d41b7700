#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# OpenSSL with the engine of libp11 signs with a key in SoftHSM. Environment: P11PROF.

. "$(dirname "$0")/../integration/shell_test.sh"
need openssl softhsm2-util pkcs11-tool "$SOFTHSM"
openssl engine pkcs11 >/dev/null 2>&1 || {
  echo "skipped: the engine pkcs11 is missing"
  exit 77
}
make_token
make_key 01 first rsa:2048
echo 'plaintext-never-recorded' >"$WORK/data"
openssl_config "$SOFTHSM" 0 >"$WORK/openssl.cnf"
export OPENSSL_CONF="$WORK/openssl.cnf"

record --module "$SOFTHSM" -- openssl dgst -engine pkcs11 -keyform engine -sha256 \
  -sign "pkcs11:token=test;object=first;type=private;pin-value=$PIN" -out "$WORK/signature" \
  "$WORK/data" >/dev/null
check "openssl signs" [ $? -eq 0 ]
check "one C_Sign is recorded" [ "$(counts C_Sign)" = 1 ]
check "the engine calls" called_from C_Sign pkcs11.so
check "its stacks add up" folds
pkcs11-tool --module "$SOFTHSM" --read-object --type pubkey --id 01 -o "$WORK/key" >/dev/null 2>&1
check "the signature is good" openssl pkeyutl -verify -pubin -keyform DER -inkey "$WORK/key" \
  -rawin -digest sha256 -in "$WORK/data" -sigfile "$WORK/signature"
check "no secret is recorded" keeps_secrets "$PIN" plaintext-never-recorded

finish
