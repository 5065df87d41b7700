#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Who called: functions of a program that this test builds variants of, and folded stacks.
# Environment: P11PROF, APP (record_app), NULL_MODULE, TOKEN (a module with one), SYMBOLS (the helper).

HERE=$(dirname "$0")
. "$HERE/shell_test.sh"
. "$HERE/report_shell.sh"
need strip nm
export P11PROF_DB="$DB"
umask 022

# run NAME: a copy of the program of that name, which is old enough to be the one that was loaded.
run() {
  [ -e "$WORK/$1" ] || cp "$APP" "$WORK/$1"
  sleep 0.1
  record --name "$1" --module "$NULL_MODULE" -- "$WORK/$1" "$NULL_MODULE" >/dev/null
}

# callers RUN: of C_GetInfo.
callers() {
  "$P11PROF" report "$1" --by caller --function C_GetInfo --format csv --columns caller,count |
    tail -n +2 | tr -d '\r'
}

# like TEXT PATTERN
like() {
  echo "$1" | grep -qxE "$2" || { echo "found: $1" && false; }
}

run named
check "a function and an offset" like "$(callers named)" 'named:(use|main)\+0x[0-9a-f]+,7'
check "the library is the file" [ "$(csv named --by library --function C_GetInfo \
  --columns caller_file,count)" = named,7 ]
fact() {
  query "SELECT DISTINCT $1 FROM calls JOIN runs USING (run_id) WHERE name = '$2'
    AND function = 'C_GetInfo'"
}
site=$(fact caller_site named)
symbol=$(fact caller_symbol named)
check "the view has it" [ "$(callers named)" = "$site,7" ]
start=$(nm "$WORK/named" | awk -v name="$symbol" '$3 == name { print $1 }')
check "the function begins there" [ "$(fact caller_offset_bytes named)" = \
  $((0x$start + ${site##*+})) ]
for word in named "$symbol" "$site" 'named:*' '*+0x*'; do
  check "--caller $word" [ "$(csv named --caller "$word" --function C_GetInfo --by function \
    --columns count)" = 7 ]
done
check "--library named" [ "$(csv named --library named --function C_GetInfo --by function \
  --columns count)" = 7 ]
check "a library is no function" wrong "nothing in run" report named --library "$symbol"
check "redacted" ends 0 report named --by caller,library,function --redact
check "no name is in it" not grep -qE "named:|$symbol" "$WORK/out"
check "but numbers" grep -qE 'caller [0-9]+ +library [0-9]+ +C_GetInfo' "$WORK/out"

cp "$APP" "$WORK/stripped"
strip "$WORK/stripped"
run stripped
check "without symbols, the offset" like "$(callers stripped)" 'stripped\+0x[0-9a-f]+,7'

run replaced
cp "$APP" "$WORK/other" && mv "$WORK/other" "$WORK/replaced"
check "not of another file" like "$(callers replaced)" 'replaced\+0x[0-9a-f]+,7'

run shared
chmod 666 "$WORK/shared"
check "not of a file that others may write" like "$(callers shared)" 'shared\+0x[0-9a-f]+,7'

# A helper that dies, and one that is missing.
printf '#!/bin/sh\nread line\nkill -9 $$\n' >"$WORK/dies" && chmod 755 "$WORK/dies"
run dying
check "a helper may die of a file" env P11PROF_SYMBOLS="$WORK/dies" "$P11PROF" report dying >/dev/null
check "it is not asked again" like "$(callers dying)" 'dying\+0x[0-9a-f]+,7'
run missing
check "a helper may be missing" env P11PROF_SYMBOLS="$WORK/none" "$P11PROF" report missing >/dev/null
check "then it is asked later" like "$(callers missing)" 'missing:(use|main)\+0x[0-9a-f]+,7'
check "without collecting nobody asks" env P11PROF_SYMBOLS="$WORK/none" "$P11PROF" report missing \
  --no-collect >/dev/null

# Files that are no programs, or damaged ones: the helper answers each line.
head -c 3000 "$APP" >"$WORK/cut"
mkfifo "$WORK/fifo"
printf '1 9999999999999999999 %s\n' "$WORK/cut" "$WORK/fifo" "$WORK" /dev/zero "$WORK/none" \
  "$WORK/notes" >"$WORK/questions"
check "nothing is known of odd files" [ "$("$SYMBOLS" <"$WORK/questions" | grep -cx -e -)" = 6 ]

# A name that would be two answers.
if command -v objcopy >/dev/null; then
  objcopy --redefine-sym "$symbol=two
lines" "$APP" "$WORK/odd"
  printf '%x 9999999999999999999 %s\n' $((0x$start + ${site##*+})) "$WORK/odd" >"$WORK/questions"
  check "a name is one line" [ "$("$SYMBOLS" <"$WORK/questions" | cut -d ' ' -f 2-)" = two?lines ]
fi

# Root believes no file of a user, but does not say in his database that they have no functions.
if [ "$(id -u)" = 0 ]; then
  cp "$APP" "$WORK/users" && chown 65533 "$WORK/users"
  sleep 0.1
  users() {
    P11PROF_DB="$WORK/users.db" "$P11PROF" "$@" >"$WORK/out" 2>"$WORK/notes"
  }
  users record --module "$NULL_MODULE" -- true
  chown 65533 "$WORK/users.db"
  users record --module "$NULL_MODULE" -- "$WORK/users" "$NULL_MODULE"
  check "root looks into a user's database" users report last
  check "his files may still have functions" [ "$(sqlite3 "$WORK/users.db" "SELECT count(*) > 0
    FROM caller WHERE name = 'users' AND symbol IS NULL")" = 1 ]
fi

# Folded stacks.
total() {
  query "SELECT sum(in_module_ns) FROM threads JOIN runs USING (run_id) WHERE name = '$1'"
}
folded() {
  "$P11PROF" export "$@" --format folded >"$WORK/folded"
}
weights() {
  awk '{ sum += $NF } END { printf "%.0f\n", sum }' "$WORK/folded"
}
check "folded" folded named
check "it adds up" [ "$(weights)" = "$(total named)" ]
check "a line is a stack and a number" not grep -qvE '^[^ ]+ [0-9]+$' "$WORK/folded"
check "with its frames" grep -qE "^named;named:$symbol;C_GetInfo [0-9]+\$" "$WORK/folded"
check "redacted" folded named --redact
check "no name is in it" not grep -q named "$WORK/folded"
check "it adds up as well" [ "$(weights)" = "$(total named)" ]
export FAKE_PIN=1234
"$P11PROF" bench --module "$TOKEN" --token-label fake --pin-source env:FAKE_PIN --quiet \
  --test rsa-2048-sign --iterations 20 --warmup 0 --record calls --name load >/dev/null \
  2>"$WORK/notes"
check "of a bench" folded load
check "it adds up" [ "$(weights)" = "$(total load)" ]
check "with operations" grep -qE ';sign\(CKM_[A-Z0-9_]+(,CKK_RSA.*)?\);C_SignInit [0-9]+$' \
  "$WORK/folded"
check "nothing is selected" wrong "has the function" export named --format folded --function C_Sign

finish
