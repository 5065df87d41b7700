-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How many operations of which key type and size, and how fast?
--
--   sqlite3 -readonly -header -column DB < sql/queries/operations.sql
--   p11prof sql @operations
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- Of a bench run: the measured part of each load. Percentiles are of those that did not fail;
-- where a schedule starts them, of latencies since their intended start; total_ns is in the module.
WITH
chosen AS (
  SELECT run_id, kind FROM runs
  WHERE run_id = coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)))
SELECT load, operation, mechanism, key_type, key_bits, count, error_count,
  coalesce((SELECT s.total_ns FROM operation_stats AS s WHERE s.run_id = o.run_id
    AND s.load = o.load AND s.phase = 'service' AND s.operation = o.operation AND s.kind = o.kind
    AND s.mechanism IS o.mechanism AND s.key_type IS o.key_type AND s.key_bits IS o.key_bits),
    total_ns) AS total_ns,
  mean_ns, p50_ns, p95_ns, p99_ns, max_ns
FROM operation_stats AS o
WHERE run_id = (SELECT run_id FROM chosen)
  AND coalesce(phase, (SELECT kind FROM chosen)) IN ('measured', 'profile')
ORDER BY load, total_ns DESC;
