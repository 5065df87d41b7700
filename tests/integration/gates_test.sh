#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# What a CI job stops at: report --slo; and the baselines that later runs are held against.
# Environment: P11PROF, NULL_MODULE.

. "$(dirname "$0")/shell_test.sh"
need "${NULL_MODULE:?}" sqlite3 python3
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

# ends CODE COMMAND...: how p11prof ends.
ends() {
  expected=$1
  shift
  "$P11PROF" "$@" --db "$DB" >"$WORK/out" 2>"$WORK/notes"
  code=$?
  [ "$code" -eq "$expected" ] || { echo "exit code $code" && cat "$WORK/notes" && false; }
}
says() {
  grep -qF -e "$1" "$WORK/notes" || { cat "$WORK/notes" && false; }
}
shows() {
  grep -qF -e "$1" "$WORK/out" || { cat "$WORK/out" && false; }
}

for run in one two three; do
  "$P11PROF" bench --module "$NULL_MODULE" --db "$DB" --name $run --test ecdsa-p256-sign \
    --iterations 200 --quiet >"$WORK/out" 2>"$WORK/notes" || cat "$WORK/notes"
done

check "met" ends 0 report one --slo 'C_Sign.p50<10s,errors<0.1%,ecdsa-p256-sign.count>=200'
check "is shown" shows "Objectives"
check "by name" shows "C_Sign.p50"
check "missed" ends 1 report one --slo 'C_Sign.p50<10s,C_SignInit.max<=0ns,sign.count>1000000'
check "names the function" says "objective missed: C_SignInit.max is"
check "names the operation" says "objective missed: sign.count is"
check "not the one that is met" not says "C_Sign.p50"
check "missed by one of two runs" ends 1 report one two --slo 'lost>0'
check "taken together" ends 0 report one,two --slo 'ecdsa-p256-sign.count>=200'
check "with a filter" ends 0 report one --function C_SignInit --slo 'count>=200'
check "that leaves out what is asked for" ends 2 report one --function C_Login --slo 'count>=0'
check "CSV" ends 1 report one --format csv --slo 'count<1'
check "names it on stderr" says "objective missed: count is"
check "JSON" ends 1 report one --format json --slo 'errors<0.1%,count<1'
check "has numbers" python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))["objectives"]
assert [r["verdict"] for r in rows] == ["met", "missed"], rows
assert rows[0]["measured"] == 0 and rows[0]["bound"] == 0.001 and rows[1]["bound"] == 1, rows' \
  "$WORK/out"
check "unknown subject" ends 2 report one --slo 'C_Sing.p99<1s'
check "did you mean" says "did you mean 'C_Sign'?"
check "no unit" ends 2 report one --slo 'p99<20'
check "says so" says "a time such as 20ms"

# What others look at while it is recorded.
"$P11PROF" bench --module "$NULL_MODULE" --db "$DB" --name live --test ecdsa-p256-sign \
  --duration 4s --record summary --quiet >"$WORK/bench" 2>&1 &
bench=$!
tries=200
until ends 0 report live >/dev/null 2>&1 || [ $tries -eq 0 ]; do
  tries=$((tries - 1))
  sleep 0.1
done
check "a live bench" [ $tries -gt 0 ]
check "again" ends 0 report live
check "and its runs" ends 0 runs
wait "$bench"
code=$?
check "does not mind" [ "$code" -eq 0 ]
check "finishes" ends 0 report live
check "as such" shows "(bench, finished)"

check "no baselines" ends 0 baseline list
check "save" ends 0 baseline save release one,two
check "says how many" says "2 runs"
check "save again" ends 2 baseline save release three
check "is refused" says "--replace"
check "replace" ends 0 baseline save release one,two,three --replace
check "list" ends 0 baseline list --format csv
check "has three runs" shows ",3"
check "show" ends 0 baseline show @release --format json
check "shows them" python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))
assert [r["name"] for r in rows] == ["one", "two", "three"], rows' "$WORK/out"
check "a run of it cannot be deleted" ends 2 runs delete one --yes
check "names the baseline" says "'release'"
check "unknown" ends 2 baseline show releese
check "did you mean release" says "did you mean 'release'?"
check "a missing run" ends 2 baseline save other one,four
check "saves nothing" ends 2 baseline show other
for name in '' '@x' 'a,b' 'a/b' 'a:b'; do
  check "the name '$name'" ends 2 baseline save "$name" one
done
check "remove" ends 0 baseline remove release
check "twice" ends 2 baseline remove release
check "the run can go now" ends 0 runs delete one --yes
check "wrong word" ends 2 baseline lst
check "did you mean list" says "did you mean 'list'?"

finish
