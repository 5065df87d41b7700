#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# "Did you mean": whatever word is wrong, the nearest is named, and the exit code is that of wrong usage.
# Environment: P11PROF, SHIM, APP (record_app), NULL_MODULE.

# shellcheck disable=SC2317
. "$(dirname "$0")/shell_test.sh"
need "${SHIM:?}" "${APP:?}" "${NULL_MODULE:?}"
export P11PROF_DB="$DB"
P11PROF_MODULE=$NULL_MODULE P11PROF_DRAIN=external P11PROF_NAME=tokens "$APP" "$SHIM"
"$P11PROF" collect 2>"$WORK/notes"
"$P11PROF" baseline save before tokens 2>"$WORK/notes"
"$P11PROF" bench --module "$NULL_MODULE" --test ecdsa-p256-sign --iterations 10 --verify none --quiet --name load \
  >"$WORK/out" 2>"$WORK/notes"

# means WORD COMMAND...: that is what is said to be meant.
means() {
  meant=$1
  shift
  "$P11PROF" "$@" >"$WORK/out" 2>"$WORK/notes" </dev/null
  if [ $? -ne 2 ] || [ -s "$WORK/out" ] ||
    ! grep -qE "did you mean (the [a-z]+ )?['\"]${meant}['\"]\?" "$WORK/notes"; then
    cat "$WORK/notes" && false
  fi
}

# What is meant, and the command line.
while read -r meant line; do
  eval "set -- $line"
  check "p11prof $line" means "$meant" "$@"
done <<'END'
report reprot
help hepl
help man
runs list
--version -v
--version --verison
doctor help docter
--format report --formatt json
--no-collect runs --no-colect
--pin-source bench --pin-sorce env:PIN
json report --format jsn
junit compare --format junt 1 2
junit bench --format juint
prometheus export --format promethius
p11perftest import --format p11perfest x
sample bench --verify sampel
calls bench --record call
poisson bench --arrivals poison
always report --color alway
iteration timeline --x iterations
profile runs --kind profil
p999 runs --trend p9999
regressed compare --fail-on regresed 1 2
p95 compare --threshold p9=5% 1 2
history report --sections histori
caller report --by function,callr
caller errors --by callr
function histogram --by functon
p99_ns report --sort p99
total_ns report --columns count,total
duration_ns calls --columns call_id,duration
C_Sign report --function C_Sing
CKM_RSA_PKCS report --mechanism CKM_RSA_PKSC
CKK_RSA report --key-type CKK_RAS
CKR_DEVICE_ERROR report --rv CKR_DEVICE_EROR
failed errors --rv faild
size-query calls --kind sizequery
sign report --operation sgin
rsa-2048-sign bench --test rsa-2048-sing
sign bench --mix sgn:1
p9[0-9] bench --slo p98=20ms
p9[0-9] report --slo 'C_Sign.p98<1s'
tokens report tokns
last report lasst
@before report beforee
@before compare @befor last
before baseline show befor
show baseline shwo
rename runs renam
ecdsa-p256-sign report load:ecdsa-p256-sing
C_Initialize report tokens:C_Initialise
tokens prune --run toknes --calls-older-than 1d
load bench --like laod
load bench --suite-from laod
calls sql 'SELECT * FROM call_s'
function sql 'SELECT functoin FROM calls'
percentile sql 'SELECT percentle(duration_ns, 99) FROM calls'
@start-up sql @strat-up
END

# A setting in a file: p11prof doctor reads what a shim would.
mkdir "$WORK/copy"
cp "$SHIM" "$WORK/copy/hsm.so"
printf 'module = %s\nspool_limt = 8MB\n' "$NULL_MODULE" >"$WORK/copy/hsm.conf"
"$P11PROF" doctor --shim "$WORK/copy/hsm.so" >"$WORK/out" 2>"$WORK/notes"
check "a setting" grep -q "hsm.conf:2: spool_limt is no setting of p11prof: did you mean 'spool_limit'?" "$WORK/out"

# Nothing is meant by what is near nothing.
for line in 'xyzzy' 'report --zzzzz' 'report --format zzz' 'report zzzzz' 'sql @zzzzz' 'report --by zzzzz'; do
  # shellcheck disable=SC2086
  "$P11PROF" $line >"$WORK/out" 2>"$WORK/notes"
  check "$line is wrong" [ $? -eq 2 ]
  check "and near nothing" not grep -q 'did you mean' "$WORK/notes"
done

finish
