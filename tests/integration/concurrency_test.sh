#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof report, section concurrency: what it says of modules that serve one call at a time, one of
# each session, four, or all, and of applications that let one in.
# Environment: P11PROF, APP (concurrency_app), LIKE_APP, DELAY_MODULE, TOKEN (the fake token), ROOT.
# shellcheck disable=SC2317

. "$(dirname "$0")/shell_test.sh"
need python3 "${APP:?}" "${LIKE_APP:?}" "${DELAY_MODULE:?}" "${TOKEN:?}"
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
export P11PROF_TEST_DELAY=sleep:2ms FAKE_PIN=1234

# run SERVES THREADS CALLS THINK_US SESSIONS [locked]: on a module that serves so many.
run() {
  serves=$1
  shift
  [ "$serves" = all ] || export P11PROF_TEST_SERVES="$serves"
  record --name concurrency --module "$DELAY_MODULE" -- "$APP" "$DELAY_MODULE" "$@" ||
    { cat "$WORK/notes" && false; }
  code=$?
  unset P11PROF_TEST_SERVES
  [ $code -eq 0 ] && "$P11PROF" report last --db "$DB" --sections concurrency --format json \
    >"$WORK/found.json"
}

# holds EXPRESSION: of the section c, of how calls are served s (by scope), and all sentences t.
holds() {
  python3 -c "
import json, sys
c = json.load(open('$WORK/found.json'))['concurrency'][0]
s = {row['scope']: row for row in c['served']}
t = ' '.join(c['sentences'])
sys.exit(0 if ($1) else t + json.dumps(c['served'], indent=1))"
}

# serves SERVES THREADS CALLS THINK_US SESSIONS EXPRESSION: what is found of it.
serves() {
  expression=$6
  run "$1" "$2" "$3" "$4" "$5" && holds "$expression"
}

# locks EXPRESSION: what is found where the application has a lock of its own.
locks() {
  run all 4 100 1000 4 locked && holds "$1"
}

# prints NOT|ALSO TEXT: a report without --sections.
prints() {
  "$P11PROF" report last --db "$DB" >"$WORK/page"
  case $1 in
  not) ! grep -qF "$2" "$WORK/page" ;;
  also) grep -qF "$2" "$WORK/page" ;;
  esac
}

# One thread.
check "one thread: no verdict" serves 1 1 100 1000 1 "not s and 'serialises C_Sign.' not in t"
check "nor a word in a report" prints not Concurrency

# One call at a time.
check "a global lock" in_3 serves 1 4 120 6000 4 "s['module']['verdict'] == 'serialised'"
check "is said" holds "'The module serialises C_Sign' in c['sentences'][0]"
check "in a report too" prints also "The module serialises C_Sign"
check "without tables" prints not "How calls that are in flight"
check "the kind is named" holds "s['kind']['function'] == 'C_Sign'"
check "the speed-up is none" holds "0.6 <= s['module']['speed_up'] <= 1.15"
check "all time is in levels" holds "abs(sum(r['share'] for r in c['in_flight']) - 1) < 0.01"
check "calls were in flight together" holds "max(r['level'] for r in c['in_flight']) == 4"
check "sixty parts of the run" holds "len(c['over_time']) == 60"
check "have all calls" holds "abs(sum(r['calls_per_s'] * r['time_ns'] / 1e9
  for r in c['over_time']) - s['module']['call_count']) < 2"
check "Little's law holds" holds "all(abs(r['deviation']) < 1e-6 for r in c['flow'])"
check "no session is shared" holds "c['sessions'] == []"
check_schema "documents keep to the schema" "$WORK/found.json"
check "without a pause" in_3 serves 1 4 100 0 4 "s['module']['verdict'] == 'serialised'"

# All.
check "no lock" in_3 serves all 4 200 4000 4 "s['module']['verdict'] == 'free'"
check "is said as well" holds "'serves C_Sign side by side' in c['sentences'][0]"
check "without a pause, not in turn" serves all 4 150 0 4 "s['module']['verdict'] != 'serialised'"

# Four.
check "four engines" in_3 serves 4 8 200 3000 8 "s['module']['verdict'] == 'parallel' and
  round(s['module']['parallel']) == 4"
check "are counted" holds "'C_Sign at a time' in c['sentences'][0]"

# One of each session.
check "a lock for each session" in_3 serves session 4 200 4000 2 "
  s['one session']['verdict'] == 'serialised' and
  s['sessions']['verdict'] in ('free', 'parallel')"
check "is told from a global one" holds "'serialises the calls of a session' in c['sentences'][0]"
check "sessions are listed" holds "[r['thread_count'] for r in c['sessions']] == [2, 2]"
check "as overlapped" holds "all(r['overlapped_count'] > 50 for r in c['sessions'])"
check "with sessions of their own" in_3 serves session 4 200 4000 4 "
  s['module']['verdict'] == 'free' and 'one session' not in s"
check "all on one" in_3 serves session 4 100 5000 1 "s['module']['verdict'] == 'serialised' and
  'All of them share a session' in t"

# A lock of the application.
check "one is let in" in_3 locks "'application lets one call at a time into the module' in t and
  c['turns'][0]['waited_share'] > 0.6"
check "never two" holds "c['turns'][0]['overlap_count'] == 0"
check "which is no word about the module" holds "not s"
check "a report says so" prints also "lets one call at a time"

# Without rows.
export P11PROF_RECORD=summary
run 1 2 20 1000 2
unset P11PROF_RECORD
check "calls that are not kept" python3 -c "import json, sys
sys.exit('not known' not in json.load(open('$WORK/found.json'))['concurrency'][0]['sentences'][0])"

# A bench, of one thread and of more.
export P11PROF_TEST_TOKEN=serves=1x3ms
asked() {
  "$P11PROF" bench --module "$TOKEN" --token-label fake --pin-source env:FAKE_PIN --db "$DB" --quiet \
    --test rsa-2048-sign --threads 1,4 --duration 1s >"$WORK/out" 2>"$WORK/notes" &&
    "$P11PROF" report last --db "$DB" --sections concurrency --format json >"$WORK/found.json" &&
    holds "s['module']['verdict'] == 'serialised'"
}
check "a bench has a verdict when asked" in_3 asked
check "but says nothing by itself" prints not "Concurrency"

# A real module, whatever its processors are busy with.
if [ -e "$SOFTHSM" ]; then
  make_token
  record --module "$SOFTHSM" -- "$LIKE_APP" "$SOFTHSM" "$PIN" paced 3 50 1
  "$P11PROF" report last --db "$DB" --sections concurrency --format json >"$WORK/found.json"
  check "SoftHSM" holds "len(t) > 0 and len(c['flow']) > 5 and c['turns'][0]['thread_count'] == 4"
fi
finish
