#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof runs --trend: which run began a new level, and what was different about it.
# Environment: P11PROF, SHIM, DRIVER, NULL_MODULE.

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/report_shell.sh"
need "${SHIM:?}" "${DRIVER:?}" "${NULL_MODULE:?}"
export P11PROF_DB="$DB"
truncate -s 100K "$WORK/counts"

# nightly NAME MODULE: a recording of 30 C_GenerateRandom.
nightly() {
  env P11PROF_NAME="$1" P11PROF_MODULE="$2" "$DRIVER" "$SHIM" "$WORK/counts" finalize 1 30
}

# took NAME NS: what each of them took that night, whatever the machine did meanwhile; nights differ
# by up to 0.8 %.
took() {
  sqlite3 "$DB" "CREATE TEMP TABLE g AS SELECT g.id, r.id AS run,
      CAST($2 * (1 + ((r.id * 7) % 5 - 2) / 250.0) AS INTEGER) AS ns
    FROM call_group AS g JOIN run AS r ON r.id = g.run WHERE r.name = '$1' AND g.count = 30;
    UPDATE call_group SET min_ns = (SELECT ns FROM g WHERE g.id = call_group.id),
      max_ns = (SELECT ns FROM g WHERE g.id = call_group.id),
      sum_ns = (SELECT 30 * ns FROM g WHERE g.id = call_group.id) WHERE id IN (SELECT id FROM g);
    DELETE FROM group_bucket WHERE call_group IN (SELECT id FROM g);
    INSERT INTO group_bucket SELECT id, ns, ns + 1, 30 FROM g;"
}

# changed COLUMN: of the changes in the last JSON.
changed() {
  sqlite3 :memory: "SELECT group_concat(json_extract(value, '$.$1'))
    FROM json_each(readfile('$WORK/out'), '$.changes')"
}

trend() {
  ends 0 runs --trend p50 --function C_GenerateRandom "$@"
}

for night in 1 2 3 4 5 6 7 8; do nightly "n$night" "$NULL_MODULE"; done
check "collect" ends 0 collect
for night in 1 2 3 4 5 6 7 8; do took "n$night" 2000000; done
check "equal nights have no change" trend --format json
check "... none" [ -z "$(changed run_id)" ]
check "... and the text says nothing of one" trend
check "... nothing" not shows "Changes of level"

for night in 9 10 11 12 13; do nightly "n$night" "$NULL_MODULE"; done
# Another program's runs among them are a series of their own.
cp "$DRIVER" "$WORK/another"
for night in 1 2 3; do
  env P11PROF_MODULE="$NULL_MODULE" "$WORK/another" "$SHIM" "$WORK/counts" finalize 1 30
done
check "collect" ends 0 collect
for night in 9 10 11 12 13; do took "n$night" 4000000; done
sqlite3 "$DB" "UPDATE run SET kernel = 'new', host = 'host-of-mine', options = '{\"threads\":8}'
  WHERE name IN ('n9', 'n10', 'n11', 'n12', 'n13')"
check "trend" trend --format json
check_schema "it keeps to the schema" "$WORK/out"
check "one level is new" [ "$(changed name)" = n9 ]
check "... twice as slow" [ "$(sqlite3 :memory: "SELECT $(changed change) BETWEEN 0.98 AND 1.02")" = 1 ]
check "... for certain" [ "$(sqlite3 :memory: "SELECT $(changed effect_low) > 0.95
  AND $(changed effect_high) < 1.05 AND $(changed p_value) <= 0.01")" = 1 ]
check "... eight runs before, five since" [ "$(changed before_count),$(changed after_count)" = 8,5 ]
check "... with another kernel" [ "$(changed differences | grep -c 'kernel .* -> new')" = 1 ]
check "... and other options" [ "$(changed differences | grep -c 'threads')" = 1 ]
check "as text" trend
check "... it has a section" shows "Changes of level"
check "... it says what differs" shows "differs from the one before: "
check "as Markdown" trend --format markdown
check "... it has a section" shows "Changes of level"
check "a report of a slow night" ends 0 report n13
check "... says since when" shows "Since run 9 the median of generate-random is"
check "... without the earlier runs" not shows "Earlier runs"
check "a report of the last quick night" ends 0 report n8
check "... has no trend" not shows "Trend"
check "a report of too few" ends 0 report n7 --sections history
check "... has no trend" not shows "No level changed"
check "its trend alone" ends 0 report n8 --sections history
check "... says that there is no change" shows "No level changed over the last 8 runs."
check "... with the earlier runs" shows "Earlier runs"
check "... of whose p99 30 calls say little" shows " ~"
check "... and it says why" shows "fewer than 10 durations"
check "as JSON" ends 0 report n13 --sections history --format json
check "... with every run" [ "$(sqlite3 :memory: "SELECT json_array_length(readfile('$WORK/out'),
  '$.history[0].trend')")" = 26 ]
check "... and only a median is new" [ "$(sqlite3 :memory: "SELECT
  group_concat(json_extract(value, '$.metric')) FROM json_each(readfile('$WORK/out'),
  '$.history[0].changes')")" = p50_ns ]
check_schema "... which keeps to the schema" "$WORK/out"
check "redacted" ends 0 report n13 --redact --sections history
check "... it says since when" shows "Since run 9 the median of generate-random is"
check "... no name of a host" not shows "host-of-mine"
check "no such section" wrong "did you mean 'history'?" report --sections histori
# A night between both levels, and a new level.
nightly n14 "$NULL_MODULE"
check "collect" ends 0 collect
took n14 3000000
check "a report of a night that is neither" ends 0 report n14
check "... says what it has itself" grep -qE \
  "Since run 9 .* higher: .*; in this run it is (2.9[0-9]|3.0[0-9]) ms\." "$WORK/out"
for night in 15 16 17 18 19; do nightly "n$night" "$NULL_MODULE"; done
check "collect" ends 0 collect
for night in 15 16 17 18 19; do took "n$night" 9000000; done
check "a report of a later level" ends 0 report n19
check "... does not say that an earlier one goes on" grep -q \
  "From run 9 on, until a later one, the median of generate-random was" "$WORK/out"
check "runs delete" ends 0 runs delete --yes n14 n15 n16 n17 n18 n19

check "CSV has the runs alone" trend --format csv
check "... one row for each" [ "$(wc -l <"$WORK/out")" = 17 ]

finish
