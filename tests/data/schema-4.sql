-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- A database of schema version 4, for the test of its migration.
CREATE TABLE meta (
  id BLOB NOT NULL CHECK (length(id) = 16),
  tool_version TEXT NOT NULL
) STRICT;
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('profile', 'bench')),
  name TEXT,
  state TEXT CHECK (state IN ('finished', 'interrupted', 'failed')),
  start_wall_ns INTEGER NOT NULL,
  start_monotonic_ns INTEGER NOT NULL,
  boot_id TEXT,
  duration_ns INTEGER,
  program TEXT,
  library TEXT,
  cryptoki_version TEXT,
  host TEXT, user TEXT, os TEXT, kernel TEXT, cpu TEXT, governor TEXT,
  cpu_count INTEGER,
  memory_bytes INTEGER,
  clock TEXT,
  tool_version TEXT,
  options TEXT
) STRICT;
CREATE TABLE process (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES run,
  uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
  parent_uuid BLOB,
  pid INTEGER NOT NULL,
  program TEXT,
  user TEXT,
  module_path TEXT,
  start_wall_ns INTEGER NOT NULL,
  start_ns INTEGER NOT NULL,
  end_ns INTEGER,
  call_count INTEGER NOT NULL DEFAULT 0,
  overhead_ns INTEGER
) STRICT;
CREATE INDEX process_of_run ON process (run);
CREATE TABLE spool (
  id INTEGER PRIMARY KEY,
  spool_id BLOB NOT NULL UNIQUE CHECK (length(spool_id) = 16),
  process INTEGER NOT NULL REFERENCES process,
  batch INTEGER NOT NULL DEFAULT 0,
  state INTEGER NOT NULL DEFAULT 3,
  clock_step_count INTEGER NOT NULL DEFAULT 0,
  clamped_count INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX spool_of_process ON spool (process);
CREATE TABLE call (
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
CREATE TABLE segment (
  first_call INTEGER PRIMARY KEY,
  last_call INTEGER NOT NULL,
  run INTEGER NOT NULL REFERENCES run,
  process INTEGER NOT NULL REFERENCES process
) STRICT;
CREATE INDEX segment_of_run ON segment (run, process);
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
  mix INTEGER,
  weight REAL,
  suite TEXT,
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
CREATE TABLE bench_figure (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,
  count INTEGER NOT NULL,
  error_count INTEGER,
  duration_ns INTEGER,
  ops_per_s REAL,
  bytes_per_s REAL,
  mean_ns INTEGER,
  stddev_ns INTEGER,
  min_ns INTEGER,
  p95_ns INTEGER,
  p99_ns INTEGER,
  max_ns INTEGER,
  PRIMARY KEY (run, load)
) STRICT, WITHOUT ROWID;
CREATE TABLE bench_interval (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,
  interval INTEGER NOT NULL,
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  until_ns INTEGER NOT NULL,
  measured_ns INTEGER NOT NULL,
  count INTEGER NOT NULL,
  error_count INTEGER NOT NULL,
  p50_ns INTEGER,
  p99_ns INTEGER,
  cpu_share REAL,
  steal_share REAL,
  temperature_celsius REAL,
  frequency_hz INTEGER,
  rss_bytes INTEGER,
  session_count INTEGER,
  PRIMARY KEY (run, load, interval)
) STRICT, WITHOUT ROWID;
CREATE TABLE bench_skip (
  run INTEGER NOT NULL REFERENCES run,
  test TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (run, test)
) STRICT, WITHOUT ROWID;
CREATE TABLE call_group (
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
CREATE TABLE group_bucket (
  call_group INTEGER NOT NULL REFERENCES call_group,
  low_ns INTEGER NOT NULL,
  high_ns INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (call_group, low_ns)
) STRICT, WITHOUT ROWID;
CREATE TABLE group_window (
  id INTEGER PRIMARY KEY,
  call_group INTEGER NOT NULL REFERENCES call_group,
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
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
  UNIQUE (call_group, start_ns, duration_ns)
) STRICT;
CREATE TABLE window_bucket (
  group_window INTEGER NOT NULL REFERENCES group_window,
  low_ns INTEGER NOT NULL,
  high_ns INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (group_window, low_ns)
) STRICT, WITHOUT ROWID;
CREATE TABLE error_count (
  run INTEGER NOT NULL REFERENCES run,
  function INTEGER NOT NULL,
  rv INTEGER NOT NULL,
  count INTEGER NOT NULL,
  sum_ns INTEGER,
  min_ns INTEGER,
  max_ns INTEGER,
  PRIMARY KEY (run, function, rv)
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  process INTEGER NOT NULL REFERENCES process,
  session INTEGER NOT NULL,
  slot_id INTEGER,
  opened_ns INTEGER NOT NULL,
  closed_ns INTEGER,
  call_count INTEGER NOT NULL
) STRICT;
CREATE INDEX session_of_process ON session (process);
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
CREATE TABLE caller (
  process INTEGER NOT NULL REFERENCES process,
  caller INTEGER NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (process, caller)
) STRICT, WITHOUT ROWID;
CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  process INTEGER NOT NULL REFERENCES process,
  slot_id INTEGER NOT NULL,
  session_count INTEGER NOT NULL,
  label TEXT, manufacturer TEXT, model TEXT, serial TEXT,
  hardware_version TEXT,
  firmware_version TEXT,
  UNIQUE (process, slot_id)
) STRICT;
CREATE TABLE baseline (
  name TEXT PRIMARY KEY,
  created_wall_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE baseline_run (
  baseline TEXT NOT NULL REFERENCES baseline ON DELETE CASCADE,
  run INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (baseline, run)
) STRICT, WITHOUT ROWID;
CREATE TABLE state (
  process INTEGER NOT NULL REFERENCES process,
  kind INTEGER NOT NULL,
  key INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (process, kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE position (
  spool INTEGER NOT NULL REFERENCES spool,
  ring INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (spool, ring)
) STRICT, WITHOUT ROWID;
CREATE TABLE loss (
  spool INTEGER NOT NULL REFERENCES spool,
  function INTEGER NOT NULL,
  cause INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (spool, function, cause)
) STRICT, WITHOUT ROWID;
CREATE TABLE open_call (
  spool INTEGER NOT NULL REFERENCES spool,
  thread_id INTEGER NOT NULL,
  function INTEGER NOT NULL,
  start_ns INTEGER NOT NULL,
  age_ns INTEGER NOT NULL,
  PRIMARY KEY (spool, thread_id, function, start_ns)
) STRICT, WITHOUT ROWID;
CREATE TABLE function_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE mechanism_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE rv_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE key_type_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE operation_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE kind_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE cause_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE phase_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE state_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
INSERT INTO meta VALUES (x'000102030405060708090A0B0C0D0E0F', '0.3.0');
INSERT INTO run (id, uuid, kind, start_wall_ns, start_monotonic_ns)
VALUES (7, x'00112233445566778899AABBCCDDEEFF', 'bench', 1, 1);
INSERT INTO process (id, run, uuid, pid, start_wall_ns, start_ns, call_count)
VALUES (8, 7, x'FF112233445566778899AABBCCDDEEFF', 99, 1, 0, 1);
INSERT INTO call (id, start_ns, duration_ns, function, kind, flags, thread_id, rv, operation, part)
VALUES (1, 10, 20, 44, 0, 0, 99, 0, 4, 6);
INSERT INTO segment VALUES (1, 1, 7, 8);
INSERT INTO bench_load VALUES (7, 1, 'aes-128-sign', 'Sign', 4, NULL, NULL, NULL, NULL, 1, 1, 2, 0, 1, 0.5, 'Suite');
INSERT INTO bench_slice VALUES (7, 1, 1, 10, 20, NULL, NULL);
INSERT INTO bench_thread VALUES (7, 1, 1, 1, 99, 1, 0, 0, 20, 20, 20);
INSERT INTO call_group (id, run, is_operation, code, kind, mechanism, key_type, key_bits, part,
  count, success_count, error_count, undisclosed_count, sum_ns, error_sum_ns, sum_squares, min_ns,
  max_ns, in_bytes, out_bytes)
VALUES (5, 7, 1, 4, 0, -1, -1, -1, 6, 1, 1, 0, 0, 20, 0, 400.0, 20, 20, 0, 0);
INSERT INTO group_bucket VALUES (5, 20, 21, 1);
CREATE VIEW errors AS SELECT 1;
INSERT INTO error_count VALUES (7, 44, 5, 2, 30, 10, 20);
PRAGMA application_id = 1345401200;
PRAGMA user_version = 4;
