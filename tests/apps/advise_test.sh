#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# `advise` of real programs with a token of 20 keys in SoftHSM: those that list, search and ask too
# much are told so, each by its own; those that do not are not. Environment: P11PROF, APP.

. "$(dirname "$0")/../integration/shell_test.sh"
need softhsm2-util pkcs11-tool openssl p11tool ssh-keygen "$SOFTHSM" "${APP:?}" /usr/bin/python3
openssl engine pkcs11 >/dev/null 2>&1 || {
  echo "skipped: the engine pkcs11 is missing"
  exit 77
}
KEYS=20
COUNT=50
make_token
i=1
while [ $i -le $KEYS ]; do
  make_key "$(printf %02x $i)" "key $i" EC:prime256v1
  i=$((i + 1))
done
openssl_config "$SOFTHSM" 0 >"$WORK/openssl.cnf"
head -c 32 /dev/urandom >"$WORK/data"

# of NAME COMMAND...: records it; its output goes to $WORK/output, advice of any cost to
# $WORK/advice.json: what it costs is the machine's matter.
of() {
  name=$1
  shift
  record --name "$name" --module "$SOFTHSM" -- "$@" >"$WORK/output" 2>&1 || cat "$WORK/output"
  "$P11PROF" advise --db "$DB" "$name" --all --format json >"$WORK/advice.json"
}

# finding NAME [SUBJECT]: PYTHON says what is wanted of it: f["count"], …
finding() {
  /usr/bin/python3 -c 'import json, sys
wanted = [f for f in json.load(open(sys.argv[1]))["advice"][0]["findings"]
    if f["finding"] == sys.argv[2] and (not sys.argv[3] or f["subject"] == sys.argv[3])]
sys.exit(not (wanted and eval(sys.argv[4], {"f": wanted[0]})))' "$WORK/advice.json" "$@" ||
    { cat "$WORK/advice.json" && false; }
}

# nothing: there is no finding.
nothing() {
  grep -q '"findings":[[:space:]]*\[\]' "$WORK/advice.json" || { cat "$WORK/advice.json" && false; }
}

# --- programs ---

# It names one key, and reads all: the engine of Debian 12, libp11 0.4.12.
of engine env "OPENSSL_CONF=$WORK/openssl.cnf" openssl pkeyutl -sign -engine pkcs11 \
  -keyform engine -inkey "pkcs11:token=test;object=key%205;type=private;pin-value=$PIN" \
  -in "$WORK/data" -out "$WORK/signature"
check "OpenSSL's engine lists all keys" finding key-enumeration "" \
  "f['call_count'] > 5 * $KEYS and f['saving_ns'] < f['cost_ns']"
check "it is the engine that does" finding key-enumeration "" "f['caller'] == 'pkcs11.so'"
check "and it is told what the engine may do" finding key-enumeration "" "'libp11' in f['advice']"

of ssh-keygen ssh-keygen -D "$SOFTHSM"
check "ssh-keygen asks for lengths first" finding double-queries "lengths of attributes" \
  "f['count'] == $KEYS"
check "it lists what it is asked for" not grep -q key-enumeration "$WORK/advice.json"

GNUTLS_PIN=$PIN
export GNUTLS_PIN
of p11tool p11tool --login --list-all 'pkcs11:token=test'
check "p11tool searches again what it has listed" finding search-per-operation "" \
  "f['count'] >= 2 * $KEYS and f['caller'].startswith('libgnutls')"
check "it reads attributes one by one" finding double-queries "attributes one by one" \
  "f['count'] > 10 * $KEYS"

# --- the same work, done badly and well ---

of searching "$APP" "$SOFTHSM" "$PIN" searching "key 5" $COUNT
check "a search before each signature is found" finding search-per-operation "" \
  "f['count'] == $COUNT - 1 and f['share'] > 0.1"
of listing "$APP" "$SOFTHSM" "$PIN" listing "key 5" 1
check "a list of all keys for one is found" finding key-enumeration "" "f['count'] == 1"
of reading "$APP" "$SOFTHSM" "$PIN" reading "key 5" $COUNT
check "attributes that are read again are found" finding double-queries "attributes again" \
  "f['count'] == 6 * ($COUNT - 1)"
of found "$APP" "$SOFTHSM" "$PIN" found "key 5" $COUNT
check "one search for all signatures is healthy" nothing
of reading-at-once "$APP" "$SOFTHSM" "$PIN" reading-at-once "key 5" $COUNT
check "attributes that are read at once are healthy" nothing
of sign pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --sign --mechanism ECDSA --id 05 \
  --input-file "$WORK/data" --output-file "$WORK/signature"
check "pkcs11-tool signs as it should" nothing
check "no secret is recorded" keeps_secrets "$PIN"

finish
