#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench that is told to end, or is ended: what was measured is kept, nothing else is.
# Environment: P11PROF, TOKEN (the fake token).

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"

# keeps_results: the newest run was interrupted, and what it had done is there.
# shellcheck disable=SC2317
keeps_results() {
  is "interrupted,1,0" "SELECT state, call_count > 100, lost_count FROM runs WHERE run_id = LAST" &&
    is 1 "SELECT sum(count) > 20 FROM operation_stats WHERE run_id = LAST
      AND phase = 'measured'" &&
    is 1 "SELECT (SELECT sum(count) FROM operation_stats WHERE run_id = LAST
      AND phase = 'measured') = (SELECT sum(count) FROM load_threads WHERE run_id = LAST)"
}

# started OPTION...: a bench that is in the middle of what it measures.
started() {
  earlier=$(newest_id)
  bench_start --test rsa-2048-sign,aes-cmac --record calls --warmup 10 "$@"
  within 20 [ -s "$LOG" ]
}

# idle PROCESS: it does nothing for half a second.
idle() {
  ticks=$(cut -d ' ' -f 14,15 "/proc/$1/stat")
  sleep 0.5
  [ "$ticks" = "$(cut -d ' ' -f 14,15 "/proc/$1/stat")" ]
}

# gone: the workers $killed.
# shellcheck disable=SC2317
gone() {
  for worker in $killed; do
    kill -0 "$worker" 2>/dev/null && return 1
  done
  return 0
}

# A worker that hangs in the module while the command is killed: what becomes of it is seen below.
mkdir -m 700 "$WORK/spool"
RULES=hang=3000
spool=$P11PROF_SPOOL
P11PROF_SPOOL=$WORK/spool
started --iterations 100000 --threads 2
sleep 0.7
orphans=$(pgrep -P "$COMMAND")
kill -KILL "$COMMAND"
P11PROF_SPOOL=$spool
check "a worker hangs" [ -n "$orphans" ]

# Another one hangs while it makes keys; that is told of later.
mkdir -m 700 "$WORK/slow"
P11PROF_TEST_TOKEN=hang=10 P11PROF_TEST_TOKEN_LOG=$WORK/slow/log P11PROF_SPOOL=$WORK/slow \
  "$P11PROF" bench --module "$TOKEN" --token-label fake --pin-source env:FAKE_PIN \
  --db "$WORK/slow/db" --quiet --test rsa-2048-sign >"$WORK/slow/out" 2>"$WORK/slow/notes" &
slow=$!

for signal in INT:130 TERM:143 HUP:129; do
  RULES=delays=shuffled:1ms-3ms
  started --duration 60s --slices 200 --threads 2 --processes 2
  within 30 measured 100 "$earlier"
  kill -"${signal%:*}" "$COMMAND"
  check "$signal" ended "${signal#*:}" 20
  check "keeps the results" keeps_results
  check "leaves nothing on the token" token_is_clean
  check "both workers ended" logged 2 end
  check "nothing waits" [ -z "$(ls "$P11PROF_SPOOL")" ]
done

# From a terminal, workers get the signal as well.
earlier=$(newest_id)
P11PROF_TEST_TOKEN=delays=shuffled:1ms-3ms \
  setsid sh -c "exec $P11PROF bench --module $TOKEN --token-label fake --pin-source env:FAKE_PIN \
  --db $DB --quiet --test aes-cmac --duration 60s --slices 200 --record calls" >"$WORK/out" \
  2>"$WORK/notes" &
COMMAND=$!
within 30 measured 100 "$earlier"
kill -INT -"$COMMAND"
check "INT of all" ended 130 20
check "is no error" is 0 "SELECT sum(error_count) FROM load_threads WHERE run_id = LAST"
check "and keeps the results, too" keeps_results

# nohup.
(trap '' HUP && exec "$P11PROF" bench --module "$TOKEN" --token-label fake --db "$DB" --quiet \
  --pin-source env:FAKE_PIN --test sha-256 --duration 600ms) >"$WORK/out" 2>"$WORK/notes" &
COMMAND=$!
within 20 workers 1
kill -HUP "$COMMAND"
check "HUP that is ignored" ended 0 30

# While keys are made and tried.
RULES=delays=shuffled:100ms-200ms
bench_start --test rsa-2048-sign,ecdsa-p256-sign,aes-cmac,hmac-sha256 --iterations 1000
within 20 [ -s "$LOG" ]
sleep 0.3
kill -INT "$COMMAND"
check "INT while it prepares" ended 130 20
check "leaves no keys" token_is_clean
check "is an interruption" [ "$(newest state)" = interrupted ]

# A worker that is killed while it prepares: the others are asked no more.
RULES=delays=shuffled:100ms-200ms
bench_start --test rsa-2048-sign,ecdsa-p256-sign,aes-cmac,hmac-sha256 --iterations 1000 \
  --processes 3
within 20 logged 3 login
sleep 0.3
kill -KILL "$(pgrep -P "$COMMAND" | sed -n 2p)"
check "a worker lost while it prepares" ended 3 20
check "is told" says "worker 2 was killed (SIGKILL)"
check "the others leave nothing" token_is_clean
check "session keys are gone with it" not says "may be left on the token"
RULES=crash=300
check "a crash with keys on the token" bends 3 --test rsa-2048-sign --token-keys --iterations 1000
check "may leave them" says "keys may be left on the token: objects whose label begins with p11prof-"

# A call that does not return: of two threads, one goes on until its slice is over.
RULES=hang=3000
started --iterations 100000 --threads 2
within 30 idle "$(pgrep -P "$COMMAND")"
check "a slice that hangs is told of" within 30 grep -qF "has not come back for" "$WORK/notes"
kill -INT "$COMMAND"
check "one INT is told what it waits for" within 10 grep -qF "once more ends the workers" "$WORK/notes"
check "one INT waits for the module" kill -0 "$COMMAND"
check "each is told once" [ "$(grep -c "ends the workers" "$WORK/notes")" = 2 ]
kill -INT "$COMMAND"
check "a second one does not" ended 130 20
check "keeps what was recorded" is "interrupted,1" "SELECT state, call_count > 1000 FROM runs
  WHERE run_id = LAST"

RULES=hang=10
bench_start --test rsa-2048-sign
within 20 [ -s "$LOG" ]
sleep 0.7
kill -INT "$COMMAND"
sleep 0.7
kill -INT "$COMMAND"
check "nor while it sets up" ended 130 20

# The command itself is killed: workers end, and clean up.
RULES=delays=shuffled:1ms-3ms
started --duration 60s --slices 200 --processes 2
within 30 measured 100 "$earlier"
killed=$(pgrep -P "$COMMAND")
kill -KILL "$COMMAND"
check "workers end without the command" within 20 gone
wait "$COMMAND"
check "and leave nothing on the token" token_is_clean
check "they ended by themselves" logged 2 end
check "their calls are collected" is "0,1" "SELECT lost_count, call_count > 100 FROM runs
  WHERE run_id = LAST"
check "the run is not running" not [ "$(newest state)" = running ]
check "nothing waits then" [ -z "$(ls "$P11PROF_SPOOL")" ]
killed=$orphans
check "neither does a worker stay that hangs" within 30 gone

COMMAND=$slow
check "keys that take long are told of" within 60 grep -qF "has not come back for 30 s" "$WORK/slow/notes"
kill -INT "$COMMAND"
sleep 0.3
kill -INT "$COMMAND"
check "and ended by two INT" ended 130 20

finish
