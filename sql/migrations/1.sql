-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- From schema version 1 to 2: what calls and groups are a load of.
DROP TABLE bench_operation; -- nothing ever wrote it
ALTER TABLE call ADD COLUMN part INTEGER;

-- A column of a UNIQUE list cannot be added.
CREATE TABLE call_group_2 (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run,
  is_operation INTEGER NOT NULL,
  code INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  mechanism INTEGER NOT NULL,
  key_type INTEGER NOT NULL,
  key_bits INTEGER NOT NULL,
  part INTEGER NOT NULL DEFAULT 0,
  count INTEGER NOT NULL,
  success_count INTEGER NOT NULL,
  error_count INTEGER NOT NULL,
  undisclosed_count INTEGER NOT NULL,
  sum_ns INTEGER NOT NULL,
  error_sum_ns INTEGER NOT NULL,
  sum_squares REAL NOT NULL,
  min_ns INTEGER,
  max_ns INTEGER,
  in_bytes INTEGER NOT NULL,
  out_bytes INTEGER NOT NULL,
  UNIQUE (run, is_operation, code, kind, mechanism, key_type, key_bits, part)
) STRICT;
INSERT INTO call_group_2 (id, run, is_operation, code, kind, mechanism, key_type, key_bits,
  count, success_count, error_count,
  undisclosed_count, sum_ns, error_sum_ns, sum_squares, min_ns, max_ns, in_bytes, out_bytes)
SELECT id, run, is_operation, code, kind, mechanism, key_type, key_bits,
  count, success_count, error_count,
  undisclosed_count, sum_ns, error_sum_ns, sum_squares, min_ns, max_ns, in_bytes, out_bytes
FROM call_group;
DROP TABLE call_group;
ALTER TABLE call_group_2 RENAME TO call_group;

CREATE TABLE bench_load (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,
  test TEXT NOT NULL,
  name TEXT NOT NULL,
  operation INTEGER NOT NULL,
  mechanism INTEGER,
  key_type INTEGER,
  key_bits INTEGER,
  data_bytes INTEGER,
  threads INTEGER NOT NULL,
  processes INTEGER NOT NULL,
  step INTEGER NOT NULL,
  unchecked INTEGER NOT NULL,
  PRIMARY KEY (run, load)
) STRICT, WITHOUT ROWID;

CREATE TABLE bench_slice (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,
  slice INTEGER NOT NULL,
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  load_average REAL,
  steal_ns INTEGER,
  PRIMARY KEY (run, load, start_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE bench_thread (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,
  process INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  thread_id INTEGER NOT NULL,
  count INTEGER NOT NULL,
  error_count INTEGER NOT NULL,
  wrong_count INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  mean_ns INTEGER,
  p99_ns INTEGER,
  PRIMARY KEY (run, load, process, thread)
) STRICT, WITHOUT ROWID;

CREATE TABLE bench_skip (
  run INTEGER NOT NULL REFERENCES run,
  test TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (run, test)
) STRICT, WITHOUT ROWID;

CREATE TABLE phase_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
