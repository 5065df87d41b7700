#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11tool, pkcs11-tool with a large file, a TLS server and nginx, whose worker inherits login and library from the process that
# forked it, are recorded, and played on fresh tokens: `bench --like`.
# Environment: P11PROF.

. "$(dirname "$0")/../integration/shell_test.sh"
need p11tool p11-kit openssl /usr/bin/python3 softhsm2-util pkcs11-tool "$SOFTHSM"
HANDSHAKES=12
PORT=$(free_port)

# like RUN: played on a throw-away token; the new run is $PLAYED.
like() {
  env -u OPENSSL_CONF "$P11PROF" bench --db "$DB" --quiet --like "$1" >"$WORK/out" \
    2>"$WORK/like.notes" || { cat "$WORK/like.notes" && return 1; }
  PLAYED=$(query "SELECT max(run_id) FROM runs")
}

# different RUN OTHER: functions whose calls differ by more than 2 %.
different() {
  query "WITH f AS (SELECT run_id, function, sum(count) AS n FROM function_stats
      WHERE run_id IN ($1, $2) GROUP BY run_id, function),
    names AS (SELECT DISTINCT function FROM f)
    SELECT function, coalesce(a.n, 0), coalesce(b.n, 0) FROM names
    LEFT JOIN f AS a USING (function) LEFT JOIN f AS b USING (function)
    WHERE a.run_id = $1 AND b.run_id = $2
      AND abs(coalesce(a.n, 0) - coalesce(b.n, 0)) > 0.02 * coalesce(a.n, 0)
    UNION ALL SELECT function, count(*), 0 FROM f GROUP BY function HAVING count(*) = 1"
}

# operations RUN: how often, with what, on how much data.
operations() {
  query "SELECT operation, mechanism, key_type, key_bits, sum(count), sum(in_bytes)
    FROM operation_stats WHERE run_id = $1 AND kind = 'call'
    GROUP BY operation, mechanism, key_type, key_bits
    ORDER BY operation, mechanism, key_type, key_bits"
}

# concurrency RUN: processes and their threads.
concurrency() {
  query "SELECT count(DISTINCT process_id), count(DISTINCT process_id || ' ' || thread_id)
    FROM calls WHERE run_id = $1"
}

# alike WHAT RUN OTHER
alike() {
  "$1" "$2" >"$WORK/one"
  "$1" "$3" >"$WORK/other"
  diff "$WORK/one" "$WORK/other"
}

# is_like NAME: plays the newest run of that name, and compares.
is_like() {
  recorded=$(query "SELECT max(run_id) FROM runs WHERE name = '$1'")
  check "$1 is played" like "$recorded"
  check "with the calls of $1" [ -z "$(different "$recorded" "$PLAYED")" ]
  check "its operations, keys and sizes" alike operations "$recorded" "$PLAYED"
  check "its processes and threads" alike concurrency "$recorded" "$PLAYED"
  [ "$FAILED" -eq 0 ] || cat "$WORK/out"
}

make_token
make_key 01 first rsa:2048
make_key 02 second EC:prime256v1
export GNUTLS_PIN="$PIN"
record --name p11tool --module "$SOFTHSM" -- p11tool --login --list-all 'pkcs11:token=test' \
  >"$WORK/list"
check "p11tool lists a key" grep -q 'Label: first' "$WORK/list"
is_like p11tool

# A file of many parts: what is decrypted and verified has to be made before.
head -c 400000 /dev/urandom >"$WORK/plain"
IV=00000000000000000000000000000000
# tool OPTION...: with the token's keys.
tool() {
  pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" "$@" >/dev/null 2>&1
}
tool --keygen --key-type AES:32 --id 03 --label third
tool --encrypt --mechanism AES-CBC-PAD --iv $IV --id 03 -i "$WORK/plain" -o "$WORK/cipher"
tool --sign --mechanism SHA256-RSA-PKCS --id 01 -i "$WORK/plain" -o "$WORK/signature"
# shellcheck disable=SC2016
record --name parts --module "$SOFTHSM" -- sh -c 'tool="pkcs11-tool --module $0 --login --pin $1"
  $tool --decrypt --mechanism AES-CBC-PAD --iv $3 --id 03 -i "$2/cipher" -o "$2/again" &&
  $tool --verify --mechanism SHA256-RSA-PKCS --id 01 -i "$2/plain" --signature-file "$2/signature"' \
  "$SOFTHSM" "$PIN" "$WORK" $IV >/dev/null 2>&1
check "a file is decrypted" cmp -s "$WORK/plain" "$WORK/again"
is_like parts
check "each call answers as recorded" not grep answered "$WORK/out"

openssl engine pkcs11 >/dev/null 2>&1 || {
  echo "skipped: the engine pkcs11 is missing"
  finish
}
openssl_config "$SOFTHSM" 1 >"$WORK/openssl.cnf"
export OPENSSL_CONF="$WORK/openssl.cnf"
KEY='pkcs11:token=test;object=first;type=private'
openssl req -new -x509 -engine pkcs11 -keyform engine -key "$KEY" -subj /CN=localhost \
  -out "$WORK/certificate" 2>/dev/null
record --name server --module "$SOFTHSM" -- openssl s_server -engine pkcs11 -keyform engine \
  -key "$KEY" -cert "$WORK/certificate" -accept "127.0.0.1:$PORT" -naccept $HANDSHAKES -quiet \
  </dev/null >/dev/null &
recorder=$!

# greet: one handshake.
greet() {
  OPENSSL_CONF=/dev/null openssl s_client -connect "127.0.0.1:$PORT" </dev/null 2>&1 |
    grep -q '^New, TLSv1'
}
check "the server answers" within 20 greet
i=1
while [ $i -lt $HANDSHAKES ]; do
  greet
  i=$((i + 1))
done
wait $recorder
check "each handshake signed" [ "$(counts C_Sign)" -ge $HANDSHAKES ]
is_like server

command -v nginx >/dev/null || {
  echo "skipped: nginx is missing"
  finish
}
# Workers of another user make their spools in a folder of their own.
rm -rf "$P11PROF_SPOOL"
unset P11PROF_SPOOL
chmod -R a+rX "$WORK"
[ "$(id -u)" -ne 0 ] || chown -R www-data "$WORK/tokens"
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
check "nginx answers" within 20 greet
i=1
while [ $i -lt $HANDSHAKES ]; do
  greet
  i=$((i + 1))
done
kill -QUIT "$(cat "$WORK/nginx.pid")"
wait $recorder
is_like nginx
check "in two processes" [ "$(concurrency "$PLAYED")" = 2,2 ]

finish
