# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Sourced by the tests of `p11prof bench`, after shell_test.sh: the fake token and what they ask.
# shellcheck shell=sh disable=SC2034

need "${TOKEN:?}" sqlite3
LOG=$WORK/token.log
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:detect_leaks=0"
export TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS }handle_segv=0"
export P11PROF_TEST_TOKEN_LOG="$LOG" FAKE_PIN=1234

# bench OPTION...: on the fake token; stdout goes to $WORK/out, stderr to $WORK/notes.
bench() {
  "$P11PROF" bench --module "$TOKEN" --token-label fake --pin-source env:FAKE_PIN --db "$DB" \
    --quiet "$@" >"$WORK/out" 2>"$WORK/notes"
}

# bench_start OPTION...: the same in the background; its process is $COMMAND.
bench_start() {
  rm -f "$LOG"
  P11PROF_TEST_TOKEN=${RULES:-} "$P11PROF" bench --module "$TOKEN" --token-label fake \
    --pin-source env:FAKE_PIN --db "$DB" --quiet "$@" >"$WORK/out" 2>"$WORK/notes" &
  COMMAND=$!
  RULES=
}

# ended CODE SECONDS: how the command in the background ends, and when at the latest.
ended() {
  within "$2" not kill -0 "$COMMAND" 2>/dev/null || kill -KILL "$COMMAND"
  wait "$COMMAND"
  code=$?
  [ "$code" -eq "$1" ] || { echo "exit code $code" && cat "$WORK/notes" && false; }
}

# measured COUNT AFTER: more operations than that of a run later than AFTER are in the database.
measured() {
  [ "$(sqlite3 -readonly "$DB" "SELECT count(*) > $1 FROM operations
    WHERE run_id > $2 AND phase = 'measured'" 2>/dev/null)" = 1 ]
}

# newest_id: of runs; 0: there is none.
newest_id() {
  sqlite3 -readonly "$DB" "SELECT coalesce(max(run_id), 0) FROM runs" 2>/dev/null || echo 0
}

# workers COUNT: of the command in the background, there are so many.
workers() {
  [ "$(pgrep -c -P "$COMMAND")" = "$1" ]
}

# bends CODE OPTION...: how bench ends, of a token that does what $RULES says.
bends() {
  expected=$1
  shift
  rm -f "$LOG"
  P11PROF_TEST_TOKEN=${RULES:-} bench "$@"
  code=$?
  RULES=
  [ "$code" -eq "$expected" ] || { echo "exit code $code" && cat "$WORK/notes" && false; }
}

# says TEXT: the last bench did, on stderr.
says() {
  grep -qF -e "$1" "$WORK/notes" || { cat "$WORK/notes" && false; }
}

# is VALUE SQL: the answer of a query; LAST stands for the newest run.
is() {
  found=$(query "$(echo "$2" | tr '\n' ' ' | sed 's/LAST/(SELECT max(run_id) FROM runs)/g')" |
    tr -d '"')
  [ "$found" = "$1" ] || { echo "found: $found" && false; }
}

# operations PHASE COUNT [TEST]: operations of the newest run.
operations() {
  is "$2" "SELECT count(*) FROM operations WHERE run_id = LAST AND phase = '$1'
    AND test = '${3:-rsa-2048-sign}'"
}

# logged COUNT WORD: lines of the token's log.
logged() {
  found=$(grep -c "^$2 " "$LOG" 2>/dev/null)
  [ "${found:-0}" = "$1" ] || { echo "found: $found" && false; }
}

# token_is_clean: nothing was left open by any process that used it.
token_is_clean() {
  ! grep -v '^login' "$LOG" | grep -v 'sessions=0 objects=0'
}
