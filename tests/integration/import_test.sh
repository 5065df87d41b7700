#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof import: logs that pkcs11-spy writes here and now, files of p11perftest, and what every
# command makes of runs without durations; and the examples of docs/import.md.
# Environment: P11PROF, ROOT.

. "$(dirname "$0")/shell_test.sh"
SPY=$(find /usr/lib/*/pkcs11-spy.so 2>/dev/null | head -n 1)
SPY=${SPY:-pkcs11-spy.so}
need "${ROOT:?}" "$SPY" "$SOFTHSM" pkcs11-tool softhsm2-util sqlite3 grep
export P11PROF_DB="$DB"

LABEL=label-never-recorded
DATA=data-never-recorded-4711

# p11 COMMAND...: stdout goes to $WORK/out, stderr to $WORK/notes.
p11() {
  "$P11PROF" "$@" >"$WORK/out" 2>"$WORK/notes"
}

# ends CODE COMMAND...: how p11prof ends.
ends() {
  expected=$1
  shift
  p11 "$@" </dev/null
  code=$?
  [ "$code" -eq "$expected" ] && return
  echo "exit code $code" && cat "$WORK/notes" && false
}

# shows TEXT, says TEXT: of the last p11, on stdout or stderr.
shows() {
  grep -qF -e "$1" "$WORK/out"
}
says() {
  grep -qF -e "$1" "$WORK/notes"
}

# hex TEXT: as pkcs11-spy dumps it.
hex() {
  printf %s "$1" | od -An -tx1 | tr -d '\n' | tr a-f A-F
}

# tool LOG ARGUMENT...: pkcs11-tool, spied on.
tool() {
  log=$1
  shift
  env PKCS11SPY="$SOFTHSM" PKCS11SPY_OUTPUT="$WORK/$log" pkcs11-tool --module "$SPY" \
    --token-label spied --pin "$PIN" "$@" >"$WORK/tool" 2>&1
}

make_token_named spied
printf %s "$DATA" >"$WORK/data"
tool sign.log --keypairgen --key-type rsa:2048 --id 01 --label "$LABEL"
tool sign.log --sign -m SHA256-RSA-PKCS --id 01 -i "$WORK/data" -o "$WORK/signature"
tool other.log --hash -m SHA256 -i "$WORK/data" -o "$WORK/digest"
check "the log has the PIN" grep -qF "$(hex "$PIN" | cut -c2-12)" "$WORK/sign.log"

# --- what is taken ---

check "a log is imported" ends 0 import "$WORK/sign.log" --name spied
check "and said to be" shows "run 1: $(grep -cE '^[0-9]+: C_' "$WORK/sign.log") calls of 2 processes, without durations (pkcs11-spy)"
check "without a line that is not understood" not says "not understood"
check "the operation is there" [ "$(query "SELECT operation || ' ' || key_bits || ' ' || in_bytes || ' ' || count
  FROM operation_stats WHERE operation = 'sign'")" = "sign 2048 ${#DATA} 1" ]
check "no duration is" [ "$(query "SELECT count(*) FROM calls WHERE duration_ns IS NOT NULL")" = 0 ]
check "again, it is known" ends 0 import "$WORK/sign.log"
check "and named" shows "already imported as run 1"
check "with another name" ends 0 import "$WORK/sign.log" --name other
check "its name stays" shows "already imported as run 1, whose name stays"
from_stdin() {
  "$P11PROF" import - <"$1" >"$WORK/out" && shows "stdin: already imported as run 1"
}
check "by its content" from_stdin "$WORK/sign.log"
check "of two files" ends 0 import "$WORK/sign.log" "$WORK/other.log"
check "the new one is taken" shows "run 2"

# secret TEXT: it is nowhere in the database.
secret() {
  sqlite3 "$DB" "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
  ! grep -qF -e "$1" "$DB" && ! sqlite3 "$DB" .dump | grep -qiF -e "$1" -e "$(hex "$1")" \
    -e "$(hex "$1" | tr -d ' ')"
}
for text in "$PIN" "$LABEL" "$DATA" "$(head -c 8 "$WORK/signature" | tr -d '\0')"; do
  check "a secret of the log is not in the database" secret "$text"
done

# --- what is made of it ---

check "report" ends 0 report spied
check "says that there are no durations" shows "no durations: imported from pkcs11-spy"
check "and shows none" not grep -qE ' [0-9.]+ (ns|us)( |$)' "$WORK/out"
check "by thread" ends 0 report spied --by thread
check "it is unknown" grep -qE "^ +- +[0-9]+ " "$WORK/out"
check "histogram" ends 2 histogram spied
check "says so" says "run 1 has no durations: imported from pkcs11-spy"
check "timeline" ends 0 timeline spied
check "says so too" shows "no durations: imported from pkcs11-spy"
check "and draws the rate" shows "calls/s"
check "without latencies" not shows "latency: p50"
check "calls" ends 0 calls spied
check "says so as well" says "has no durations"
check "and lists the first ones" shows "The first"
check "calls around a call" ends 0 calls spied --around call:20
check "shows what came after it" grep -qE '^ +21 ' "$WORK/out"
check "around the slowest one" ends 2 calls spied --around slowest
check "of which there is none" says "run 1 has no durations: imported from pkcs11-spy: no call is the slowest"
check "a part of a trace" ends 0 export spied --format trace --limit 5
check "is the begin" says "calls, the first: --since"
check "--slower-than selects none" ends 2 calls spied --slower-than 1ns
check "in a report neither" ends 2 report spied --slower-than 1ns
check "errors" ends 0 errors spied
{
  printf '0: C_SignInit\n2026-03-01 10:00:00.000\n[in] hSession = 0x1\nReturned:  0 CKR_OK\n'
} >"$WORK/bare.log"
check "a log that begins with an operation" ends 0 import "$WORK/bare.log" --name bare --db "$WORK/bare.db"
check "has a start-up" ends 0 report bare --db "$WORK/bare.db"
check "of no calls" shows "until C_SignInit: 0 calls"
check "and of no time in the module" not shows "in the module"
check "an objective" ends 1 report spied --slo 'p99<1s'
check "is unknown" says "p99 is unknown"
check "of counts it is not" ends 0 report spied --slo 'lost<1,count>10'
check "compare" ends 0 compare 1 2
check "says it of both" says "run 2 has no durations"
check "and finds nothing" shows "insufficient"
check "and no change" not grep -qE "regressed|improved" "$WORK/out"
check "a trend of times" ends 0 runs --trend p99 --function C_Login
check "trace" ends 0 export spied --format trace
check "has moments" shows '"ph":"i"'
check "of no duration" not shows '"dur"'
check "metrics" ends 0 export spied --format prometheus
check "have counters" shows p11prof_calls_total
check "and no times" not shows _seconds
check "every call as CSV" ends 0 export spied --format csv --calls
check "without a duration" [ "$(cut -d, -f22 "$WORK/out" | sort -u | tr -d '\r' | tr '\n' ' ')" = " duration_ns " ]
queries=$("$P11PROF" sql --list | awk 'NR > 1 { print "@" $1 }')
check "there are ready queries" [ "$(echo "$queries" | wc -l)" -ge 10 ]
# ready QUERY: of the run, or of all where it asks for none.
ready() {
  p11 sql "$1" --run spied </dev/null || ends 0 sql "$1"
}
for query in $queries; do
  check "query $query" ready "$query"
  check "has no negative time" not grep -qE '(^|[ ,])-[0-9]' "$WORK/out"
done
check "json" ends 0 export spied
cp "$WORK/out" "$WORK/spied.json"
check_schema "fits its schema" "$WORK/spied.json"
check "prune keeps the counts" ends 0 prune --calls-older-than 0m
check "all of them" [ "$(query "SELECT sum(count) FROM function_stats WHERE run_id = 1")" = \
  "$(query "SELECT call_count FROM runs WHERE run_id = 1")" ]
check "another database" ends 0 import "$WORK/other.log" --db "$WORK/second.db"
check "is merged" ends 0 merge "$WORK/second.db"
check "the run is known again" says "0 runs copied"

# --- p11perftest ---

FILES=$ROOT/tests/data/import
check "results are imported" ends 0 import --name theirs "$FILES/p11perftest.json"
check "and said to be" shows "8 results (p11perftest)"
check "the failed one too" says "1 results left out"
check "report of them" ends 0 report theirs
check "has their figures" grep -qE "rsa-2048-sign +8 B +1240 +806 us +- " "$WORK/out"
check "export of them" ends 0 export theirs --format csv
check "a trend of their rates" ends 0 runs --trend ops_per_s --test ecdsa-p256-sign
check "has the rate" grep -qE " 8281 " "$WORK/out"
check "of that test alone" [ "$(grep -c theirs "$WORK/out")" = 1 ]
check "a report of one test" ends 0 report theirs --test ecdsa-p256-sign
check "an objective of theirs" ends 0 report theirs --slo 'ecdsa-p256-sign.p99<1ms'
check "that is missed" ends 1 report theirs --slo 'ecdsa-p256-sign.p99<100us'
check "metrics of theirs" ends 0 export theirs --format prometheus
check "have no histogram" not shows latency_seconds_bucket
printf '{"New": {"k": {"v": {"iterations": "7", "latency": {"average": "1"}}}}}' >"$WORK/new.json"
check "an unknown test" ends 0 import --name new "$WORK/new.json"
check "is reported" ends 0 report new:new-k
check "as an operation without a name" grep -qE "^  - +- +- +- +7 +0 " "$WORK/out"
check "a bench of our own" ends 0 bench --test random-32 --duration 0.2s --warmup 1 --name ours --quiet
check "is taken together with theirs" ends 0 report theirs,ours
check "on the page" shows " in the module; 1 of 2 runs without durations"
check "with a word on their durations" says "has no durations: imported from p11perftest"
check "which keep their figures" grep -qE "rsa-2048-sign +8 B +1240 +806 us +- " "$WORK/out"
check "and are not said to have done nothing" not shows "NOTHING DONE"
check "with durations" ends 0 import --name points "$FILES/p11perftest-datapoints.json"
check "a report has medians" ends 0 report points
check "of the histogram" grep -qE "rsa-2048-sign +2 +2500 +800 us +801 us" "$WORK/out"
check "histogram draws them" ends 0 histogram points
sed '2s/"datapoints"/"none"/' "$FILES/p11perftest-datapoints.json" >"$WORK/half.json"
check "durations of one result of two" ends 0 import --name half "$WORK/half.json"
check "are drawn" ends 0 histogram half
check "without a failure of the other" not shows "all failed"
check "which has none" shows "no durations"
check "compare with itself" ends 0 compare points points
check "says that it cannot tell" shows insufficient

# --- what is wrong ---

check "no file" ends 2 import
check "a missing one" ends 2 import "$WORK/none"
check "a folder" ends 2 import "$WORK"
check "an unknown format" ends 2 import --format xml "$WORK/sign.log"
printf 'no log\n' >"$WORK/wrong"
check "a text" ends 2 import "$WORK/wrong"
check "is named" says "wrong: neither a log of pkcs11-spy nor JSON of p11perftest"
odd=$WORK/$(printf 'odd\377.log')
head -n 60 "$WORK/sign.log" >"$odd"
check "a file whose name is no UTF-8" ends 0 import "$odd"
check "is listed" ends 0 runs --format json
check "in UTF-8" iconv -f UTF-8 -t UTF-8 -o "$WORK/utf8" "$WORK/out"
check "and named" grep -q 'odd.*\.log' "$WORK/utf8"
gzip -c "$WORK/sign.log" >"$WORK/sign.log.gz"
check "a compressed log" ends 2 import "$WORK/sign.log.gz"
check "says how it is taken" says "sign.log.gz: compressed: 'gzip -dc FILE | p11prof import -'"
: >"$WORK/empty.log"
check "an empty file" ends 2 import "$WORK/empty.log"
check "is said to be empty" says "empty.log: empty"
check "a log as JSON" ends 2 import --format p11perftest "$WORK/other.log"
head -c 3000 "$FILES/p11perftest.json" >"$WORK/cut.json"
check "a cut document" ends 2 import "$WORK/cut.json"
check "one wrong file of two" ends 2 import "$WORK/wrong" "$WORK/sign.log"
check "does not keep the other out" shows "already imported"
head -n 40 "$WORK/sign.log" >"$WORK/cut.log"
printf 'the application says hello\n' >>"$WORK/cut.log"
check "a cut log" ends 0 import "$WORK/cut.log"
check "with a line of others" says "1 lines not understood, the first is line 41"

# --- the guide ---

awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$ROOT/docs/import.md" |
  sed "s|/tmp/|$WORK/guide-|g; s|/usr/lib/x86_64-linux-gnu/pkcs11-spy.so|$SPY|" >"$WORK/commands"
mkdir "$WORK/bin" && ln -s "$P11PROF" "$WORK/bin/p11prof"
PATH=$WORK/bin:$PATH
check "there are examples" [ "$(wc -l <"$WORK/commands")" -ge 5 ]
while read -r line; do
  check "$line" sh -c "$line >'$WORK/out' 2>'$WORK/notes' || { cat '$WORK/notes'; false; }" \
    </dev/null
done <"$WORK/commands"

finish
