#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# nginx as a service: a daemon with two workers, whose engine loads the shim; it is reloaded, which
# replaces the workers, and stopped gracefully. Its processes are one run; those that may not write the database are brought in by `collect`. Environment: P11PROF, SHIM.

# As root, with a /dev/shm of our own: the spools of other users' processes lie there.
if [ "$(id -u)" -eq 0 ] && [ -z "${P11PROF_TEST_PRIVATE:-}" ]; then
  # shellcheck disable=SC2016
  shm='mount -t tmpfs -o mode=1777 tmpfs /dev/shm'
  ! unshare -m sh -c "$shm" 2>/dev/null ||
    P11PROF_TEST_PRIVATE=1 exec unshare -m sh -c "$shm && exec sh \"\$0\"" "$0"
fi

. "$(dirname "$0")/configured.sh"
need nginx openssl /usr/bin/python3
openssl engine pkcs11 >/dev/null 2>&1 || {
  echo "skipped: the engine pkcs11 is missing"
  exit 77
}
HANDSHAKES=20
PORT=$(free_port)
NGINX=
stop() {
  [ -z "$NGINX" ] || kill "$NGINX" 2>/dev/null
  rm -rf "$WORK" "$SPOOL"
}
SPOOL=$P11PROF_SPOOL
trap stop EXIT
make_token
make_key 01 first rsa:2048
if [ -n "${P11PROF_TEST_PRIVATE:-}" ]; then
  # Each user has a spool folder of its own.
  unset P11PROF_SPOOL
  make_shim web
  chmod 755 "$WORK"
  chown -R www-data "$WORK/tokens"
  user="user www-data;"
else
  make_shim web "spool = $SPOOL"
  [ "$(id -u)" -ne 0 ] || user="user root;"
fi
openssl_config "$MODULE" 1 >"$WORK/openssl.cnf"
sed "s|^MODULE_PATH = .*|MODULE_PATH = $SOFTHSM|" "$WORK/openssl.cnf" >"$WORK/plain.cnf"
OPENSSL_CONF=$WORK/plain.cnf openssl req -new -x509 -engine pkcs11 -keyform engine \
  -key 'pkcs11:token=test;object=first' -subj /CN=localhost -out "$WORK/certificate" 2>/dev/null
cat >"$WORK/nginx.conf" <<END
daemon on;
${user:-}
worker_processes 2;
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
    listen 127.0.0.1:$PORT ssl reuseport;
    ssl_certificate $WORK/certificate;
    ssl_certificate_key "engine:pkcs11:pkcs11:token=test;object=first";
    ssl_session_tickets off;
    location / { return 200 "served\n"; }
  }
}
END

OPENSSL_CONF=$WORK/openssl.cnf nginx -p "$WORK" -c "$WORK/nginx.conf" >"$WORK/notes" 2>&1
check "nginx starts" [ $? -eq 0 ]
NGINX=$(cat "$WORK/nginx.pid" 2>/dev/null)
[ -n "$NGINX" ] || {
  cat "$WORK/notes" "$WORK/nginx.log"
  finish
}
# requests: half of the handshakes, one after the other.
requests() {
  i=0
  while [ $i -lt $((HANDSHAKES / 2)) ]; do
    printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -connect "127.0.0.1:$PORT" -quiet \
      -CAfile "$WORK/certificate" -verify_return_error >>"$WORK/client" 2>/dev/null
    i=$((i + 1))
  done
}
# replaced WORKER...: none of them is there any more.
replaced() {
  for worker; do
    ! kill -0 "$worker" 2>/dev/null || return 1
  done
}
requests
old=$(cat "/proc/$NGINX/task/$NGINX/children")
check "nginx has workers" [ -n "$old" ]
kill -HUP "$NGINX"
# shellcheck disable=SC2086 # a list of ids
check "a reload replaces the workers" within 20 replaced $old
requests
check "all requests are served" [ "$(grep -c served "$WORK/client")" = $HANDSHAKES ]
kill -QUIT "$NGINX"
tries=0
while kill -0 "$NGINX" 2>/dev/null && [ $tries -lt 100 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
check "nginx ends" not kill -0 "$NGINX" 2>/dev/null

# workers: how many processes signed, and how often.
workers() {
  "$P11PROF" sql --no-collect --db "$DB" --format csv "SELECT count(DISTINCT process_id), count(*)
    FROM operations WHERE operation = 'sign' AND rv = 'CKR_OK'
      AND run_id = (SELECT max(run_id) FROM runs)" | tail -n +2 | tr -d '\r'
}
if [ -n "${P11PROF_TEST_PRIVATE:-}" ]; then
  check "the workers' records are not in the database yet" [ "$(workers)" = 0,0 ]
  spools=$(find /dev/shm/p11prof-33 -name '*.spool' | wc -l)
  check "... they are in spools" [ "$spools" -ge 2 ]
  check "collect" "$P11PROF" collect --db "$DB"
  check "... leaves no spool" [ "$(find /dev/shm -name '*.spool' | wc -l)" = 0 ]
fi
signed=$(workers)
check "workers before and after the reload signed" [ "${signed%,*}" -ge 2 ]
check "... once for each handshake" [ "${signed#*,}" = "$HANDSHAKES" ]
[ -z "${spools:-}" ] || check "... each from a spool of its own" [ "${signed%,*}" = "$spools" ]
check "all of nginx is one run" [ "$(query "SELECT count(*) FROM runs
  WHERE name = 'web' AND process_count >= 4")" = 1 ]
check "nothing is lost" [ "$(newest lost_count)" = 0 ]
check "no secret is recorded" keeps_secrets "$PIN"

finish
