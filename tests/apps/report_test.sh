#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof report of real programs: for each filter and each word of --by it counts what SQL counts;
# its page, columns, formats and redaction. Environment: P11PROF, ROOT.

. "$(dirname "$0")/../integration/shell_test.sh"
. "$(dirname "$0")/../integration/report_shell.sh"
need "${ROOT:?}" pkcs11-tool p11tool softhsm2-util "$SOFTHSM"
make_token
make_key 01 label-never-reported rsa:2048
make_key 02 other EC:prime256v1
echo 'some data' >"$WORK/data"

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
  "$ROOT/docs/reports.md" | sed 's/12,13,14/1,last/; s/nightly/everything/; s/last~1/1/; s/100ms/1ms/' \
  >"$WORK/guide"
check "the guide has commands" [ "$(grep -c '^p11prof report' "$WORK/guide")" -ge 10 ]
while read -r command; do
  check "as the guide says: $command" sh -c "'$P11PROF' ${command#p11prof } >'$WORK/out'" </dev/null
  check "with an answer" [ -s "$WORK/out" ]
done <"$WORK/guide"

record --name again --module "$SOFTHSM" -- pkcs11-tool --module "$SOFTHSM" -L >/dev/null
copy_facts

# Against SQL.
for RUN in 1 1,2; do
  by_all_words
done
# shellcheck disable=SC2034
RUN=1
only_all_options
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
# Columns and order.
check "columns" ends 0 report 1 --columns p99_ns,function,count --sort count
check "in their order" grep -qE '^ +P99  FUNCTION +COUNT$' "$WORK/out"
check "a column of another table" ends 0 report 1 --columns ops_per_s
check "is shown there only" [ "$(grep -c 'OPS/S' "$WORK/out")" = 1 ]
check "as CSV" [ "$("$P11PROF" report 1 --columns count,function --format csv | head -n 1 |
  tr -d '\r')" = count,function ]
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
check "JSON" ends 0 report 1 --format json
check "is JSON" is_json
check "its keys, insights apart" [ "$(from_json '*[key for key in d
  if key not in ("advice", "concurrency", "latency")]')" = \
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

finish
