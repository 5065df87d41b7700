#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# HTML reports in headless Chromium: they render, sort and filter, load nothing, run nothing that
# was recorded, and say what the database says.
# Environment: P11PROF, SHIM, DRIVER, ROOT, TOKEN, NULL_MODULE, APP.

. "$(dirname "$0")/../integration/shell_test.sh"
. "$(dirname "$0")/../integration/bench_shell.sh"
need "${SHIM:?}" "${DRIVER:?}" "${ROOT:?}" "${NULL_MODULE:?}" "${APP:?}" truncate softhsm2-util pkcs11-tool \
  "$SOFTHSM" chromium chromedriver /usr/bin/python3
if ! /usr/bin/python3 -c 'import selenium' 2>/dev/null; then
  echo "skipped: python3-selenium is missing"
  exit 77
fi
export P11PROF_DB="$DB" HOME="$WORK"
HOSTILE='</script><script>alert(1)</script>"><img src=x onerror=alert(1)>&amp;'

# drives NAME [VARIABLE=value...]: 40000 calls.
drives() {
  name=$1
  shift
  rm -f "$WORK/counts"
  truncate -s 64K "$WORK/counts"
  env P11PROF_NAME="$name" P11PROF_MODULE="$NULL_MODULE" "$@" \
    "$DRIVER" "$SHIM" "$WORK/counts" finalize 1 40000
}

# exports FILE RUN... [OPTION...]
exports() {
  file=$WORK/$1
  shift
  if ! "$P11PROF" export "$@" --format html --output "$file.html" 2>"$WORK/notes" ||
    ! "$P11PROF" export "$@" --format json --output "$file.json" 2>"$WORK/notes"; then
    cat "$WORK/notes"
    return 1
  fi
  [ "$(wc -c <"$file.html")" -lt 2000000 ]
}

make_token_named '</script><script>alert(1)<'
mkdir "$WORK/programs"
program="$WORK/programs/<script>alert(1)<img src=x onerror=alert(1)>"
cp "$(command -v pkcs11-tool)" "$program"
record --name "$HOSTILE" --module "$SOFTHSM" -- "$program" --module "$SOFTHSM" --login \
  --pin "$PIN" --test >"$WORK/out" 2>&1
check "a hostile program is recorded" [ "$(newest token_label)" = '</script><script>alert(1)<' ]
habit="$WORK/programs/<b>&lt;<img src=x onerror=alert(2)>"
cp "$APP" "$habit"
make_key 01 first EC:prime256v1
record --name "findings $HOSTILE" --module "$SOFTHSM" -- "$habit" "$SOFTHSM" "$PIN" searching \
  first 200 >"$WORK/out" 2>&1
check "a program with a habit is recorded" [ $? -eq 0 ]
findings=$(newest run_id)
drives lossy P11PROF_DRAIN=external P11PROF_SPOOL_LIMIT=1MB
drives summary P11PROF_RECORD=summary
bench --name load --test rsa-2048-sign,aes-256-gcm-encrypt,sha-256 --threads 1,2 \
  --data-sizes 64,1KB --iterations 200 --warmup 2 --cooldown 0
check "bench" [ $? -eq 0 ]
bench --name mix --mix rsa-2048-sign:60%,sha-256:40% --threads 1,2 --iterations 200 --cooldown 0
check "a mix" [ $? -eq 0 ]
"$P11PROF" import --name imported "$ROOT/tests/data/import/p11perftest.json" >"$WORK/out" \
  2>"$WORK/notes"
sqlite3 "$DB" "INSERT INTO run (uuid, kind, name, state, start_wall_ns, start_monotonic_ns,
  duration_ns) VALUES (zeroblob(16), 'profile', 'empty', 'finished', 0, 0, 1000000000)"

check "of a profile" exports profile 1
check "of findings" exports findings "$findings"
check "of losses" exports lossy lossy
check "of a summary" exports summary summary
check "of a bench" exports bench load
check "of a mix" exports mix mix
check "of an import" exports imported imported
check "of nothing" exports empty empty
check "of several" exports several load lossy summary empty
check "of several taken together" exports together lossy,summary
check "of a selection" exports selected load --function C_Sign
check "redacted" exports redacted 1 --redact
set --
for file in profile findings lossy summary bench mix imported empty several together selected redacted; do
  check "one file: $file" [ "$(grep -c '</script' "$WORK/$file.html")" = 3 ]
  set -- "$@" "page:$file"
done
check "in a browser" /usr/bin/python3 "$ROOT/tests/apps/html_browser.py" "$WORK" "$@" bench:bench \
  insights:findings tables:bench hostile:profile losses:lossy several:several looks:bench closed:profile
check "redacted, no name is left" not grep -qF -e 'alert(1)' -e "$(hostname)" "$WORK/redacted.html"
grep -q 'Chart.js v3' "$WORK/bench.html"
check "Chart.js keeps its licence" grep -q 'Released under the MIT License' "$WORK/bench.html"

# How it ends.
ends() {
  expected=$1
  shift
  "$P11PROF" export "$@" >"$WORK/out" 2>"$WORK/notes"
  [ $? -eq "$expected" ] && { [ "$expected" -lt 2 ] || ! [ -s "$WORK/out" ]; }
}
check "to stdout" ends 0 load --format html
check "no such run" ends 2 nobody --format html
check "nothing selected" ends 2 load --format html --function C_Login,C_WaitForSlotEvent --rv failed
check "a limit of a page" ends 2 load --format html --limit 5
check "calls of a page" ends 2 load --format html --calls
check "redacted metrics" ends 2 load --format prometheus --redact
check "a full device" ends 3 load --format html --output /dev/full

finish
