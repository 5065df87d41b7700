-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How did rate and latency change in the course of the run?
--
--   sqlite3 -readonly -header -column DB < sql/queries/timeline.sql
--   p11prof sql @timeline
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- One row for each window and operation: windows of 1 s in the first minute, then of 1 minute; the
-- slices of a bench. ops_per_s is too low in the window in which the run ended. p99_ns is of the
-- histograms: within 0.5 %.
WITH
chosen AS (
  SELECT run_id, kind FROM runs
  WHERE run_id = coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1))),
cells AS (
  SELECT start_ns, duration_ns, load, operation, low_ns, high_ns, sum(count) AS count
  FROM histogram
  WHERE run_id = (SELECT run_id FROM chosen) AND operation IS NOT NULL
    AND coalesce(phase, (SELECT kind FROM chosen)) IN ('measured', 'profile')
  GROUP BY start_ns, duration_ns, load, operation, low_ns),
ranked AS (
  SELECT *, sum(count) OVER (
      PARTITION BY start_ns, duration_ns, load, operation ORDER BY low_ns) AS rank,
    sum(count) OVER (PARTITION BY start_ns, duration_ns, load, operation) AS all_count
  FROM cells),
percentiles AS (
  SELECT start_ns, duration_ns, load, operation, min(low_ns + (high_ns - low_ns - 1) / 2) AS p99_ns
  FROM ranked WHERE rank >= (all_count * 99 + 99) / 100
  GROUP BY start_ns, duration_ns, load, operation)
SELECT w.start_ns, w.duration_ns, w.load, w.operation, sum(w.count) AS count,
  sum(w.error_count) AS error_count,
  round((sum(w.count) - sum(w.error_count)) * 1e9 / nullif(w.duration_ns, 0), 3) AS ops_per_s,
  (sum(w.sum_ns) + sum(w.success_count) / 2) / nullif(sum(w.success_count), 0) AS mean_ns,
  max(min(w.min_ns), min(max(w.max_ns), p.p99_ns)) AS p99_ns, max(w.max_ns) AS max_ns
FROM windows AS w
LEFT JOIN percentiles AS p ON p.start_ns = w.start_ns AND p.duration_ns = w.duration_ns
  AND p.load IS w.load AND p.operation = w.operation
WHERE w.run_id = (SELECT run_id FROM chosen) AND w.operation IS NOT NULL
  AND coalesce(w.phase, (SELECT kind FROM chosen)) IN ('measured', 'profile')
GROUP BY w.start_ns, w.duration_ns, w.load, w.operation
ORDER BY w.start_ns, w.load, w.operation;
