#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# TLS handshakes of openssl s_server, whose engine loads the shim. Environment: P11PROF, SHIM.

. "$(dirname "$0")/configured.sh"
need openssl
openssl engine pkcs11 >/dev/null 2>&1 || {
  echo "skipped: the engine pkcs11 is missing"
  exit 77
}
HANDSHAKES=7
make_token
make_key 01 first rsa:2048
make_shim server
openssl_config "$SOFTHSM" 0 >"$WORK/plain.cnf"
openssl_config "$MODULE" 0 >"$WORK/shim.cnf"
echo 'plaintext-never-recorded' >"$WORK/data"

OPENSSL_CONF=$WORK/plain.cnf openssl req -new -x509 -engine pkcs11 -keyform engine \
  -key 'pkcs11:token=test;object=first' -subj /CN=localhost -out "$WORK/certificate" 2>/dev/null

# sign CONFIGURATION FILE
sign() {
  OPENSSL_CONF=$1 openssl dgst -engine pkcs11 -keyform engine -sha256 \
    -sign 'pkcs11:token=test;object=first;type=private' -out "$2" "$WORK/data" 2>/dev/null
}
sign "$WORK/plain.cnf" "$WORK/plain"
check "openssl dgst signs" sign "$WORK/shim.cnf" "$WORK/recorded"
check "... the same" cmp -s "$WORK/plain" "$WORK/recorded"
check "... and is recorded" [ "$(recorded server C_Sign)" = 1 ]

: >"$WORK/server"
# Ends itself after so many connections.
OPENSSL_CONF=$WORK/shim.cnf openssl s_server -engine pkcs11 -keyform engine \
  -key 'pkcs11:token=test;object=first' -cert "$WORK/certificate" -accept 127.0.0.1:0 -rev \
  -naccept $HANDSHAKES </dev/null >"$WORK/server" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$WORK" "$P11PROF_SPOOL"' EXIT
tries=0
until port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$WORK/server") && [ -n "$port" ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || break
  sleep 0.1
done
check "openssl s_server starts" [ -n "$port" ]
[ -n "$port" ] || {
  cat "$WORK/server"
  finish
}
done=0
while [ $done -lt $HANDSHAKES ]; do
  openssl s_client -connect "127.0.0.1:$port" -CAfile "$WORK/certificate" -verify_return_error \
    </dev/null >"$WORK/client" 2>&1 || break
  done=$((done + 1))
done
check "all handshakes are done" [ $done = $HANDSHAKES ]
[ $done = $HANDSHAKES ] || kill $server
wait $server
check "the server ends well" [ $? -eq 0 ]
check "each handshake signed once" [ "$(query "SELECT sum(count) FROM operation_stats
  WHERE operation = 'sign' AND run_id = (SELECT max(run_id) FROM runs)")" = $HANDSHAKES ]
check "nothing is lost" [ "$(newest lost_count)" = 0 ]
check "no secret is recorded" keeps_secrets "$PIN" plaintext-never-recorded

finish
