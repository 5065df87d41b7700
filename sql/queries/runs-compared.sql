-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How fast was the same operation in each run?
--
--   sqlite3 -readonly -header -column DB < sql/queries/runs-compared.sql
--   p11prof sql @runs-compared
--
-- It is about all runs.
-- change: of the median against the run before it with the same operation, key, data, threads
-- and rate.
WITH
rows AS (
  SELECT s.operation, s.mechanism, s.key_type, s.key_bits, l.data_bytes,
    l.threads * l.processes AS threads, r.run_id, r.started_at, r.start_wall_ns, r.name, s.load,
    s.count, s.error_count, s.p50_ns, s.p99_ns, l.rate, l.arrivals
  FROM operation_stats AS s
  JOIN runs AS r ON r.run_id = s.run_id
  LEFT JOIN loads AS l ON l.run_id = s.run_id AND l.load = s.load
  WHERE s.kind = 'call' AND coalesce(s.phase, r.kind) IN ('measured', 'profile'))
SELECT operation, mechanism, key_type, key_bits, data_bytes, threads, run_id, started_at, name,
  count, error_count, p50_ns, p99_ns,
  round(p50_ns * 1.0 / lag(p50_ns) OVER same - 1, 4) AS change
FROM rows
WINDOW same AS (
  PARTITION BY operation, mechanism, key_type, key_bits, data_bytes, threads, rate,
    arrivals
  ORDER BY start_wall_ns, run_id, load)
ORDER BY operation, mechanism, key_type, key_bits, data_bytes, threads, start_wall_ns, run_id,
  load;
