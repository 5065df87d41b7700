#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench --like: an application's calls again, on another token, and nothing left there.
# Environment: P11PROF, APP (like_app), DELAY_MODULE, TOKEN (the fake token).
# shellcheck disable=SC2317

. "$(dirname "$0")/shell_test.sh"
need "$SOFTHSM" softhsm2-util pkcs11-tool pgrep "${APP:?}" "${DELAY_MODULE:?}" "${TOKEN:?}"
export LIKE_PIN="$PIN"

# last: the newest run.
last() {
  query "SELECT max(run_id) FROM runs"
}

# calls RUN: how many of each function and kind.
calls() {
  query "SELECT function, kind, sum(count), sum(error_count) FROM function_stats
    WHERE run_id = $1 GROUP BY function, kind ORDER BY function, kind"
}

# operations RUN: with what, and how much data.
operations() {
  query "SELECT operation, kind, mechanism, key_type, key_bits, sum(count), sum(error_count),
    sum(in_bytes), sum(out_bytes) FROM operation_stats WHERE run_id = $1
    GROUP BY operation, kind, mechanism, key_type, key_bits
    ORDER BY operation, kind, mechanism, key_type, key_bits"
}

# same WHAT RUN OTHER: both runs did it alike.
same() {
  "$1" "$2" >"$WORK/one"
  "$1" "$3" >"$WORK/other"
  [ -s "$WORK/one" ] && diff "$WORK/one" "$WORK/other"
}

# like OPTION...: on a throw-away token.
like() {
  "$P11PROF" bench --db "$DB" --quiet "$@" >"$WORK/out" 2>"$WORK/notes" ||
    { cat "$WORK/notes" && false; }
}

# says FILE TEXT
says() {
  grep -qF -e "$2" "$WORK/$1" || { cat "$WORK/$1" && false; }
}

# --- all that keys can do ---

make_token
"$APP" "$SOFTHSM" "$PIN" make || exit 1
record --name work --module "$SOFTHSM" -- "$APP" "$SOFTHSM" "$PIN" work 3 0
work=$(last)
check "an application is played" like --like work
played=$(last)
check "with the same calls" same calls "$work" "$played"
check "the same operations, mechanisms, keys and sizes" same operations "$work" "$played"
check "right signatures, ciphertexts and wrapped keys" not grep -q 'answered' "$WORK/out"
check "it says what was recorded and played" says out "C_DecryptUpdate"
check "and what shows sure differences" says out "p11prof compare $work $played"
"$P11PROF" compare --db "$DB" "$work" "$played" >"$WORK/compared" 2>&1
check "which compares them" [ $? -le 1 ]
check "operation by operation" says compared CKM_AES_GCM
check "the run is a bench" [ "$(query "SELECT kind FROM runs WHERE run_id = $played")" = bench ]
check "of no load" [ "$(query "SELECT count(*) FROM loads WHERE run_id = $played")" = 0 ]
check "its report has the calls" "$P11PROF" report --db "$DB" --format csv "$played" \
  >"$WORK/report"
check "of each function" says report C_UnwrapKey

check "--record off" like --like "$work" --record off
check "keeps no run" [ "$(last)" = "$played" ]
check "and shows the calls" says out C_VerifyFinal
check "--record summary --format json" like --like "$work" --record summary --format json
check "has the same calls" same calls "$work" "$(last)"
check "is the run's report" says out '"C_UnwrapKey"'
check "--format csv" like --like "$work" --format csv
check "is the table" says out function,recorded_count,played_count
runs=$(last)
check "--dry-run" like --like "$work" --dry-run
check "says which objects would be made" says out "secret key   CKK_AES"
check "and plays nothing" [ "$(last)" = "$runs" ]

# refuses TEXT OPTION...
refuses() {
  text=$1
  shift
  "$P11PROF" bench --db "$DB" "$@" >"$WORK/out" 2>"$WORK/notes"
  [ $? -eq 2 ] && says notes "$text"
}
for option in "--threads 2" "--duration 1s" "--test sign" "--iterations 5" "--stress" "--quick"; do
  # shellcheck disable=SC2086
  check "$option is refused" refuses "without ${option%% *}" --like "$work" $option
done
check "so is a run that is not there" refuses "there is no run" --like 999

# --- nothing stays on the token ---

# listing: all objects of the token.
listing() {
  pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --list-objects 2>/dev/null
}
unchanged() {
  listing | cmp -s - "$WORK/before"
}
listing >"$WORK/before"
record --name slow --module "$SOFTHSM" -- "$APP" "$SOFTHSM" "$PIN" work 2 1000

# own OPTION...: in the background, on the token with keys of somebody's own, until it plays.
own() {
  "$P11PROF" bench --module "$SOFTHSM" --token-label test --pin-source env:LIKE_PIN --db "$DB" \
    --quiet "$@" >"$WORK/out" 2>"$WORK/notes" &
  COMMAND=$!
  within 20 two_workers
  sleep 0.7
}
two_workers() {
  [ "$(pgrep -c -P "$COMMAND")" = 2 ]
}
# ended CODE
ended() {
  wait "$COMMAND"
  code=$?
  [ "$code" -eq "$1" ] || { echo "exit code $code" && cat "$WORK/notes" && false; }
}

check "on a token of somebody's" like --module "$SOFTHSM" --token-label test \
  --pin-source env:LIKE_PIN --like work
check "nothing of ours stays" unchanged

own --like slow
check "its objects are there meanwhile" not unchanged
kill -INT "$COMMAND"
check "INT" ended 130
check "leaves nothing" unchanged
check "shows what was played" says out C_SignInit
check "keeps it, too" [ "$(query "SELECT state, call_count > 10 FROM runs
  WHERE run_id = $(last)" | tr -d '"')" = interrupted,1 ]

own --like slow
kill -KILL "$(pgrep -n -P "$COMMAND")" # pids may start again from below
check "a player that is killed" ended 3
check "is told" says notes "killed (SIGKILL)"
check "and leaves nothing" unchanged

own --like slow
kill -KILL "$(pgrep -o -P "$COMMAND")"
ended 0 >/dev/null
check "nor does a maker that is killed" unchanged

own --like slow
kill -KILL "$COMMAND"
check "nor a command that is killed" within 30 unchanged
wait "$COMMAND"

# script FILE: reads the calls of a script with one key and one thread.
script() {
  printf 'script = 1\nname = "a script"\n\nobjects = [\n  { number = 1, class = "%s", ' \
    CKO_PRIVATE_KEY >"$1"
  printf 'key_type = "CKK_EC", key_bits = %s, uses = ["sign"] },\n]\n\n' "$2" >>"$1"
  printf '[[processes]]\nstart = "0ns"\n\n[[processes.threads]]\nstart = "0ns"\ncalls = [\n' >>"$1"
  cat >>"$1"
  echo ']' >>"$1"
}

# plays CODE FILE: on that token.
plays() {
  "$P11PROF" bench --module "$SOFTHSM" --token-label test --pin-source env:LIKE_PIN --db "$DB" \
    --quiet --suite "$2" >"$WORK/out" 2>"$WORK/notes"
  code=$?
  [ "$code" -eq "$1" ] || { echo "exit code $code" && cat "$WORK/notes" && false; }
}
script "$WORK/script.toml" 256 <<'END'
  { call = "C_Initialize" },
  { call = "C_OpenSession", session = 1, flags = 6 },
  { call = "C_Login", session = 1, user = "CKU_USER" },
  { repeat = 3, calls = [
    { call = "C_SignInit", session = 1, mechanism = "CKM_ECDSA", object = 1 },
    { call = "C_Sign", session = 1, mechanism = "CKM_ECDSA", object = 1, in = 32, out = 64 },
  ] },
  { call = "C_GetAttributeValue", session = 1, object = 1, items = 1, rv = "CKR_ATTRIBUTE_TYPE_INVALID" },
  { call = "C_Sign", session = 1, in = 32, rv = "CKR_DEVICE_ERROR" },
END
check "a script of a file" plays 0 "$WORK/script.toml"
check "is played" [ "$(counts C_Sign)" = 4 ]
check "what is answered in another way is said" says out \
  "C_Sign: 1 answered CKR_OPERATION_NOT_INITIALIZED, recorded CKR_DEVICE_ERROR"
check "what is answered as recorded is not" not grep -q TYPE_INVALID "$WORK/out"
check "it knows how many were recorded" says out "C_SignInit"
script "$WORK/script.toml" 256 <<'END'
  { call = "C_Initialize" },
  { call = "C_OpenSession", session = 1, flags = 6 },
  { call = "C_Sign", session = 1, in = 32, out = 64 },
END
check "a call that had not failed when it was recorded" plays 3 "$WORK/script.toml"
check "is named" says out "C_Sign: 1 answered CKR_OPERATION_NOT_INITIALIZED, recorded CKR_OK"
runs=$(last)
script "$WORK/script.toml" 111 <<'END'
  { call = "C_Initialize" },
END
check "a key that cannot be made" plays 3 "$WORK/script.toml"
check "is named" says notes "object 1 of the script (CKK_EC, 111 bits)"
script "$WORK/script.toml" 256 <<'END'
  { call = "C_Initialize" },
  { call = "C_SignInit", session = 1, mechanism = "0x80000009", object = 1 },
END
check "a mechanism of a vendor" plays 2 "$WORK/script.toml"
check "is named, too" says notes "0x80000009"
check "nothing was played" [ "$(last)" = "$runs" ]
check "nothing was left" unchanged

# --- a module that crashes ---

"$P11PROF" bench --db "$DB" --suite-from work --quiet --output "$WORK/work.toml"
check "a run becomes a file" [ -s "$WORK/work.toml" ]
cat >"$WORK/crash.toml" <<'END'
script = 1
name = "crash"

[[processes]]
start = "0ns"

[[processes.threads]]
start = "0ns"
calls = [
  { call = "C_Initialize" },
  { call = "C_OpenSession", session = 1, flags = 6 },
  { repeat = 300, calls = [ { call = "C_GenerateRandom", session = 1, out = 16 } ] },
]
END
P11PROF_TEST_TOKEN=crash=150 "$P11PROF" bench --module "$TOKEN" --token-label fake --db "$DB" --quiet \
  --suite "$WORK/crash.toml" >"$WORK/out" 2>"$WORK/notes"
check "a crash of the module" [ $? -eq 3 ]
check "is told" says notes "the module ended the worker 1"
check "with what was played" says out C_GenerateRandom
check "which is kept" [ "$(query "SELECT state, call_count > 5 FROM runs
  WHERE run_id = $(last)" | tr -d '"')" = failed,1 ]

# --- another delay ---

# predicted: the played run takes as long as the recorded one, with its own durations of calls
# instead: those of main, and of the slower one of the threads. Of each run: the total, the time of
# main and of that thread in the module; of the recorded one: what a thread took, and thought.
predicted() {
  P11PROF_TEST_DELAY=sleep:2ms "$P11PROF" record --db "$DB" --name fast --module "$DELAY_MODULE" \
    -- "$APP" "$DELAY_MODULE" "$PIN" paced 2 12 40 2>"$WORK/notes" || return 1
  recorded=$(last)
  P11PROF_TEST_DELAY=sleep:8ms "$P11PROF" bench --db "$DB" --quiet --module "$DELAY_MODULE" \
    --pin-source env:LIKE_PIN --like "$recorded" >"$WORK/out" 2>"$WORK/notes" || return 1
  delayed=$(last)
  query "WITH thread AS (SELECT run_id, thread_id, min(start_ns) AS s,
      max(start_ns + duration_ns) AS e, sum(duration_ns) AS d, count(*) AS n
      FROM calls WHERE run_id IN ($recorded, $delayed) GROUP BY run_id, thread_id),
    total AS (SELECT run_id, max(e) - min(s) AS ns, sum(iif(n < 20, d, 0)) AS main,
      max(iif(n < 20, 0, d)) AS slower, max(iif(n < 20, 0, e - s)) AS longest,
      sum(iif(n < 20, 0, e - s - d)) / 2 AS thinking FROM thread GROUP BY run_id),
    sides AS (SELECT p.ns AS played,
      r.ns - r.main - r.longest + p.main + p.slower + r.thinking AS expected
      FROM total AS r, total AS p WHERE r.run_id = $recorded AND p.run_id = $delayed)
    SELECT abs(played - expected) < 0.05 * expected, played, expected FROM sides" >"$WORK/predicted"
  grep -q '^1,' "$WORK/predicted" || { cat "$WORK/predicted" "$WORK/out" && false; }
}
check "the total time of another delay" in_3 predicted
check "has all calls of the recorded one" same calls "$recorded" "$delayed"
check "in as many threads" [ "$(query "SELECT count(DISTINCT thread_id) FROM calls
  WHERE run_id = $delayed")" = 3 ]

finish
