#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof calls and errors, on recordings of modules that fail, wait and lose calls.
# Environment: P11PROF, SHIM, APP (record_app), DRIVER, ROOT, and modules NULL_, DELAY_, FAILS_, TOKEN_MODULE.

. "$(dirname "$0")/shell_test.sh"
need "${SHIM:?}" "${APP:?}" "${DRIVER:?}" "${ROOT:?}" "${NULL_MODULE:?}" "${DELAY_MODULE:?}" \
  "${FAILS_MODULE:?}" "${TOKEN_MODULE:?}" sqlite3 truncate
export P11PROF_DB="$DB" FAKE_PIN=1234
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

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
  grep -qF -e "$1" "$WORK/notes"
}
shows() {
  grep -qF -e "$1" "$WORK/out"
}

# wrong TEXT COMMAND...: is refused as bad input, and told so.
wrong() {
  text=$1
  shift
  { ends 2 "$@" && says "$text"; } || { cat "$WORK/notes" && false; }
}

# csv COLUMNS CALLS-OPTION...: the rows, without header.
csv() {
  columns=$1
  shift
  "$P11PROF" calls "$@" --format csv --columns "$columns" | tail -n +2 | tr -d '\r'
}

# from_csv SQL COMMAND...: a query of the table t that the command writes as CSV.
from_csv() {
  sql=$1
  shift
  "$P11PROF" "$@" --format csv >"$WORK/table.csv"
  printf '.mode csv\n.import %s t\n%s;\n' "$WORK/table.csv" "$sql" | sqlite3 :memory: | tr -d '\r"'
}

# drives NAME MODULE THREADS CALLS [VARIABLE=value...]
drives() {
  name=$1 module=$2 threads=$3 calls=$4
  shift 4
  rm -f "$WORK/counts"
  truncate -s 64K "$WORK/counts"
  env P11PROF_NAME="$name" P11PROF_MODULE="$module" "$@" \
    "$DRIVER" "$SHIM" "$WORK/counts" finalize "$threads" "$calls"
}

# Usage.
for command in calls errors; do
  check "help $command" ends 0 help "$command"
  check "$command without a database" wrong "no recording yet" "$command"
  check "$command with an unknown option" wrong "unknown option '--zzzzz'" "$command" --zzzzz
done

# Recordings: threads that sleep, a module that fails, one without rows, one that lost calls.
drives threads "$DELAY_MODULE" 3 20 P11PROF_TEST_DELAY=sleep:2ms
P11PROF_NAME=fails P11PROF_MODULE="$FAILS_MODULE" "$APP" "$SHIM"
P11PROF_NAME=summary P11PROF_RECORD=summary P11PROF_MODULE="$FAILS_MODULE" "$APP" "$SHIM"
drives lossy "$NULL_MODULE" 1 40000 P11PROF_DRAIN=external P11PROF_SPOOL_LIMIT=1MB
"$P11PROF" bench --module "$TOKEN_MODULE" --token-label fake --pin-source env:FAKE_PIN --quiet \
  --test rsa-2048-sign --threads 2 --iterations 20 --warmup 0 --cooldown 0 --record calls >/dev/null 2>&1

# Bad input.
check "no such run" wrong "there is no run 99" calls 99
check "one run" wrong "takes one run" calls 1 2
check "none" wrong "wants 1 or more" calls threads --slowest 0
check "none failed" wrong "wants 1 or more" calls threads --failed 0
check "no number" wrong "wants a number" calls --last -1
check "no moment" wrong "not 'yesterday'" calls threads --around yesterday
check "outside the run" wrong "outside run 1" calls threads --around 24h
check "no such call" wrong "has no call 999999999" calls threads --around call:999999999
check "two questions" wrong "ask one" calls --failed --last 3
check "no neighbours" wrong "goes with --around" calls --before 3
check "nearest column" wrong "did you mean 'duration_ns'?" calls --columns call_id,duration
check "no such function" wrong "did you mean 'C_WrapKey'?" calls threads --function C_Wrap
check "nothing selected" wrong "it has C_" calls threads --function C_Login
check "nothing slow enough" wrong "nothing of run" calls threads --slower-than 10h
check "nothing selected of errors" wrong "it has C_" errors threads --function C_Login
check "nothing selected as JSON" wrong "it has C_" errors threads --function C_Login --format json
check "nothing selected of calls as JSON" wrong "it has C_" calls threads --function C_Login \
  --format json
check "nor as a stream" wrong "it has C_" calls threads --all --function C_Login --format json
check "no such result" wrong "it has CKR_DEVICE_ERROR" errors fails --rv CKR_PIN_LOCKED
check "no such group" wrong "did you mean 'caller'?" errors --by callr

# Which calls.
check "the slowest" [ "$(csv duration_ns threads --slowest 5)" = \
  "$(query "SELECT duration_ns FROM calls WHERE run_id = 1 ORDER BY duration_ns DESC LIMIT 5")" ]
check "the last" [ "$(csv call_id threads --last 7)" = "$(query "SELECT call_id FROM (SELECT * FROM
  calls WHERE run_id = 1 ORDER BY start_ns DESC, call_id DESC LIMIT 7) ORDER BY start_ns, call_id")" ]
check "the failed" [ "$(csv function,rv fails --failed | sort | uniq -c | tr -s ' ')" = \
  " 7 C_GetInfo,CKR_FUNCTION_NOT_SUPPORTED
 1 C_Initialize,CKR_DEVICE_ERROR" ]
check "a number of failed" [ "$(csv call_id fails --failed 3 | wc -l)" = 3 ]
check "RUN before it" [ "$(csv call_id fails --failed | wc -l)" = 8 ]
check "none failed" ends 0 calls threads --failed
check "says so" shows "no call failed"
check "a filter" [ "$(csv function threads --function C_Initialize)" = C_Initialize ]

# Every call: as the view has it, and with gaps.
check "all" ends 0 calls threads --all --format csv
check "all of them" [ "$(tail -n +2 "$WORK/out" | wc -l)" = \
  "$(query "SELECT count(*) FROM calls WHERE run_id = 1")" ]
columns="call_id, start_ns, process_id, thread_id, function, kind, mechanism, key_type, key_bits,
  session, in_bytes, out_bytes, duration_ns, rv, rv_code"
check "with the values of the view" [ \
  "$(csv "$(echo "$columns,caller,caller_file" | tr -d ' \n')" threads --all)" = \
  "$(query "SELECT $columns, caller_site, caller FROM calls WHERE run_id = 1 ORDER BY call_id")" ]
check "gaps" [ "$(csv call_id,gap_ns threads --all | tr -d ' ')" = "$(query "SELECT call_id,
  start_ns - lag(start_ns + duration_ns) OVER (PARTITION BY process_id, thread_id ORDER BY call_id)
  FROM calls WHERE run_id = 1 ORDER BY call_id")" ]
check "the same gaps in a list" [ "$(csv call_id,gap_ns threads --slowest 1000 | sort)" = \
  "$(csv call_id,gap_ns threads --all | sort)" ]
check "times are UTC" [ "$(csv started_at threads --all | head -n 1 | cut -c 1-19)" = \
  "$(query "SELECT strftime('%Y-%m-%dT%H:%M:%S', (r.start_wall_ns + c.start_ns) / 1000000000,
    'unixepoch') AS t FROM runs AS r JOIN calls AS c ON c.run_id = r.run_id WHERE r.run_id = 1
    ORDER BY call_id LIMIT 1")" ]
check "as JSON" ends 0 calls threads --all --format json
check "that is JSON" [ "$(sqlite3 :memory: "SELECT json_array_length(readfile('$WORK/out'),
  '\$.calls')")" = "$(query "SELECT count(*) FROM calls WHERE run_id = 1")" ]
check "as Markdown" ends 0 calls threads --slowest 2 --format markdown
check "that is a table" [ "$(grep -c '^|' "$WORK/out")" = 4 ]

# Around a call: its thread, in the order of time; others that overlap it.
middle=$(query "SELECT call_id FROM calls WHERE run_id = 1 AND function = 'C_GenerateRandom'
  AND out_bytes = 10 LIMIT 1")
around="SELECT call_id FROM calls WHERE run_id = 1 AND thread_id =
  (SELECT thread_id FROM calls WHERE run_id = 1 AND call_id = $middle)
  AND out_bytes BETWEEN 8 AND 13 ORDER BY start_ns"
check "around a call" [ "$(csv call_id threads --around "call:$middle" --before 2 --after 3)" = \
  "$(query "$around")" ]
check "before, at, after" [ "$(csv relation threads --around "call:$middle" --before 1 --after 1 |
  tr '\n' ' ')" = "before at after " ]
check "other threads" [ "$(csv call_id,relation threads --around "call:$middle" --all-threads |
  grep in-flight | cut -d, -f1 | sort)" = "$(query "SELECT o.call_id FROM calls AS c JOIN calls AS o
    ON o.run_id = c.run_id AND o.thread_id <> c.thread_id AND o.start_ns <= c.start_ns
    AND o.start_ns + o.duration_ns >= c.start_ns WHERE c.run_id = 1 AND c.call_id = $middle
    ORDER BY 1" | sort)" ]
check "around the slowest" [ "$(csv call_id threads --around slowest --before 0 --after 0)" = \
  "$(csv call_id threads --slowest 1)" ]
moment=$(query "SELECT start_ns + duration_ns / 2 FROM calls WHERE run_id = 1
  AND call_id = $middle")
thread=$(query "SELECT thread_id FROM calls WHERE run_id = 1 AND call_id = $middle")
check "around a moment" [ "$(csv call_id threads --around "${moment}ns" --thread "$thread" \
  --before 0 --after 0)" = "$middle" ]
check "text marks it" ends 0 calls threads --around "call:$middle"
check "with a sign" grep -q "^  >  *$middle " "$WORK/out"

# A narrow terminal gets fewer columns, and no line that is longer.
if command -v script >/dev/null; then
  TERM=dumb script -qec "stty cols 80; '$P11PROF' calls threads" /dev/null 2>/dev/null |
    tr -d '\r' >"$WORK/out"
  check "80 columns" [ "$(awk 'length > 80' "$WORK/out" | grep -c C_)" = 0 ]
  check "the important ones" shows "DURATION"
  check "no others" not shows "KEY TYPE"
fi

# Without rows, and with losses.
check "calls of a summary" wrong "'p11prof errors 3' still answer" calls summary
check "errors of a summary" ends 0 errors summary
check "are counted" [ "$(from_csv "SELECT function, count, mean_ns > 0, p50_ns FROM t
  ORDER BY 1" errors summary | tr '\n' ' ')" = "C_GetInfo,7,1, C_Initialize,1,1, " ]
check "filters need rows" wrong "--thread needs the calls" errors summary --thread 1
check "losses" ends 0 calls lossy --last 1
check "are a note" says "were lost and are not here"
check "of errors too" ends 0 errors lossy
check "a note of errors" says "were lost"

# Errors.
check "errors" ends 0 errors fails
check "has both" [ "$(from_csv "SELECT function, rv, class, count, share FROM t ORDER BY 1" \
  errors fails)" = "C_GetInfo,CKR_FUNCTION_NOT_SUPPORTED,application,7,1.000000
C_Initialize,CKR_DEVICE_ERROR,token,1,1.000000" ]
check "times are those of the rows" [ "$(from_csv "SELECT first_ns, last_ns FROM t
  WHERE function = 'C_GetInfo'" errors fails)" = "$(query "SELECT min(start_ns), max(start_ns)
  FROM calls WHERE run_id = 2 AND function = 'C_GetInfo'")" ]
check "errors of several runs" [ "$(from_csv "SELECT count(DISTINCT run_id), count(*) FROM t" \
  errors fails summary)" = 2,4 ]
check "errors by program" [ "$(from_csv "SELECT DISTINCT program FROM t" errors fails --by program)" = \
  record_app ]
p11 errors fails
check "what it says" shows "CKR_DEVICE_ERROR: Token, reader or the connection"
check "nothing failed" ends 0 errors threads
check "says that nothing failed" shows "no call failed, of "
check "errors as JSON" ends 0 errors fails --format json
check "errors are JSON" [ "$(sqlite3 :memory: "SELECT json_extract(readfile('$WORK/out'),
  '\$.errors[0].class')")" = application ]
check "no errors as JSON" ends 0 errors threads --format json
check "are an empty array" [ "$(sqlite3 :memory: "SELECT json_array_length(readfile('$WORK/out'),
  '\$.errors')")" = 0 ]
check "no errors as CSV" [ "$("$P11PROF" errors threads --format csv | wc -l)" = 1 ]

# The commands of the guide work on the newest recording, the bench.
p11prof() {
  "$P11PROF" "$@"
}
awk '/^## / { mine = $2 == "Calls" || $2 == "Errors" } /^```/ { inside = /sh$/; next }
  mine && inside' "$ROOT/docs/reports.md" >"$WORK/guide"
check "the guide has commands" [ "$(wc -l <"$WORK/guide")" -ge 10 ]
while IFS= read -r line; do
  check "works: $line" eval "$line >'$WORK/out' 2>'$WORK/notes' </dev/null"
done <"$WORK/guide"

finish
