#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# nginx with the engine of libp11: it loads the module, becomes a daemon, and its workers, which
# belong to another user where we are root, sign. Environment: P11PROF.

. "$(dirname "$0")/../integration/shell_test.sh"
need nginx openssl /usr/bin/python3 softhsm2-util pkcs11-tool "$SOFTHSM"
openssl engine pkcs11 >/dev/null 2>&1 || {
  echo "skipped: the engine pkcs11 is missing"
  exit 77
}
HANDSHAKES=7
PORT=$(free_port)
# Workers of another user make their spools in a folder of their own.
rmdir "$P11PROF_SPOOL"
unset P11PROF_SPOOL
make_token
make_key 01 first rsa:2048
chmod -R a+rX "$WORK"
[ "$(id -u)" -ne 0 ] || chown -R www-data "$WORK/tokens"
openssl_config "$SOFTHSM" 1 >"$WORK/openssl.cnf"
export OPENSSL_CONF="$WORK/openssl.cnf"
openssl req -new -x509 -engine pkcs11 -keyform engine -key 'pkcs11:token=test;object=first' \
  -subj /CN=localhost -out "$WORK/certificate" 2>/dev/null
cat >"$WORK/nginx.conf" <<END
daemon on;
worker_processes 1;
pid $WORK/nginx.pid;
error_log $WORK/nginx.log;
env SOFTHSM2_CONF;
env OPENSSL_CONF;
events {}
http {
  access_log off;
  client_body_temp_path $WORK/body;
  proxy_temp_path $WORK/proxy;
  fastcgi_temp_path $WORK/fastcgi;
  uwsgi_temp_path $WORK/uwsgi;
  scgi_temp_path $WORK/scgi;
  server {
    listen 127.0.0.1:$PORT ssl;
    ssl_certificate $WORK/certificate;
    ssl_certificate_key "engine:pkcs11:pkcs11:token=test;object=first";
    ssl_session_tickets off;
  }
}
END

record --name nginx --module "$SOFTHSM" -- nginx -p "$WORK" -c "$WORK/nginx.conf" &
recorder=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
  [ -s "$WORK/nginx.pid" ] && break
  sleep 0.3
done
check "nginx has started" [ -s "$WORK/nginx.pid" ]
[ -s "$WORK/nginx.pid" ] || {
  cat "$WORK/nginx.log" "$WORK/notes"
  finish
}
i=0
while [ $i -lt $HANDSHAKES ]; do
  OPENSSL_CONF=/dev/null openssl s_client -connect "127.0.0.1:$PORT" </dev/null >>"$WORK/client" 2>&1
  i=$((i + 1))
done
check "all handshakes are done" [ "$(grep -c '^New, TLSv1' "$WORK/client")" = $HANDSHAKES ]
check "record waits for the daemon" kill -0 $recorder
kill -QUIT "$(cat "$WORK/nginx.pid")"
wait $recorder
check "record ends with it" [ $? -eq 0 ]
check "each handshake signed once" [ "$(query "SELECT sum(count) FROM operation_stats
  WHERE operation = 'sign' AND mechanism != '' AND run_id = (SELECT max(run_id) FROM runs)")" = \
  $HANDSHAKES ]
check "in a worker, which an nginx forked" [ "$(query "SELECT count(*) FROM processes
  WHERE parent_process_id IS NOT NULL AND run_id = (SELECT max(run_id) FROM runs)")" -ge 1 ]
check "whose calls tell the key that its parent found" [ "$(query "SELECT count(*) FROM calls
  JOIN processes USING (run_id, process_id) WHERE function IN ('C_SignInit', 'C_Sign')
  AND key_type = 'CKK_RSA' AND key_bits = 2048 AND parent_process_id IS NOT NULL
  AND run_id = (SELECT max(run_id) FROM runs)")" = $((2 * HANDSHAKES)) ]
check "nothing is lost" [ "$(newest lost_count)" = 0 ]
check "no secret is recorded" keeps_secrets "$PIN"

finish
