-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How many operations of which key type and size, and how fast?
--
--   sqlite3 -readonly -header -column DB < sql/queries/operations.sql
--   p11prof sql @operations
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- Of a bench run: the measured part of each load. Percentiles are of those that did not fail.
WITH
chosen AS (
  SELECT run_id, kind FROM runs
  WHERE run_id = coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)))
SELECT load, operation, mechanism, key_type, key_bits, count, error_count, total_ns, mean_ns,
  p50_ns, p95_ns, p99_ns, max_ns
FROM operation_stats
WHERE run_id = (SELECT run_id FROM chosen)
  AND coalesce(phase, (SELECT kind FROM chosen)) IN ('measured', 'profile')
ORDER BY load, total_ns DESC;
