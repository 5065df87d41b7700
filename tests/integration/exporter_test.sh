#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof exporter: counters that are SQL's and export's, calls in flight, a database that comes,
# goes and changes, clients that say nothing, and the textfile.
# Environment: P11PROF, SHIM, DRIVER, HOST_DRIVER, CALLBACKS (its module), FAILS_MODULE, NULL_MODULE,
# APP (record_app), ROOT.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/report_shell.sh"
need "${SHIM:?}" "${DRIVER:?}" "${HOST_DRIVER:?}" "${CALLBACKS:?}" "${APP:?}" "${ROOT:?}" curl sqlite3
export P11PROF_DB="$DB"
truncate -s 100K "$WORK/counts"
EXPORTER=
LIVE=
CURL="curl --silent --show-error --max-time 60"
export no_proxy="*"
trap 'kill -KILL $EXPORTER $LIVE 2>/dev/null; wait; rm -rf "$WORK" "$P11PROF_SPOOL"' EXIT

# start OPTION...: an exporter; what it says goes to $WORK/said, its address to URL.
start() {
  : >"$WORK/said"
  "$P11PROF" exporter "$@" 2>"$WORK/said" 9>&- &
  EXPORTER=$!
  within 30 grep -q "metrics are at" "$WORK/said" || { cat "$WORK/said" && return 1; }
  URL=$(sed -n 's/.*metrics are at \(.*\)\/metrics$/\1/p' "$WORK/said")
}

# stop [SIGNAL]: how it ended goes to ENDED.
stop() {
  kill -"${1:-TERM}" "$EXPORTER"
  wait "$EXPORTER"
  ENDED=$?
  EXPORTER=
}

# scrape: a page that is newer than what was done before goes to $WORK/page.
scrape() {
  kill -0 "$EXPORTER" || exit 1
  sleep 1.1
  $CURL --fail "$URL/metrics" >"$WORK/page"
}

# value SERIES: of the last page.
value() {
  awk -v start="$1 " 'index($0, start) == 1 { print $NF }' "$WORK/page"
}

# total METRIC: over its labels.
total() {
  awk -v metric="$1{" 'index($0, metric) == 1 { sum += $NF } END { printf "%.0f\n", sum }' "$WORK/page"
}

# sees SQL METRIC: the next page has what SQL says.
sees() {
  scrape && [ "$(total "$2")" = "$(one "$1")" ]
}

# What the database has of calls.
CALLS="SELECT CAST(total(count) AS INTEGER) FROM function_stats JOIN runs USING (run_id)
  WHERE runs.kind = 'profile'"

# calls THREADS CALLS: a run.
calls() {
  P11PROF_MODULE="$NULL_MODULE" "$DRIVER" "$SHIM" "$WORK/counts" finalize "$1" "$2"
}

# status METHOD PATH
status() {
  $CURL -o /dev/null -w '%{http_code} %{content_type}' -X "$1" "$URL$2"
}

# --- before anything is recorded ---

check "it begins before there is a database" start --listen 127.0.0.1:0
check "... with a page" scrape
check "... that is no error" [ "$(value p11prof_scrape_error)" = 0 ]
check "... and counts nothing" [ "$(total p11prof_calls_total)" = 0 ]
check "... nor makes one" [ ! -e "$DB" ]
calls 2 1009
check "the first recording is there" sees "$CALLS" p11prof_calls_total
check "... all of it" [ "$(total p11prof_calls_total)" -gt 2018 ]
first=$(total p11prof_calls_total)

# --- HTTP ---

check "GET /metrics" [ "$(status GET /metrics)" = "200 text/plain; version=0.0.4; charset=utf-8" ]
check "HEAD /metrics" [ "$($CURL -I "$URL/metrics" | head -n 1 | tr -d '\r')" = "HTTP/1.1 200 OK" ]
check "GET /" [ "$(status GET /)" = "200 text/html; charset=utf-8" ]
check "... with a link" sh -c "$CURL '$URL/' | grep -q 'href=\"/metrics\"'"
check "no such page" [ "$(status GET /metrics/x)" = "404 text/plain" ]
for method in POST PUT DELETE OPTIONS; do
  check "not $method" [ "$(status $method /metrics)" = "405 text/plain" ]
done
check "what no client sends" /usr/bin/python3 - "$URL" <<'END'
import socket, sys, urllib.parse
url = urllib.parse.urlparse(sys.argv[1])
for bad in b"\r\n\r\n", b"GET\r\n\r\n", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n", b"\0" * 5000:
    with socket.create_connection((url.hostname, url.port), 10) as client:
        try:
            client.sendall(bad)
            client.settimeout(20)
            client.recv(100)
        except (ConnectionError, BrokenPipeError):
            pass
END
check "... and it is still there" scrape
if [ -r /proc/net/tcp ]; then
  port=$(printf ':%04X 00000000:0000 0A' "${URL##*:}")
  check "it listens on 127.0.0.1" grep -q "0100007F$port" /proc/net/tcp
  check "... and nowhere else" [ "$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -c "$port")" = 1 ]
fi

# --- counters ---

P11PROF_MODULE="$FAILS_MODULE" "$APP" "$SHIM" >/dev/null 2>&1
P11PROF_SPOOL_LIMIT=1MB P11PROF_DRAIN=external calls 1 60000 # some are lost
calls 3 503
check "calls" sees "$CALLS" p11prof_calls_total
check "... more than before" [ "$(total p11prof_calls_total)" -gt "$first" ]
check "errors" [ "$(total p11prof_call_errors_total)" = \
  "$(one "SELECT CAST(total(error_count) AS INTEGER) FROM function_stats")" ]
check "... there are some" [ "$(total p11prof_call_errors_total)" -gt 0 ]
check "... by result" [ "$(total p11prof_call_errors_by_result_total)" = \
  "$(one "SELECT CAST(total(count) AS INTEGER) FROM errors")" ]
check "operations" [ "$(total p11prof_operations_total)" = \
  "$(one "SELECT CAST(total(count) AS INTEGER) FROM operation_stats")" ]
check "losses" [ "$(total p11prof_lost_calls_total)" = "$(one "SELECT CAST(total(count) AS INTEGER)
  FROM losses")" ]
check "... there are some" [ "$(total p11prof_lost_calls_total)" -gt 0 ]
check "runs" [ "$(total p11prof_runs)" = "$(one "SELECT count(*) FROM runs")" ]
"$P11PROF" export 1,2,3,4 --format prometheus >"$WORK/export"
check "what export has of all runs" [ $? -eq 0 ]
sed -n 's/^# HELP //p' "$WORK/export" | sort >"$WORK/export.help"
sed -n 's/^# HELP //p' "$WORK/page" | sort >"$WORK/page.help"
check "... has the same words" [ -z "$(comm -23 "$WORK/export.help" "$WORK/page.help")" ]
grep -v -e '^#' -e '_bucket{' "$WORK/export" | sort >"$WORK/export.values"
names=$(sed 's/ .*//' "$WORK/export.help" | tr '\n' '|')
grep -E "^(${names%|})(_sum|_count)?[{]" "$WORK/page" | sort >"$WORK/page.values"
check "... the same values" cmp "$WORK/export.values" "$WORK/page.values"
grep '_bucket{' "$WORK/page" | sort >"$WORK/page.buckets"
grep '_bucket{' "$WORK/export" | sort >"$WORK/export.buckets"
check "... and every second bucket" [ -z "$(comm -23 "$WORK/page.buckets" "$WORK/export.buckets")" ]
check "... of each histogram 28" [ "$(wc -l <"$WORK/page.buckets")" -eq $((28 * $(grep -c \
  '^p11prof_[a-z]*_duration_seconds_count{' "$WORK/page"))) ]
if command -v promtool >/dev/null; then
  promtool check metrics <"$WORK/page" >"$WORK/promtool" 2>&1
  check "promtool has nothing to say" [ "$?$(cat "$WORK/promtool")" = 0 ]
fi
check "nothing was said" [ "$(wc -l <"$WORK/said")" = 1 ]

# --- what is live ---

for drain in thread exit external; do
  P11PROF_MODULE=$CALLBACKS P11PROF_DRAIN=$drain "$HOST_DRIVER" "$SHIM" "$WORK/counts" hang 1 100 \
    2>/dev/null &
  LIVE=$!
  hangs() {
    scrape && [ "$(value "p11prof_calls_in_flight{program=\"host_driver\",function=\"C_GenerateKey\"}")" = 1 ]
  }
  check "$drain: a call that hangs is in flight" within 20 hangs
  check "$drain: ... of a process that lives" [ "$(value \
    'p11prof_live_processes{program="host_driver"}')" = 1 ]
  age=$(value 'p11prof_oldest_call_in_flight_seconds{program="host_driver",function="C_GenerateKey"}')
  scrape
  check "$drain: ... it grows older" [ "$(sqlite3 :memory: "SELECT $(value \
    'p11prof_oldest_call_in_flight_seconds{program="host_driver",function="C_GenerateKey"}') >= $age + 1")" = 1 ]
  kill -KILL $LIVE
  wait $LIVE 2>/dev/null
  LIVE=
  gone() {
    scrape && ! grep -q '^p11prof_calls_in_flight' "$WORK/page"
  }
  check "$drain: after a kill it is not" within 20 gone
  check "$drain: ... nor is the process" [ -z "$(value 'p11prof_live_processes{program="host_driver"}')" ]
  check "$drain: ... and what it had done is counted" sees "$CALLS" p11prof_calls_total
  check "$drain: ... nothing waits" [ "$(value p11prof_spools_waiting)" = 0 ]
done

# --- clients that say nothing, and many at once ---

check "silent clients do not keep others away" /usr/bin/python3 - "$URL" <<'END'
import socket, sys, time, urllib.parse, urllib.request
url = urllib.parse.urlparse(sys.argv[1])
silent = [socket.create_connection((url.hostname, url.port)) for _ in range(40)]
for client in silent[:20]:
    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n") # and no end
slow = silent[39]
slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") # and never reads
page = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1] + "/metrics", timeout=60)
assert page.status == 200 and b"p11prof_calls_total" in page.read()
more = [socket.create_connection((url.hostname, url.port)) for _ in range(60)] # more than it takes
page = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1] + "/metrics", timeout=100)
assert page.status == 200
END
scrapers=
for i in 1 2 3 4 5 6 7 8 9 10; do
  $CURL --fail "$URL/metrics" >"$WORK/page.$i" &
  scrapers="$scrapers $!"
done
for scraper in $scrapers; do
  check "one of many at once" wait "$scraper"
done
check "... they get what is kept for a second" [ "$(cat "$WORK"/page.[0-9]* |
  grep -c '^p11prof_scrape_error 0')" = 10 ]

# --- the database changes ---

P11PROF_NAME=later calls 1 301
check "a run more" sees "$CALLS" p11prof_calls_total
"$P11PROF" runs delete 1 2>/dev/null >&2
check "a run less" sees "$CALLS" p11prof_calls_total
P11PROF_DB=$WORK/second.db calls 2 701
check "merge" sh -c "'$P11PROF' merge '$WORK/second.db' --db '$DB' >/dev/null 2>&1"
check "a run of another database" sees "$CALLS" p11prof_calls_total
check "prune" sh -c "'$P11PROF' prune --run later --calls-older-than 0m >/dev/null 2>&1"
check "without its rows" sees "$CALLS" p11prof_calls_total
mv "$WORK/second.db" "$WORK/moved.db"
mkdir "$WORK/old"
mv "$DB"* "$WORK/old"
scrape
check "a database that is gone" [ "$(value p11prof_scrape_error),$(total p11prof_calls_total)" = 0,0 ]
calls 1 97
check "a new one in its place" sees "$CALLS" p11prof_calls_total
check "... is a small one" [ "$(total p11prof_calls_total)" -lt 200 ]
rm -f "$DB"*
mv "$WORK/old/"* "$WORK"
check "the old one again" sees "$CALLS" p11prof_calls_total
check "... is larger" [ "$(total p11prof_calls_total)" -gt 2000 ]
rm -f "$DB"*
echo "this is no database, and long enough to be looked at: $(seq 200)" >"$DB"
scrape
check "what is no database" [ "$(value p11prof_scrape_error)" = 1 ]
check "... has no counters" not grep -q -e '^p11prof_calls_total' -e '^p11prof_runs' "$WORK/page"
check "... but a page" [ "$(status GET /metrics | cut -c 1-3)" = 200 ]
check "... and is named" grep -q "warning: .*$DB.*not a database" "$WORK/said"
scrape
check "... once" [ "$(grep -c 'not a database' "$WORK/said")" = 1 ]
rm "$DB"
for version in 99 5; do
  sqlite3 "$DB" <"$ROOT/tests/data/schema-5.sql" >/dev/null
  sqlite3 "$DB" "PRAGMA user_version = $version" >/dev/null
  scrape
  if [ $version = 99 ]; then
    check "a newer database" [ "$(value p11prof_scrape_error)" = 1 ]
    check "... says what to do" grep -q "update p11prof" "$WORK/said"
  else
    check "an older database is brought up to date" [ "$(value p11prof_scrape_error)" = 0 ]
  fi
  rm -f "$DB"*
done
stop
check "SIGTERM ends it with 0" [ "$ENDED" = 0 ]

# --- held by somebody else ---

calls 1 100
mkfifo "$WORK/fifo"
sqlite3 "$DB" <"$WORK/fifo" >"$WORK/holder" 2>&1 &
LIVE=$!
exec 9>"$WORK/fifo"
echo "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; SELECT 'held';" >&9
check "somebody holds it" within 20 grep -q held "$WORK/holder"
check "an exporter of it" start --listen "[::1]:0"
scrape
check "is told so" [ "$(value p11prof_scrape_error)" = 1 ]
check "... and says so" grep -q "locked" "$WORK/said"
echo "ROLLBACK; PRAGMA journal_mode = WAL;" >&9
exec 9>&-
wait $LIVE
LIVE=
check "until it is free" sees "$CALLS" p11prof_calls_total
check "... which it says" grep -q "the problem is gone" "$WORK/said"
stop INT
check "SIGINT ends it with 0" [ "$ENDED" = 0 ]

# --- a socket in the file system, and labels ---

SOCKET=$WORK/exporter.sock
check "a socket" start --listen "unix:$SOCKET" --socket-mode 0640 --no-token-labels --no-program-labels
check "... has its mode" [ "$(stat -c %a "$SOCKET")" = 640 ]
check "... and metrics" sh -c "$CURL --unix-socket '$SOCKET' http://p11prof/metrics >'$WORK/page'"
check "... without names" [ "$(grep -c 'program="[^"]\|token="[^"]' "$WORK/page")" = 0 ]
check "... with all calls" [ "$(total p11prof_calls_total)" = "$(one "$CALLS")" ]
check "a second one there" sh -c "'$P11PROF' exporter --listen 'unix:$SOCKET' 2>'$WORK/notes'; [ \$? = 3 ]"
check "... is told" says "another program does"
check "... and takes nothing away" [ -S "$SOCKET" ]
kill -KILL "$EXPORTER"
wait "$EXPORTER" 2>/dev/null
check "where one was killed" start --listen "unix:$SOCKET" --series-max 40
check "... the next one listens" sh -c "$CURL --unix-socket '$SOCKET' http://p11prof/metrics >'$WORK/page'"
check "... few series" [ "$(grep -c '^p11prof_calls_total{program="other"' "$WORK/page")" -ge 1 ]
check "... have all calls" [ "$(total p11prof_calls_total)" = "$(one "$CALLS")" ]
stop
check "its socket goes with it" [ ! -e "$SOCKET" ]
echo mine >"$SOCKET"
check "a file there" ends 3 exporter --listen "unix:$SOCKET"
check "... is no exporter's" says "File exists"
check "... and stays" grep -q mine "$SOCKET"

# Somebody who takes no clients, and whose queue of them is full.
/usr/bin/python3 - "$WORK/silent" <<'EOF' &
import socket, sys, time
server, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1] + ".sock")
server.listen(0)
client.connect(sys.argv[1] + ".sock")
open(sys.argv[1], "w").close()
time.sleep(60)
EOF
SILENT=$!
if within 10 [ -e "$WORK/silent" ]; then
  check "a place of somebody silent" sh -c "timeout -s KILL 30 '$P11PROF' exporter \
    --listen 'unix:$WORK/silent.sock' 2>'$WORK/notes'; [ \$? = 3 ]"
  check "... is told" says "another program does"
fi
kill "$SILENT"

# --- a textfile ---

umask 022
mkdir "$WORK/text"
check "a textfile" ends 0 exporter --textfile "$WORK/text/p11prof.prom"
check "... others may read it" [ "$(stat -c %a "$WORK/text/p11prof.prom")" = 644 ]
check "... alone" [ "$(ls "$WORK/text")" = p11prof.prom ]
cp "$WORK/text/p11prof.prom" "$WORK/page"
check "... has all calls" [ "$(total p11prof_calls_total)" = "$(one "$CALLS")" ]
check "nothing on stdout" [ ! -s "$WORK/out" ]
cp "$DB" "$WORK/newer.db"
sqlite3 "$WORK/newer.db" "PRAGMA user_version = 99" >/dev/null
check "of a database that cannot be read" ends 3 exporter --db "$WORK/newer.db" \
  --textfile "$WORK/text/p11prof.prom"
check "... says so" grep -q '^p11prof_scrape_error 1' "$WORK/text/p11prof.prom"
"$P11PROF" exporter --textfile "$WORK/text/p11prof.prom" --interval 1s 2>"$WORK/said" &
EXPORTER=$!
again() {
  grep -q '^p11prof_scrape_error 0' "$WORK/text/p11prof.prom"
}
check "again and again" within 20 again
inode=$(stat -c %i "$WORK/text/p11prof.prom")
whole=yes
for i in $(seq 300); do
  tail -n 1 "$WORK/text/p11prof.prom" | grep -q '^p11prof_scrape_duration_seconds [0-9.e-]*$' || whole=no
  [ "$(stat -c %i "$WORK/text/p11prof.prom")" = "$inode" ] || break
  sleep 0.02
done
check "... another file each time" [ "$(stat -c %i "$WORK/text/p11prof.prom")" != "$inode" ]
check "... always a whole one" [ $whole = yes ]
stop
check "... until SIGTERM" [ "$ENDED" = 0 ]

# --- wrong usage ---

for place in 0.0.0.0:9711 192.0.2.1:9711 "[::]:9711" "[2001:db8::1]:9711"; do
  check "not on $place" wrong "other machines could read it" exporter --listen "$place"
done
for place in 9711 127.0.0.1 127.0.0.1: :9711 ::1:9711 127.0.0.1:99999 example.org:9711 unix: \
  unix:here "127.0.0.1:9711x" ""; do
  check "no place: '$place'" wrong "--listen is ADDRESS:PORT or unix:/PATH" exporter --listen "$place"
done
check "a long path" wrong "at most 107 bytes" exporter --listen "unix:/$(seq -s / 100)"
check "two ways" wrong "does not go with --textfile" exporter --listen 127.0.0.1:0 --textfile x
check "an interval of nothing" wrong "goes with --textfile" exporter --interval 1s
check "a short one" wrong "from 1s to 1d" exporter --textfile x --interval 1ms
check "a mode of no socket" wrong "goes with --listen unix:" exporter --socket-mode 0600
check "no mode" wrong "a mode like 0660" exporter --listen unix:/x --socket-mode rw
check "an argument" wrong "takes no arguments" exporter last
check "no number" wrong "series-max" exporter --series-max many
start --listen 127.0.0.1:0
check "a port that is taken" ends 3 exporter --listen "${URL#http://}"
check "... is named" says "choose another place"
stop

# --- its units ---

if command -v systemd-analyze >/dev/null; then
  for unit in p11prof-exporter p11prof-collect; do
    sed "s|@P11PROF_BINDIR@|$(dirname "$P11PROF")|" "$ROOT/tools/systemd/$unit.service.in" >"$WORK/$unit.service"
  done
  (cd "$WORK" && systemd-analyze verify --man=no ./p11prof-exporter.service ./p11prof-collect.service) \
    >"$WORK/verified" 2>&1
  check "units are well-formed" [ "$?$(cat "$WORK/verified")" = 0 ]
  for unit in p11prof-exporter p11prof-collect; do
    check "$unit is exposed below 2.5" sh -c "systemd-analyze security --offline=yes --threshold=25 \
      --no-pager '$WORK/$unit.service' >'$WORK/security' 2>&1"
  done
fi

# --- its guide ---

for metric in $(sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' "$WORK/page" "$WORK/page.1" | sort -u); do
  check "$metric is in the guide" grep -q "\`$metric\`" "$ROOT/docs/exporter.md"
done
for option in $("$P11PROF" exporter --help | sed -n 's/^ *\(--[a-z-]*\).*/\1/p' |
  grep -v -e --help); do
  check "$option is in the guide" grep -q -e "\`$option" "$ROOT/docs/exporter.md"
done

finish
