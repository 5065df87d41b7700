-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- From schema version 3 to 4: loads of a mix or a suite, intervals of a stress run, and what other
-- tools recorded, which knows fewer times.
ALTER TABLE bench_load ADD COLUMN mix INTEGER;
ALTER TABLE bench_load ADD COLUMN weight REAL;
ALTER TABLE bench_load ADD COLUMN suite TEXT;

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

CREATE TABLE new_error_count (
  run INTEGER NOT NULL REFERENCES run,
  function INTEGER NOT NULL,
  rv INTEGER NOT NULL,
  count INTEGER NOT NULL,
  sum_ns INTEGER,
  min_ns INTEGER,
  max_ns INTEGER,
  PRIMARY KEY (run, function, rv)
) STRICT, WITHOUT ROWID;
INSERT INTO new_error_count SELECT run, function, rv, count, sum_ns, min_ns, max_ns FROM error_count;
DROP TABLE error_count;
ALTER TABLE new_error_count RENAME TO error_count;
