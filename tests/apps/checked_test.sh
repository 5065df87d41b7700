#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Real applications whose memory is checked while the shim records them: by valgrind, or, in a build
# with sanitizers, by those, whose runtime they load first. Nothing is reported, and the calls are
# there. Environment: P11PROF, SHIM, SANITIZE (address,undefined or thread), SUPPRESSIONS.

. "$(dirname "$0")/configured.sh"
need openssl p11tool ssh-keygen nginx curl
openssl engine pkcs11 >/dev/null 2>&1 || {
  echo "skipped: the engine pkcs11 is missing"
  exit 77
}
REPORT=$WORK/report
NGINX=
trap '[ -z "$NGINX" ] || kill "$NGINX"; rm -rf "$WORK" "$P11PROF_SPOOL"' EXIT

# runtime NAME: the file of it that the shim needs.
runtime() {
  ldd "$SHIM" | sed -n "s/.*$1[^ ]* => \([^ ]*\) .*/\1/p"
}

# checked COMMAND...: all that is found goes to $REPORT.
case ${SANITIZE:-} in
address*)
  RUNTIME=$(runtime libasan)
  checked() {
    ASAN_OPTIONS=detect_leaks=0:log_path=$REPORT UBSAN_OPTIONS=log_path=$REPORT \
      LD_PRELOAD=$RUNTIME "$@"
  }
  ;;
thread)
  RUNTIME=$(runtime libtsan)
  checked() { # the applications themselves are not built for it
    TSAN_OPTIONS="ignore_noninstrumented_modules=1 die_after_fork=0 log_path=$REPORT
      suppressions=$SUPPRESSIONS/tsan" LD_PRELOAD=$RUNTIME "$@"
  }
  ;;
*)
  need valgrind
  checked() {
    valgrind --quiet --log-file="$REPORT.%p" --leak-check=full --show-leak-kinds=definite \
      --suppressions="$SUPPRESSIONS/valgrind" "$@"
  }
  ;;
esac

# clean NAME: nothing was found. What an application leaks itself is its own. No findings: valgrind
# does not know a way to ask the kernel, TSan's runtime takes threads along into the child of a fork.
clean() {
  cat "$REPORT".* 2>/dev/null | sed 's/^==[0-9]*== *//' |
    awk -v ours="(in $WORK/" 'BEGIN { RS = "" } !/definitely lost/ || index($0, ours)' |
    grep -v -e "sigprocmask: unknown 'how' field -1" -e 'ThreadSanitizer: dup thread with used id' \
      >"$WORK/found"
  rm -f "$REPORT".*
  check "$1: nothing is found" [ ! -s "$WORK/found" ]
  [ ! -s "$WORK/found" ] || head -n 60 "$WORK/found"
}

# signs NAME COUNT COMMAND...: it ends well, clean, and with so many signatures.
signs() {
  name=$1
  count=$2
  shift 2
  make_shim "$name"
  checked "$@" >"$WORK/out" 2>>"$WORK/notes"
  check "$name ends well" [ $? -eq 0 ]
  clean "$name"
  check "$name: what it signed is recorded" [ "$(recorded "$name" C_Sign)" = "$count" ]
}

make_token
make_key 01 first rsa:2048
echo 'plaintext-never-recorded' >"$WORK/data"
URI='pkcs11:token=test;object=first'

signs pkcs11-tool 1 pkcs11-tool --module "$WORK/pkcs11-tool.so" --login --pin "$PIN" --sign --id 01 \
  --mechanism SHA256-RSA-PKCS -i "$WORK/data" -o "$WORK/signature"
# p11-kit's end waits for ever under a preloaded sanitizer, also without us.
[ "${SANITIZE:-}" ] || GNUTLS_PIN=$PIN signs p11tool 2 p11tool --provider "$WORK/p11tool.so" --login --test-sign "$URI"
signs ssh-keygen 0 ssh-keygen -D "$WORK/ssh-keygen.so"
openssl_config "$WORK/openssl.so" 0 >"$WORK/openssl.cnf"
OPENSSL_CONF=$WORK/openssl.cnf signs openssl 1 openssl dgst -engine pkcs11 -keyform engine -sha256 \
  -sign "$URI;type=private;pin-value=$PIN" -out "$WORK/signature" "$WORK/data"

# A master and two workers, which sign; all of them run on to their own end.
PORT=$(free_port)
make_shim nginx
openssl_config "$SOFTHSM" 1 >"$WORK/plain.cnf"
openssl_config "$WORK/nginx.so" 1 >"$WORK/nginx.cnf"
OPENSSL_CONF=$WORK/plain.cnf openssl req -new -x509 -engine pkcs11 -keyform engine -key "$URI" \
  -subj /CN=localhost -out "$WORK/certificate" 2>/dev/null
[ "$(id -u)" -ne 0 ] || user="user root;"
cat >"$WORK/web" <<END
daemon off;
${user:-}
worker_processes 2;
pid $WORK/nginx.pid;
error_log $WORK/nginx.log;
env SOFTHSM2_CONF;
env OPENSSL_CONF;
env P11PROF_SPOOL;
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
    ssl_certificate_key "engine:pkcs11:$URI";
    ssl_session_tickets off;
    location / { return 200 "served\n"; }
  }
}
END
fetched() {
  curl --silent --insecure --noproxy '*' --output "$WORK/out" "https://127.0.0.1:$PORT/"
}
OPENSSL_CONF=$WORK/nginx.cnf checked nginx -p "$WORK" -c "$WORK/web" >>"$WORK/notes" 2>&1 &
check "nginx starts" within 60 fetched
NGINX=$(cat "$WORK/nginx.pid" 2>/dev/null)
served=1
for _ in 1 2 3 4 5 6 7 8 9; do
  fetched && served=$((served + 1))
done
check "nginx serves" [ "$served" = 10 ]
[ -z "$NGINX" ] || kill -QUIT "$NGINX"
wait $!
check "nginx ends well" [ $? -eq 0 ]
NGINX=
clean nginx
check "nginx: what it signed is recorded" [ "$(recorded nginx C_Sign)" = 10 ]
check "nothing is lost" [ "$(query 'SELECT sum(lost_count) FROM runs')" = 0 ]

finish
