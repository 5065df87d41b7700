#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof top: figures of live processes, whoever drains them, and the view on a terminal of 80 × 24.
# Environment: P11PROF, SHIM, DRIVER, DELAY_MODULE.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/report_shell.sh"
need "${SHIM:?}" "${DRIVER:?}" "${DELAY_MODULE:?}" tmux
export P11PROF_DB="$DB"
SCHEMA=top-schema.json
truncate -s 100K "$WORK/counts"
LIVE=
TERMINAL="p11prof-test-$$"
VIEWS=0
trap 'tmux -L "$TERMINAL" kill-server 2>/dev/null; kill $LIVE 2>/dev/null; wait
  rm -rf "$WORK" "$P11PROF_SPOOL"' EXIT

# lives DRAIN: a process whose four threads sleep 3 ms in each C_GenerateRandom, until the end.
lives() {
  env P11PROF_NAME="live-$1" P11PROF_DRAIN="$1" P11PROF_TEST_DELAY=sleep:3ms \
    P11PROF_MODULE="$DELAY_MODULE" "$DRIVER" "$SHIM" "$WORK/counts" finalize 4 1000000 &
  LIVE="$LIVE $!"
}

# of PATH: a value of the last JSON.
of() {
  sqlite3 :memory: "SELECT json_extract(readfile('$WORK/out'), '$1')"
}

# random COLUMN: of C_GenerateRandom in the last JSON.
random() {
  sqlite3 :memory: "SELECT json_extract(value, '$.$1') FROM json_each(readfile('$WORK/out'),
    '$.functions') WHERE json_extract(value, '$.function') = 'C_GenerateRandom'"
}

# holds CONDITION: of numbers, in SQL.
holds() {
  [ "$(sqlite3 :memory: "SELECT $1")" = 1 ]
}

check "nothing is recorded yet" wrong "has no recording yet" top --once --window 100ms
lives thread
first=$LIVE
has_rows() {
  [ "$(query "SELECT count(*) > 0 FROM calls WHERE function = 'C_GenerateRandom'" 2>/dev/null)" = 1 ]
}
check "it is recorded" within 20 has_rows
check "once" ends 0 top --once --window 2s --format json
check_schema "its JSON keeps to the schema" "$WORK/out"
check "it is one process" [ "$(of '$.process_count')" = 1 ]
check "... with its pid" [ "$(of '$.processes[0].pid')" = "${first# }" ]
check "calls come at most as fast as four threads sleep" \
  holds "$(random calls_per_s) BETWEEN 100 AND 2700"
check "... and take what they sleep" holds "$(random p50_ns) BETWEEN 3000000 AND 30000000"
check "... the p99 is no shorter" holds "$(random p99_ns) >= $(random p50_ns)"
check "... in up to four threads" holds "$(random busy) BETWEEN 0.5 AND 4.5"
check "... some are in flight" holds "$(of '$.in_flight_count') BETWEEN 1 AND 4"
check "... for less than a second" holds "$(of '$.oldest_ns') < 1000000000"
check "nothing fails" holds "$(random errors_per_s) = 0 AND $(of '$.lost_count') = 0"
rate=$(random calls_per_s)

lives external
lives exit
both() {
  ends 0 top --once --window 2s --format json && [ "$(of '$.process_count')" = 3 ] &&
    holds "$(random calls_per_s) > 1.2 * $rate"
}
check "what nobody drains is taken and counts too" within 20 both
check_schema "... and that JSON keeps to the schema" "$WORK/out"
check "of a process that drains at its end the calls in flight are known" [ "$(sqlite3 :memory: \
  "SELECT json_extract(value, '$.calls_per_s') IS NULL FROM json_each(readfile('$WORK/out'),
  '$.processes') WHERE json_extract(value, '$.state') = 'at its end'")" = 1 ]
P11PROF_DB=$WORK/other.db lives exit
has_4_spools() {
  [ "$(find "$P11PROF_SPOOL" -name '*.spool' | wc -l)" -ge 4 ]
}
check "a process that writes another database" within 20 has_4_spools
check "... is none of this one's" ends 0 top --once --window 200ms --format json
check "... nor are its calls" [ "$(of '$.process_count')" = 3 ]
check "one run alone" ends 0 top live-thread --once --window 1s --format json
check "... has one process" [ "$(of '$.process_count')" = 1 ]
check "no such run" wrong "did you mean 'live-thread'?" top live-threat --once
check "as text" ends 0 top --once --window 500ms
check "... with functions" shows "C_GenerateRandom"
check "... with processes" shows "at its end"
check "as CSV" ends 0 top --once --window 500ms --format csv
check "... with a heading" shows "function,calls_per_s,errors_per_s,busy,p50_ns,p99_ns"
check "a window that is too short" wrong "--window is a time from 100ms to 60s" top --once --window 1ms
check "without a terminal" wrong "wants a terminal" top

# screen: what the terminal shows. shown TEXT: it shows that. row TEXT: a line begins so. press KEY...:
# as a person would.
screen() {
  tmux -L "$TERMINAL" capture-pane -p
}
shown() {
  screen | grep -qF -e "$1"
}
row() {
  screen | grep -q "^$1"
}
press() {
  tmux -L "$TERMINAL" send-keys "$@"
}
# narrow: no line is broken and the last row is where it belongs.
narrow() {
  [ "$(screen | wc -l)" -le 24 ] && screen | tail -n 1 | grep -q '^q end'
}

# view TERM: starts it on a terminal of that kind, whose server is another one than the last, which
# may be ending; its exit code goes to $WORK/ended.
view() {
  VIEWS=$((VIEWS + 1))
  TERMINAL="p11prof-test-$$-$VIEWS"
  rm -f "$WORK/ended"
  tmux -L "$TERMINAL" -f /dev/null new-session -d -x 80 -y 24 \
    "TERM=$1 '$P11PROF' top --db '$DB' 2>'$WORK/notes'; echo \$? >'$WORK/ended'"
}
ended() {
  [ "$(cat "$WORK/ended" 2>/dev/null)" = "$1" ]
}

view screen
check "the view comes up" within 20 shown "C_GenerateRandom"
check "... in 80 columns" narrow
check "... with errors" shown "ERR/S"
check "... with percentiles" shown "P99"
press p
check "processes" within 20 shown "processes sorted by rate"
check "... with their state" shown "driver"
press p
check "functions again" within 20 shown "functions sorted by busy"
press n
check "sorted by name" within 20 shown "functions sorted by name"
press / i n i t
check "the filter is shown" within 20 shown "filter: init_"
press Enter
check "it leaves what fits" within 20 shown "C_Initialize"
check "... and nothing else" not row "C_GenerateRandom"
press Escape
check "all again" within 20 row "C_GenerateRandom"
press Space
check "paused" within 20 shown "PAUSED"
before=$(screen)
sleep 2
check "... nothing moves" [ "$(screen)" = "$before" ]
press Space h
check "help" within 20 shown "pause, go on"
press h
tmux -L "$TERMINAL" resize-window -x 100 -y 12
check "a terminal of another size" within 20 shown "COUNT"
press q
check "q ends it" within 20 ended 0
check "without a word" [ ! -s "$WORK/notes" ]

view screen
check "again" within 20 shown "C_GenerateRandom"
press C-c
check "SIGINT ends it" within 20 ended 130
view no-such-terminal
check "a terminal that nobody knows" within 20 ended 2
check "... is named" grep -q "terminal no-such-terminal is not known" "$WORK/notes"

# shellcheck disable=SC2086 # a list of ids
kill $LIVE
wait
LIVE=
finish
