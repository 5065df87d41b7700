#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# `advise` says nothing about ten programs that do as they should, and not because it is silent: p11tool,
# where it lists objects, logs in for each. Environment: P11PROF, APP.

. "$(dirname "$0")/../integration/shell_test.sh"
need openssl nginx ssh-agent ssh-add p11tool p11-kit gnutls-serv \
  /usr/bin/python3 softhsm2-util pkcs11-tool "$SOFTHSM" \
  "${APP:?the path of like_app}"
/usr/bin/python3 -c 'import PyKCS11' 2>/dev/null || {
  echo "skipped: PyKCS11 is missing"
  exit 77
}
openssl engine pkcs11 >/dev/null 2>&1 || {
  echo "skipped: the engine pkcs11 is missing"
  exit 77
}
OPERATIONS=120
RECORDINGS=0

# healthy NAME COUNT: the newest run signed so often, and there is nothing to say about it.
healthy() {
  RECORDINGS=$((RECORDINGS + 1))
  signed=$(query "SELECT coalesce(sum(count), 0) FROM operation_stats WHERE operation = 'sign'
    AND kind = 'call' AND error_count = 0 AND run_id = (SELECT max(run_id) FROM runs)")
  check "$1 signed $2 times" [ "$signed" -ge "$2" ]
  check "and has no finding" silent
}
silent() {
  "$P11PROF" advise --db "$DB" --fail-on-findings >"$WORK/advice" 2>&1 || {
    cat "$WORK/advice"
    return 1
  }
}

# greet PORT COUNT: so many handshakes, without the engine.
greet() {
  OPENSSL_CONF=/dev/null /usr/bin/python3 -c 'import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
for _ in range(int(sys.argv[2])):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
        context.wrap_socket(plain).close()' "$@" 2>/dev/null
}

# end_newest: the recorded process.
end_newest() {
  kill "$(query "SELECT pid FROM processes ORDER BY process_id DESC LIMIT 1")" 2>/dev/null
}

rmdir "$P11PROF_SPOOL" # a worker of another user makes its spool in a folder of its own
unset P11PROF_SPOOL
make_token
make_key 01 first rsa:2048
head -c 1000 /dev/zero >"$WORK/data"

# 1, 2: a client of its own, with a session for each thread.
record --module "$SOFTHSM" -- "$APP" "$SOFTHSM" "$PIN" paced 1 $OPERATIONS 1
healthy "a client" $OPERATIONS
record --module "$SOFTHSM" -- "$APP" "$SOFTHSM" "$PIN" paced 4 $OPERATIONS 1
healthy "a client with threads" $((4 * OPERATIONS))

# 3: Python.
cat >"$WORK/sign.py" <<'END'
import sys
import PyKCS11 as p
module = p.PyKCS11Lib()
module.load(sys.argv[1])
slot = next(s for s in module.getSlotList(tokenPresent=True)
            if module.getTokenInfo(s).label.strip() == "test")
session = module.openSession(slot, p.CKF_SERIAL_SESSION | p.CKF_RW_SESSION)
session.login(sys.argv[2])
key = session.findObjects([(p.CKA_CLASS, p.CKO_PRIVATE_KEY), (p.CKA_LABEL, "first")])[0]
for i in range(int(sys.argv[3])):
    session.sign(key, b"data", p.Mechanism(p.CKM_SHA256_RSA_PKCS, None))
session.logout()
session.closeSession()
END
record --module "$SOFTHSM" -- /usr/bin/python3 "$WORK/sign.py" "$SOFTHSM" "$PIN" $OPERATIONS
healthy "a script" $OPERATIONS

# 4: OpenSC.
record --module "$SOFTHSM" -- pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --id 01 --sign \
  --mechanism SHA256-RSA-PKCS --input-file "$WORK/data" --output-file "$WORK/signature" >/dev/null
healthy pkcs11-tool 1

# 5: OpenSSH, which searches its key before each signature: of a few that is not worth a word.
printf '#!/bin/sh\necho "%s"\n' "$PIN" >"$WORK/askpass"
chmod 700 "$WORK/askpass"
cp "$(command -v ssh-agent)" "$WORK/ssh-agent" # no set-gid program
chmod 755 "$WORK/ssh-agent"
# shellcheck disable=SC2016
SSH_ASKPASS="$WORK/askpass" SSH_ASKPASS_REQUIRE=force DISPLAY=:0 \
  record --module "$SOFTHSM" -- "$WORK/ssh-agent" sh -c 'ssh-add -s "$1" >/dev/null 2>&1 &&
  ssh-add -L >"$2" && ssh-add -T "$2" && ssh-add -T "$2"
  ssh-agent -k >/dev/null' - "$SOFTHSM" "$WORK/ssh.pub" 2>/dev/null
healthy ssh-agent 2

# 6: GnuTLS' tool.
if p11-kit list-modules 2>/dev/null | grep -q softhsm; then
  GNUTLS_PIN="$PIN" record --module "$SOFTHSM" -- p11tool --login --test-sign \
    'pkcs11:token=test;object=first;type=private' >/dev/null
  healthy p11tool 1
fi

openssl_config "$SOFTHSM" 1 >"$WORK/openssl.cnf"
export OPENSSL_CONF="$WORK/openssl.cnf"
KEY='pkcs11:token=test;object=first;type=private'

# 7: OpenSSL's engine of libp11.
record --module "$SOFTHSM" -- openssl req -new -x509 -engine pkcs11 -keyform engine -key "$KEY" \
  -subj /CN=localhost -out "$WORK/certificate"
healthy "openssl req" 1

# 8: its server.
PORT=$(free_port)
record --module "$SOFTHSM" -- openssl s_server -engine pkcs11 -keyform engine -key "$KEY" \
  -cert "$WORK/certificate" -accept "127.0.0.1:$PORT" -naccept $((OPERATIONS + 1)) -quiet \
  </dev/null >/dev/null &
recorder=$!
check "s_server answers" within 20 greet "$PORT" 1
check "$OPERATIONS times" greet "$PORT" $OPERATIONS
wait $recorder
healthy "openssl s_server" $OPERATIONS

# 9: nginx.
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
record --module "$SOFTHSM" -- nginx -p "$WORK" -c "$WORK/nginx.conf" &
recorder=$!
check "nginx answers" within 20 greet "$PORT" 1
check "$OPERATIONS times" greet "$PORT" $OPERATIONS
kill -QUIT "$(cat "$WORK/nginx.pid")"
wait $recorder
healthy nginx $OPERATIONS

# 10: GnuTLS' server.
if p11-kit list-modules 2>/dev/null | grep -q softhsm; then
  PORT=$(free_port)
  GNUTLS_PIN="$PIN" record --module "$SOFTHSM" -- gnutls-serv --quiet --port "$PORT" --noticket \
    --x509keyfile "$KEY" --x509certfile "$WORK/certificate" </dev/null >"$WORK/served" 2>&1 &
  recorder=$!
  check "gnutls-serv answers" within 20 greet "$PORT" 1
  check "$OPERATIONS times" greet "$PORT" $OPERATIONS
  check "and ends" within 20 end_newest
  wait $recorder
  healthy gnutls-serv $OPERATIONS
fi

check "these were ten recordings" [ $RECORDINGS -ge 10 ]

# lists: p11tool lists twelve key pairs.
lists() {
  for id in 10 11 12 13 14 15 16 17 18 19 20; do
    make_key $id "key$id" EC:prime256v1
  done
  GNUTLS_PIN="$PIN" record --module "$SOFTHSM" -- p11tool --login --list-all 'pkcs11:token=test' \
    >/dev/null
}
speaks() {
  ! silent >"$WORK/listed"
}
if p11-kit list-modules 2>/dev/null | grep -q softhsm; then
  unset OPENSSL_CONF
  check "p11tool lists objects" lists
  check "and has findings" speaks
  check "it logs in for each" grep -q '^The same process logs in again and again' "$WORK/listed"
  check "with what to change" grep -q gnutls_privkey_import_url "$WORK/listed"
fi

finish
