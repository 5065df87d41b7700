#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# tpm2-pkcs11 on a TPM in software: a token, a key and a signature through the shim, which are what
# they are without it. Environment: P11PROF.

. "$(dirname "$0")/../integration/shell_test.sh"
TPM_MODULE=$(find /usr/lib /usr/lib64 -name 'libtpm2_pkcs11.so*' 2>/dev/null | head -n 1)
need pkcs11-tool swtpm "${TPM_MODULE:-libtpm2_pkcs11.so}" /usr/bin/python3 openssl

# start: the TPM, whose control is always at the next port; somebody else may take them meanwhile.
start() {
  port=$(free_port)
  TPM2_PKCS11_TCTI="swtpm:host=127.0.0.1,port=$port"
  export TPM2_PKCS11_TCTI
  swtpm socket --tpm2 --tpmstate "dir=$WORK/state" --flags not-need-init,startup-clear \
    --server "type=tcp,port=$port,bindaddr=127.0.0.1" \
    --ctrl "type=tcp,port=$((port + 1)),bindaddr=127.0.0.1" >"$WORK/swtpm.log" 2>&1 &
  tpm=$!
  within 10 grep -qi ":$(printf %04X "$port") 00000000:0000 0A" /proc/net/tcp && kill -0 $tpm
}

mkdir -m 700 "$WORK/state" "$WORK/store"
export TPM2_PKCS11_STORE="$WORK/store"
export TPM2_PKCS11_LOG_LEVEL=0
in_3 start || {
  cat "$WORK/swtpm.log"
  echo "skipped: the TPM in software does not start"
  exit 77
}
trap 'kill $tpm; wait $tpm 2>/dev/null; rm -rf "$WORK" "$P11PROF_SPOOL"' EXIT

tool() {
  pkcs11-tool --module "$TPM_MODULE" "$@" 2>"$WORK/said"
}

# recorded_tool ARGUMENT...: the same through the shim.
recorded_tool() {
  record --module "$TPM_MODULE" -- pkcs11-tool --module "$TPM_MODULE" "$@"
}

tool -L >"$WORK/plain"
recorded_tool -L >"$WORK/recorded"
check "an empty TPM is there" grep -q "Slot 0" "$WORK/plain"
check "... and shows the same" cmp "$WORK/plain" "$WORK/recorded"
recorded_tool --slot-index 0 --init-token --label test --so-pin "so-$PIN" >/dev/null
check "a token is made" [ $? -eq 0 ]
recorded_tool --token-label test --init-pin --so-pin "so-$PIN" --pin "$PIN" >/dev/null
check "... and its PIN" [ $? -eq 0 ]
recorded_tool --token-label test --login --pin "$PIN" --keypairgen --key-type EC:prime256v1 \
  --label label-never-recorded --id 01 >/dev/null
check "a key is made" [ $? -eq 0 ]
check "... and in the database" [ "$(query "SELECT rv FROM calls
  WHERE function = 'C_GenerateKeyPair'")" = CKR_OK ]

echo 'plaintext-never-recorded' >"$WORK/data"
recorded_tool --token-label test --login --pin "$PIN" --sign --mechanism ECDSA-SHA256 --id 01 \
  --signature-format openssl -i "$WORK/data" -o "$WORK/signature" >/dev/null
check "it signs" [ $? -eq 0 ]
tool --token-label test --read-object --type pubkey --id 01 -o "$WORK/key"
check "the signature is good" openssl dgst -sha256 -verify "$WORK/key" -keyform DER \
  -signature "$WORK/signature" -out "$WORK/verified" "$WORK/data"
check "... and in the database, with its key" [ "$(query "SELECT operation, mechanism, key_type,
  key_bits FROM operations WHERE operation = 'sign'")" = sign,CKM_ECDSA_SHA256,CKK_EC,256 ]
check "nothing is lost" [ "$(query 'SELECT sum(lost_count) FROM runs')" = 0 ]

tool --token-label test --login --pin "$PIN" -O >"$WORK/plain"
recorded_tool --token-label test --login --pin "$PIN" -O >"$WORK/recorded"
check "the objects are the same" cmp "$WORK/plain" "$WORK/recorded"
check "no secret is recorded" keeps_secrets "$PIN" label-never-recorded plaintext-never-recorded

finish
