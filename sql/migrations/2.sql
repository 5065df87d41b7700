-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- From schema version 2 to 3: threads of processes, and saved baselines. What threads did before is
-- not known: their runs have no rows.
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
