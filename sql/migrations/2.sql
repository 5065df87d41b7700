-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- From schema version 2 to 3: threads of processes, saved baselines, and another order of columns. What
-- threads did before is not known: their runs have no rows.
CREATE TABLE thread (
  process INTEGER NOT NULL REFERENCES process,
  thread_id INTEGER NOT NULL,
  first_ns INTEGER NOT NULL,
  last_ns INTEGER NOT NULL,
  call_count INTEGER NOT NULL,
  outer_ns INTEGER NOT NULL,
  waiting_ns INTEGER NOT NULL,
  PRIMARY KEY (process, thread_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE baseline (
  name TEXT PRIMARY KEY,
  created_wall_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE baseline_run (
  baseline TEXT NOT NULL REFERENCES baseline ON DELETE CASCADE,
  run INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (baseline, run)
) STRICT, WITHOUT ROWID;

-- What every report looks at now comes first in a row. Ids are never given out twice.
CREATE TABLE new_call (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  function INTEGER NOT NULL,
  operation INTEGER,
  operation_duration_ns INTEGER,
  kind INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  thread_id INTEGER NOT NULL,
  rv INTEGER,
  session INTEGER,
  mechanism INTEGER,
  key_type INTEGER,
  key_bits INTEGER,
  key_id INTEGER,
  in_bytes INTEGER,
  out_bytes INTEGER,
  caller INTEGER,
  slot_id INTEGER,
  operation_call_count INTEGER,
  operation_start_ns INTEGER,
  operation_in_bytes INTEGER,
  operation_out_bytes INTEGER,
  part INTEGER
) STRICT;
INSERT INTO new_call (
  id, start_ns, duration_ns, function, operation, operation_duration_ns, kind, flags, thread_id,
  rv, session, mechanism, key_type, key_bits, key_id, in_bytes, out_bytes, caller, slot_id,
  operation_call_count, operation_start_ns, operation_in_bytes, operation_out_bytes, part)
SELECT
  id, start_ns, duration_ns, function, operation, operation_duration_ns, kind, flags, thread_id,
  rv, session, mechanism, key_type, key_bits, key_id, in_bytes, out_bytes, caller, slot_id,
  operation_call_count, operation_start_ns, operation_in_bytes, operation_out_bytes, part
FROM call ORDER BY id;
INSERT INTO sqlite_sequence (name, seq)
SELECT 'new_call', seq FROM sqlite_sequence
WHERE name = 'call' AND NOT EXISTS (SELECT 1 FROM new_call);
UPDATE sqlite_sequence
SET seq = max(seq, (SELECT o.seq FROM sqlite_sequence AS o WHERE o.name = 'call'))
WHERE name = 'new_call' AND EXISTS (SELECT 1 FROM sqlite_sequence AS o WHERE o.name = 'call');
DROP TABLE call;
ALTER TABLE new_call RENAME TO call;
