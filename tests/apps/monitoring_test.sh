#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/monitoring: rules and alerts as promtool sees them, then a Prometheus that scrapes the exporter
# while applications work, fail, lose calls and hang, and all queries of rules and dashboard asked there;
# the proxy of the guide.
# Environment: P11PROF, ROOT, SHIM, DRIVER, DELAY_MODULE, HOST_DRIVER, CALLBACKS, TOKEN.
# shellcheck disable=SC2317 # `check` and `within` call functions

. "$(dirname "$0")/../integration/shell_test.sh"
. "$(dirname "$0")/../integration/bench_shell.sh"
. "$(dirname "$0")/servers.sh"
need "${ROOT:?}" prometheus prometheus-pushgateway promtool pkcs11-tool softhsm2-util openssl nginx "$SOFTHSM"
openssl engine pkcs11 >/dev/null 2>&1 || {
  echo "skipped: the engine pkcs11 is missing"
  exit 77
}
export P11PROF_DB="$DB"
unset RULES
GUIDE=$ROOT/docs/monitoring
check "the rules" promtool check rules "$GUIDE/rules.yml" "$GUIDE/alerts.yml"
check "the configuration" promtool check config "$GUIDE/prometheus.yml"
(cd "$GUIDE" && promtool test rules rules_test.yml weeks_test.yml) >"$WORK/promtool" 2>&1 &
units=$!

# --- What is watched ---

make_token
make_key 01 first rsa:2048
openssl_config "$SOFTHSM" 0 >"$WORK/openssl.cnf"
OPENSSL_CONF=$WORK/openssl.cnf openssl req -new -x509 -engine pkcs11 -keyform engine \
  -key 'pkcs11:token=test;object=first' -subj /CN=localhost -out "$WORK/certificate" 2>/dev/null
check "a certificate" [ -s "$WORK/certificate" ]
echo data >"$WORK/data"
cp "$DRIVER" "$WORK/steady" # programs are told apart by their file names
cp "$DRIVER" "$WORK/loses"
truncate -s 100K "$WORK/counts" "$WORK/counts-hang" "$WORK/counts-lost"

# answers URL: it has a page.
answers() {
  curl --silent --fail --output "$WORK/page" "$1"
}

# starts_exporter: on a free port; EXPORTER is where.
starts_exporter() {
  for _ in 1 2 3 4 5; do
    EXPORTER=127.0.0.1:$(free_port)
    "$P11PROF" exporter --listen "$EXPORTER" >"$WORK/exporter.log" 2>&1 &
    server=$!
    SERVERS="$SERVERS $server"
    within 10 answers "http://$EXPORTER/metrics" && kill -0 "$server" 2>/dev/null && return
  done
  cat "$WORK/exporter.log"
  return 1
}

check "a Pushgateway" serve gateway prometheus-pushgateway --persistence.file=
GATEWAY=${URL#http://}
check "the exporter" starts_exporter
sed -e "s|localhost:9711|$EXPORTER|; s|localhost:9091|$GATEWAY|; s|_interval: .*|_interval: 1s|
  s|- \(.*\.yml\)$|- $GUIDE/\1|" "$GUIDE/prometheus.yml" >"$WORK/prometheus.yml"
# Hours of a day and a week ago, as the rules recorded them.
/usr/bin/python3 "$ROOT/tests/apps/monitoring_past.py" "$EXPORTER" >"$WORK/past"
check "the past" promtool tsdb create-blocks-from openmetrics "$WORK/past" "$WORK/tsdb"
check "a Prometheus" serve prometheus prometheus --config.file="$WORK/prometheus.yml" \
  --storage.tsdb.path="$WORK/tsdb" --storage.tsdb.retention.time=30d
[ "$FAILED" -eq 0 ] || finish

# --- What they do ---

# pages: how many Prometheus has.
pages() {
  curl --silent --get --data-urlencode "query=sum_over_time(up{job=\"p11prof\"}[10m])" \
    "$URL/api/v1/query" | sed -n 's/.*,"\([0-9]*\)"\].*/\1/p'
}
# has_pages COUNT, scrapes COUNT: so many in all, so many more.
has_pages() {
  [ "$(pages)" -ge "$1" ] 2>/dev/null
}
scrapes() {
  have=$(pages)
  within 40 has_pages $((${have:-0} + $1)) || { cat "$WORK/exporter.log" && false; }
}
# loses: a process that nobody drains, with more calls than its spool holds.
loses() {
  P11PROF_DRAIN=external P11PROF_SPOOL_LIMIT=1MB P11PROF_MODULE=$DELAY_MODULE \
    "$WORK/loses" "$SHIM" "$WORK/counts-lost" finalize 1 100000
}
# signs, lists, errs: pkcs11-tool signs, asks for attributes that are not there, gives a wrong PIN.
signs() {
  record --name signs --module "$SOFTHSM" -- pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --sign \
    --mechanism SHA256-RSA-PKCS --id 01 --input-file "$WORK/data" --output-file "$WORK/signature" >/dev/null
}
lists() {
  record --name lists --module "$SOFTHSM" -- pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" -O >/dev/null
}
errs() {
  record --name errs --module "$SOFTHSM" -- pkcs11-tool --module "$SOFTHSM" --login --pin wrong-pin \
    --sign --mechanism SHA256-RSA-PKCS --id 01 --input-file "$WORK/data" >"$WORK/out" 2>&1
}

env P11PROF_NAME=steady P11PROF_TEST_DELAY=sleep:3ms P11PROF_MODULE="$DELAY_MODULE" \
  "$WORK/steady" "$SHIM" "$WORK/counts" finalize 2 1000000 &
SERVERS="$SERVERS $!"
env P11PROF_MODULE="$CALLBACKS" "$HOST_DRIVER" "$SHIM" "$WORK/counts-hang" hang 1 100 \
  2>"$WORK/driver" &
SERVERS="$SERVERS $!"
: >"$WORK/server"
OPENSSL_CONF=$WORK/openssl.cnf record --name tls --module "$SOFTHSM" -- openssl s_server -engine pkcs11 \
  -keyform engine -key 'pkcs11:token=test;object=first' -cert "$WORK/certificate" -accept 127.0.0.1:0 \
  -rev -naccept 6 </dev/null >"$WORK/server" 2>&1 &
tls=$!
SERVERS="$SERVERS $tls"
listens() {
  port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$WORK/server") && [ -n "$port" ]
}
check "openssl s_server starts" within 30 listens

bench --test sha-256,aes-256-gcm-encrypt --threads 1 --iterations 50 --warmup 5 --cooldown 0
"$P11PROF" export last --format prometheus | curl --silent --fail --data-binary @- \
  "http://$GATEWAY/metrics/job/p11prof" >"$WORK/out"
check "a bench is pushed" [ $? -eq 0 ]
for round in 1 2 3; do
  check "pkcs11-tool signs, $round" signs
  check "pkcs11-tool lists, $round" lists
  check "pkcs11-tool is refused, $round" not errs
  check "calls are lost, $round" loses
  for _ in 1 2; do
    openssl s_client -connect "127.0.0.1:$port" </dev/null >>"$WORK/client" 2>&1
  done
  check "Prometheus looks, $round" scrapes 3
done
check "all handshakes are done" [ "$(grep -c '^New, TLSv1' "$WORK/client")" = 6 ]
wait "$tls"
check "Prometheus sees the end" scrapes 4

# --- The proxy of the guide ---

openssl req -new -x509 -newkey rsa:2048 -nodes -keyout "$WORK/app1.key" -subj /CN=app1.example.com \
  -out "$WORK/app1.pem" 2>/dev/null
echo "prometheus:$(openssl passwd -apr1 secret)" >"$WORK/p11prof.htpasswd"
chmod -R a+rX "$WORK"
PROXY=$(free_port)
{
  echo "pid $WORK/nginx.pid; error_log $WORK/nginx.log; events {}"
  echo "http { access_log off; proxy_temp_path $WORK/temp; client_body_temp_path $WORK/body;"
  echo "fastcgi_temp_path $WORK/fastcgi; uwsgi_temp_path $WORK/uwsgi; scgi_temp_path $WORK/scgi;"
  awk '/^```/ { inside = /nginx$/; next } inside' "$ROOT/docs/monitoring.md" |
    sed "s|listen 9712|listen 127.0.0.1:$PROXY|; s|/etc/[a-z/]*/|$WORK/|; s|127.0.0.1:9711|$EXPORTER|"
  echo "}"
} >"$WORK/nginx.conf"
nginx -p "$WORK" -c "$WORK/nginx.conf" -g 'daemon off;' 2>"$WORK/nginx.err" &
SERVERS="$SERVERS $!"
# proxied CODE [OPTION...]: what the proxy answers.
proxied() {
  expected=$1
  shift
  [ "$(curl --silent --cacert "$WORK/app1.pem" --connect-to "app1.example.com:9712:127.0.0.1:$PROXY" \
    --output "$WORK/page" --write-out '%{http_code}' "$@" https://app1.example.com:9712/metrics)" = "$expected" ]
}
check "the proxy has the metrics" within 20 proxied 200 --user prometheus:secret
check "... all of them" grep -q '^p11prof_calls_total{.*C_Sign' "$WORK/page"
check "... and wants the password" proxied 401
check "... and takes no data" proxied 403 --user prometheus:secret --data x=y

# --- What Prometheus knows of it ---

check "all queries, the dashboard, the guide" /usr/bin/python3 "$ROOT/tests/apps/monitoring_queries.py" \
  "$URL" "$ROOT" "$DB"
wait "$units"
check "unit tests of the rules" eval "[ $? -eq 0 ] || { cat '$WORK/promtool' && false; }"

finish
