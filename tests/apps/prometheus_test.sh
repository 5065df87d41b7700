#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Metrics end to end: pushed to a Pushgateway with the commands of the guide, scraped by a Prometheus,
# and asked for through its HTTP API.
# Environment: P11PROF, ROOT, TOKEN.

. "$(dirname "$0")/../integration/shell_test.sh"
. "$(dirname "$0")/../integration/bench_shell.sh"
. "$(dirname "$0")/servers.sh"
need "${ROOT:?}" prometheus prometheus-pushgateway promtool curl /usr/bin/python3
export P11PROF_DB="$DB"
# scraped: Prometheus has what was pushed.
scraped() {
  curl --silent --fail --get --data-urlencode 'query=p11prof_bench_operations_total' \
    "$PROMETHEUS/api/v1/query" >"$WORK/answer" && grep -q '"test":"sha-256"' "$WORK/answer"
}

check "a Pushgateway" serve gateway prometheus-pushgateway --persistence.file=
GATEWAY=$URL
cat >"$WORK/prometheus.yml" <<END
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: gateway
    honor_labels: true
    static_configs: [{targets: ['${GATEWAY#http://}']}]
END
check "a Prometheus" serve prometheus prometheus --config.file="$WORK/prometheus.yml" \
  --storage.tsdb.path="$WORK/tsdb"
PROMETHEUS=$URL
[ "$FAILED" -eq 0 ] || finish

bench --test rsa-2048-sign,sha-256 --threads 1,2 --iterations 400 --warmup 5 --cooldown 0
check "bench" [ $? -eq 0 ]

# The commands of the guide, on our servers.
p11prof() {
  "$P11PROF" "$@"
}
awk '/^```/ { inside = /sh$/; next } inside' "$ROOT/docs/export.md" |
  grep -e curl -e promtool -e /var/lib | sed -e "s|http://localhost:9091|$GATEWAY|" \
  -e "s|http://localhost:9090|$PROMETHEUS|" -e "s|/var/lib[^ ]*/|$WORK/|" >"$WORK/guide"
check "the guide has commands" [ "$(wc -l <"$WORK/guide")" -ge 4 ]
while IFS= read -r line; do
  check "works: $line" eval "{ $line; } >'$WORK/out' 2>'$WORK/notes' </dev/null"
  case $line in
  *metrics/job*) check "it is scraped" within 60 scraped ;;
  *histogram_quantile*) check "it answers" grep -q '"value":' "$WORK/out" ;;
  esac
done <"$WORK/guide"
check "the file is there" grep -q '^p11prof_bench_latency_seconds_bucket{' "$WORK/p11prof.prom"

"$P11PROF" export last >"$WORK/export.json"
check "percentiles are ours" /usr/bin/python3 "$ROOT/tests/apps/prometheus_quantiles.py" \
  "$PROMETHEUS" "$WORK/export.json"

# A profile, and the same run once more: the gateway takes both.
record --module "$TOKEN" -- "$P11PROF" bench --module "$TOKEN" --token-label fake \
  --pin-source env:FAKE_PIN --quiet --test sha-256 --threads 1 --iterations 5 --db "$WORK/own.db" \
  >/dev/null
for runs in last last last~1,last; do
  p11prof export "$runs" --format prometheus | curl --silent --fail --data-binary @- \
    "$GATEWAY/metrics/job/p11prof/instance/$runs" >"$WORK/out"
  check "the gateway takes $runs" [ $? -eq 0 ]
done

finish
