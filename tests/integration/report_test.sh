#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof report: what it counts is what SQL counts, for each filter and each word of --by; its page,
# columns, formats and redaction on real recordings. Environment: P11PROF, SHIM, APP (record_app),
# NULL_MODULE, DELAY_MODULE, TOKEN (module-token), ROOT.

. "$(dirname "$0")/shell_test.sh"
need "${SHIM:?}" "${APP:?}" "${ROOT:?}" "${NULL_MODULE:?}" "${DELAY_MODULE:?}" "${TOKEN:?}" \
  sqlite3 pkcs11-tool p11tool softhsm2-util python3 "$SOFTHSM"
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
export FAKE_PIN=1234
make_token
make_key 01 label-never-reported rsa:2048
make_key 02 other EC:prime256v1
echo 'some data' >"$WORK/data"

# p11 COMMAND...: stdout goes to $WORK/out, stderr to $WORK/notes.
p11() {
  "$P11PROF" "$@" >"$WORK/out" 2>"$WORK/notes"
}

# ends CODE COMMAND...: how p11prof ends; what is wrong goes to stderr and not to stdout.
ends() {
  expected=$1
  shift
  p11 "$@"
  [ $? -eq "$expected" ] && { [ "$expected" -lt 2 ] || ! [ -s "$WORK/out" ]; }
}

# says TEXT, shows TEXT: of the last p11.
says() {
  grep -qF -e "$1" "$WORK/notes" || { cat "$WORK/notes" && false; }
}
shows() {
  grep -qF -e "$1" "$WORK/out"
}

# wrong TEXT COMMAND...: is refused as wrong usage, and told so.
wrong() {
  text=$1
  shift
  ends 2 "$@" && says "$text"
}

# csv OPTION...: the rows of a report.
csv() {
  "$P11PROF" report "$@" --format csv | tail -n +2 | tr -d '\r'
}

# same WHAT FOUND EXPECTED
same() {
  [ -n "$2" ] && [ "$2" = "$3" ] && return
  echo "$1: found"
  echo "$2"
  echo "expected"
  echo "$3"
  false
}

# facts SQL: of table c, the calls of the view of that name with what --by and filters can ask for.
facts() {
  sqlite3 -csv "$WORK/facts.db" "$1" | tr -d '"\r'
}

# one SQL: the first value that the database has for it.
one() {
  sqlite3 -readonly "$DB" "$1" | head -n 1
}

# copy_facts: out of the database.
copy_facts() {
  sqlite3 "$WORK/facts.db" "ATTACH '$DB' AS d; CREATE TABLE c AS
    SELECT c.*, l.test, p.program, p.pid, r.name, r.host, r.token_label,
      r.start_wall_ns + c.start_ns AS wall_ns, r.duration_ns AS run_duration_ns
    FROM d.calls AS c JOIN d.runs AS r ON r.run_id = c.run_id
    JOIN d.processes AS p ON p.process_id = c.process_id
    LEFT JOIN d.loads AS l ON l.run_id = c.run_id AND l.load = c.load"
}

# by WORD [SQL]: each row of --by WORD is that of SQL's GROUP BY.
by() {
  case $1 in
  key | process | thread | slot | run) column=${1}_id ;;
  token) column=token_label ;;
  *) column=$1 ;;
  esac
  same "--by $1" "$(csv "$RUN" --by "$1" --columns "$column,kind,count,error_count,total_ns" |
    tr -d '"' | sort)" "$(facts "SELECT ${2:-$column}, kind, count(*),
      sum(rv NOT IN ('CKR_OK', 'undisclosed') AND kind != 'too-small'), sum(duration_ns)
    FROM c WHERE run_id IN ($RUN) GROUP BY 1, 2" | sort)"
}

# only CONDITION OPTION...: a report with these filters counts what SQL counts.
only() {
  condition=$1
  shift
  same "$*" "$(csv "$RUN" "$@" --by function,mechanism --columns count,total_ns |
    awk -F, '{ count += $1; ns += $2 } END { printf "%d,%.0f\n", count, ns }')" \
    "$(facts "SELECT count(*), sum(duration_ns) FROM c WHERE run_id IN ($RUN) AND $condition")"
}

# A recording with everything: two programs, five processes, errors, size queries, two keys.
tool="pkcs11-tool --module $SOFTHSM"
record --name everything --module "$SOFTHSM" -- sh -c "
  $tool --login --pin $PIN --test
  $tool --login --pin wrong-pin -O
  $tool --login --pin $PIN --sign --id 01 --mechanism SHA256-RSA-PKCS -i $WORK/data -o $WORK/1
  $tool --login --pin $PIN --sign --id 02 --mechanism ECDSA-SHA1 -i $WORK/data -o $WORK/2
  $tool --generate-random 16 -o $WORK/3
  p11tool --provider $SOFTHSM --list-all 'pkcs11:token=test'" >/dev/null 2>&1
export P11PROF_DB="$DB"

# Every command of the guide works on it.
awk '/^## / { mine = $2 == "Report" } /^```/ { inside = mine && $0 == "```sh"; next } inside' \
  "$ROOT/docs/reports.md" | sed 's/12,13,14/1,last/; s/nightly/everything/; s/last~1/1/' >"$WORK/guide"
check "the guide has commands" [ "$(grep -c '^p11prof report' "$WORK/guide")" -ge 10 ]
while read -r command; do
  check "as the guide says: $command" sh -c "'$P11PROF' ${command#p11prof } >'$WORK/out'" </dev/null
  check "with an answer" [ -s "$WORK/out" ]
done <"$WORK/guide"

record --name waits --module "$NULL_MODULE" -- "$APP" "$NULL_MODULE" >/dev/null
"$P11PROF" bench --module "$TOKEN" --token-label fake --pin-source env:FAKE_PIN --quiet --record calls \
  --name load --test rsa-2048-sign,sha-256 --threads 2 --iterations 30 --warmup 3 >"$WORK/bench" \
  2>"$WORK/notes" || cat "$WORK/notes"
P11PROF_RECORD=summary P11PROF_NAME=summary P11PROF_MODULE=$NULL_MODULE "$APP" "$SHIM"
p11 collect --spool "$P11PROF_SPOOL"
check "four runs are there" [ "$(one 'SELECT group_concat(name) FROM runs')" = \
  everything,waits,load,summary ]
copy_facts

# --by, against SQL: of a run, of a bench, of runs together.
for RUN in 1 3 1,2,3; do
  for word in function mechanism kind operation key_type key_bits key caller process program thread \
    session slot rv run name host token test; do
    check "$RUN by $word is what SQL says" by "$word"
  done
  time="CAST(wall_ns / 1000000000 AS INTEGER), 'unixepoch'"
  check "$RUN by minute is what SQL says" by minute "strftime('%Y-%m-%dT%H:%MZ', $time)"
  check "$RUN by hour is what SQL says" by hour "strftime('%Y-%m-%dT%H:00Z', $time)"
  check "$RUN by day is what SQL says" by day "strftime('%Y-%m-%d', $time)"
done

# Filters, against SQL: by the value that most calls have.
for RUN in 1 3; do
  for option in function:function operation:operation mechanism:mechanism key-type:key_type \
    key-bits:key_bits key:key_id process:process_id process:pid program:program thread:thread_id \
    session:session slot:slot_id caller:caller rv:rv kind:kind test:test; do
    column=${option#*:}
    option=${option%:*}
    value=$(facts "SELECT $column FROM c WHERE run_id = $RUN AND $column IS NOT NULL
      GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    [ -n "$value" ] || continue
    check "$RUN --$option $value" only "CAST($column AS TEXT) = '$value'" "--$option" "$value"
    others="CAST($column AS TEXT) IS NOT '$value'"
    if [ "$(facts "SELECT count(*) FROM c WHERE run_id = $RUN AND $others")" = 0 ]; then
      check "$RUN has no other $column" wrong "nothing in run $RUN has" \
        report "$RUN" "--$option" "!$value"
    else
      check "$RUN --$option !$value" only "$others" "--$option" "!$value"
    fi
  done
done
RUN=1
check "without prefix, several" only "function IN ('C_Sign', 'C_Login')" --function sign,C_LOGIN
check "wildcard" only "function LIKE 'C_Find%'" --function 'C_Find*'
check "unknown" only "mechanism IS NULL" --mechanism -
check "failed" only "rv NOT IN ('CKR_OK', 'undisclosed')" --rv failed
check "slower" only "duration_ns >= 50000" --slower-than 50us
half=$(facts "SELECT avg(start_ns) / 1000 FROM c WHERE run_id = 1")
half=${half%.*}
check "since" only "start_ns >= $half * 1000" --since "${half}us"
check "until" only "start_ns < $half * 1000" --until "${half}us"
back=$(facts "SELECT (run_duration_ns - avg(start_ns)) / 1000 FROM c WHERE run_id = 1")
back=${back%.*}
check "since, before the end" only "start_ns >= run_duration_ns - $back * 1000" --since "-${back}us"
check "until, before the end" only "start_ns < run_duration_ns - $back * 1000" --until "-${back}us"
middle=$(facts "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', avg(wall_ns) / 1e9, 'unixepoch')
  FROM c WHERE run_id = 1")
middle_ns="(SELECT CAST(strftime('%s', '$middle') AS INTEGER) * 1000000000
  + substr('$middle', 21, 3) * 1000000)"
check "since, UTC" only "wall_ns >= $middle_ns" --since "$middle"
check "together" only "function = 'C_Sign' AND key_bits = 2048 AND start_ns >= 1000000" \
  --function C_Sign --key-bits 2048 --since 1ms

# What is selected is said, and nothing is an error.
check "a selection" ends 0 report 1 --function C_Sign --since 1ms
check "it is said" shows "  only        --function C_Sign --since 1ms: all below is of that"
check "so is how much it is" shows "$(facts "SELECT count(*) FROM c WHERE run_id = 1
  AND function = 'C_Sign' AND start_ns >= 1000000") of $(one "SELECT call_count FROM runs
  WHERE run_id = 1"), 0 lost"
check "nothing has that word" wrong "the program 'nobody': it has p11tool, pkcs11-tool" \
  report 1 --program nobody
check "no such function" wrong "did you mean 'C_SignInit'?" report 1 --function C_SignInt
check "nothing is that slow" wrong "is that slow" report 1 --slower-than 1h
check "not both" wrong "fits all filters together" report 1 --function C_Login --mechanism CKM_ECDSA_SHA1
check "no time" wrong "wants a time" report 1 --since yesterday
check "no duration" wrong "--slower-than wants a time" report 1 --slower-than 0
check "no number" wrong "is a number" report 1 --session first
check "no test in it" wrong "nothing in run 1 has the test" report 1 --test rsa-2048-sign
check "a summary has no threads" wrong "not kept one by one" report summary --thread 1

# The page.
check "report" ends 0 report 1
for text in "Run 1 everything (profile, finished)" "  time  " " in the module (" " between calls" \
  "  start-up    of 3 processes until their first operation: median" "Calls" "Operations" \
  "Size queries, too small buffers, calls that wait" "size queries " "Errors" "CKR_PIN_INCORRECT" \
  "P99.9      MAX" "(--top 0 shows all)"; do
  check "it shows: $text" shows "$text"
done
check "no column is left out where there is no terminal" not shows "Left out"
check "all rows" ends 0 report 1 --top 0
check "nothing is summed" not shows "more row"
check "two rows" ends 0 report 1 --top 2 --by function
check "the rest is summed" [ "$(grep -c '… [0-9]* more row' "$WORK/out")" -ge 2 ]
check "runs together" ends 0 report 1,2,1
check "they are named once" shows "Runs 1, 2: everything, waits, taken together (profile, finished)"
check "one after the other" ends 0 report everything waits
check "two titles" [ "$(grep -c '^Run [12] ' "$WORK/out")" = 2 ]
check "a summary" ends 0 report summary
check "has histograms" shows "percentiles from histograms (within 0.5 %)"
check "and no start-up" not shows start-up
check "its waits" ends 0 report waits
check "start-up needs an operation" not shows start-up
check "a bench" ends 0 report load
check "its results come first" [ "$(head -n 1 "$WORK/out")" = Results ]
check "and its page" shows "Run 3 load (bench, finished)"

# Columns and order.
check "columns" ends 0 report 1 --columns p99_ns,function,count --sort count
check "in their order" grep -qE '^ +P99  FUNCTION +COUNT$' "$WORK/out"
check "a column of another table" ends 0 report 1 --columns ops_per_s
check "is shown there only" [ "$(grep -c 'OPS/S' "$WORK/out")" = 1 ]
check "as CSV" [ "$("$P11PROF" report 1 --columns count,function --format csv | head -n 1 |
  tr -d '\r')" = count,function ]
check "as CSV of a bench" [ "$("$P11PROF" report 3 --columns test,count --format csv |
  tr -d '\r' | tr '\n' ' ')" = "test,count rsa-2048-sign,60 sha-256,60 " ]
check "no such column" wrong "--columns has no column 'p9_ns': did you mean 'p90_ns'?" \
  report 1 --columns count,p9_ns
check "an empty column" wrong "--columns has no column ''" report 1 --columns ""
check "JSON has all columns" wrong "--columns is not for JSON" report 1 --columns count --format json
check "sorted by a column of operations" ends 0 report 1 --sort ops_per_s
check "no such order" wrong "did you mean 'total_ns'?" report 1 --sort total
csv 1 --by minute,function --columns minute >"$WORK/minutes"
check "times are in their order" sort -c "$WORK/minutes"
check "by count" [ "$(csv 1 --sort count --by kind --columns count | sort -rn)" = \
  "$(csv 1 --sort count --by kind --columns count)" ]
if command -v script >/dev/null; then
  # On a terminal of 80 columns.
  script -qec "stty cols 80; '$P11PROF' report 1" /dev/null </dev/null | tr -d '\r' >"$WORK/out"
  check "what does not fit is left out" shows "Left out for want of width: P99.9, P90"
  check "no table is wider" [ "$(sed -n '/^Calls/,/^~/p' "$WORK/out" | sed 's/…/./g' |
    awk 'length($0) > 80' | wc -l)" = 0 ]
fi

# Formats.
is_json() {
  python3 -m json.tool "$WORK/out" >/dev/null
}
# from_json EXPRESSION: of the document d.
from_json() {
  python3 -c "import json, sys; d = json.load(open(sys.argv[1])); print($1)" "$WORK/out"
}
check "JSON" ends 0 report 1 --format json
check "is JSON" is_json
check "its keys" [ "$(from_json '*d')" = \
  "schema runs processes results functions errors losses in_flight skipped times startup selection" ]
check "its times" [ "$(from_json 'd["times"][0]["total_ns"] ==
  sum(f["total_ns"] for f in d["functions"] if f["kind"] != "blocking")')" = True ]
check "its threads" [ "$(from_json 'd["times"][0]["thread_count"]')" = \
  "$(one "SELECT count(*) FROM threads WHERE run_id = 1")" ]
check "its time in the module" [ "$(from_json 'd["times"][0]["in_module_ns"]')" = \
  "$(one "SELECT sum(in_module_ns) FROM threads WHERE run_id = 1")" ]
# The first call of an operation in each process, and what was called before.
check "its start-ups" same startup "$(from_json '"\n".join(sorted("%d,%d,%s" % (s["process_id"],
  s["call_count"], s["function"]) for s in d["startup"]))')" "$(facts "
  WITH f AS (SELECT process_id, min(call_id) AS call_id FROM c WHERE run_id = 1 AND function IN
    ('C_SignInit', 'C_DigestInit', 'C_EncryptInit', 'C_DecryptInit', 'C_VerifyInit', 'C_WrapKey',
     'C_GenerateKey', 'C_GenerateKeyPair', 'C_DeriveKey', 'C_UnwrapKey') GROUP BY process_id)
  SELECT f.process_id, (SELECT count(*) FROM c AS b WHERE b.process_id = f.process_id
    AND b.call_id < f.call_id), c.function FROM f JOIN c ON c.call_id = f.call_id" | sort)"
check "JSON of a selection" ends 0 report 1 --function C_Sign --format json
check "says what is selected" [ "$(from_json 'd["selection"]')" = "--function C_Sign" ]
check "bench and report print the same" sh -c "'$P11PROF' bench --module '$TOKEN' \
  --token-label fake --pin-source env:FAKE_PIN --quiet --test sha-256 --iterations 20 --format json \
  >'$WORK/bench' && '$P11PROF' report last --format json | cmp -s '$WORK/bench'"
check "Markdown" ends 0 report 1 --format markdown
check "has tables" shows "| FUNCTION | MECHANISM | COUNT |"
check "CSV is one table" [ "$("$P11PROF" report 1 --format csv | tr -d '\r' |
  awk -F, '{ print NF }' | sort -u | wc -l)" = 1 ]

# Nobody is named in a report for others.
HOST=$(one "SELECT host FROM runs WHERE run_id = 1")
SERIAL=$(one "SELECT token_serial FROM runs WHERE run_id = 1")
for format in text json csv markdown; do
  for words in function program,caller run,name,host,token; do
    check "redacted $format by $words" ends 0 report 1 --redact --format "$format" --by "$words"
    for word in everything pkcs11-tool p11tool "$HOST" "${SERIAL:-no serial}" "${SOFTHSM%/*}" \
      label-never-reported; do
      check "without $word" not grep -qwF -e "$word" "$WORK/out"
    done
  done
done
check "what is left out has a name" ends 0 report 1 --redact --by program
check "its own" shows "program 1"
check "redacted filter" ends 0 report 1 --redact --program pkcs11-tool
check "is not said" shows "--program (redacted)"

# Bad input.
check "no such run" wrong "there is no run 99" report 99
check "nearest run" wrong "did you mean 'everything'?" report everythin
check "too far back" wrong "last~7 is too far back: there are 5 runs" report last~7
check "an empty name" wrong "there is no run named ''" report 1,,2
check "no database" wrong "p11prof record --module" report --db "$WORK/none.db"
: >"$WORK/empty.db"
check "an empty database" ends 2 report --db "$WORK/empty.db"
check "is no reason to crash" [ -s "$WORK/notes" ]

# A run that is still being recorded.
P11PROF_TEST_DELAY=sleep:500ms P11PROF_MODULE=$DELAY_MODULE P11PROF_NAME=live "$APP" "$SHIM" &
tries=0
until { p11 report live && shows "still being recorded"; } || [ "$tries" -ge 50 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
check "a live run says so" shows "  state       still being recorded: what is here so far"
check "as JSON" ends 0 report live --format json
check "that is JSON" is_json
wait $!
p11 report live
check "an ended one does not" not shows "still being recorded"

finish
