-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How does a token's throughput grow with the threads of a bench?
--
--   sqlite3 -readonly -header -column DB < sql/queries/bench-throughput.sql
--   p11prof sql @bench-throughput
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- Of the measured part. efficiency: the rate, of as many times that of one thread; none where a
-- schedule says the rate. Operations of a
-- mix share their slices: one without a window in a slice had none in it. weight: its part of a
-- mix; suite: the test of a suite that it is a step of.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id),
slices AS (
  SELECT load, slice, max(duration_ns) AS duration_ns, sum(count) AS count,
    sum(error_count) AS error_count
  FROM windows
  WHERE run_id = (SELECT run_id FROM chosen) AND phase = 'measured' AND operation IS NOT NULL
    AND slice IS NOT NULL
  GROUP BY load, slice),
shared AS (
  SELECT coalesce(l.mix, -l.load) AS mix, s.slice, max(s.duration_ns) AS duration_ns
  FROM loads AS l JOIN slices AS s ON s.load = l.load
  WHERE l.run_id = (SELECT run_id FROM chosen)
  GROUP BY 1, 2),
times AS (
  SELECT mix, sum(duration_ns) AS duration_ns FROM shared GROUP BY mix),
rates AS (
  SELECT l.test, l.data_bytes, l.threads * l.processes AS threads, l.load, l.weight, l.suite, l.rate,
    sum(s.count) AS count, sum(s.error_count) AS error_count,
    round((sum(s.count) - sum(s.error_count)) * 1e9 / nullif(max(t.duration_ns), 0), 3)
      AS ops_per_s
  FROM loads AS l JOIN slices AS s ON s.load = l.load
    JOIN times AS t ON t.mix = coalesce(l.mix, -l.load)
  WHERE l.run_id = (SELECT run_id FROM chosen)
  GROUP BY l.load)
SELECT test, data_bytes, threads, count, error_count, ops_per_s,
  round(ops_per_s / (threads * (
    SELECT max(one.ops_per_s) FROM rates AS one
    WHERE one.test = rates.test AND one.data_bytes IS rates.data_bytes AND one.threads = 1
      AND one.weight IS rates.weight AND one.rate IS NULL AND rates.rate IS NULL)), 4)
    AS efficiency,
  weight, suite
FROM rates
ORDER BY test, data_bytes, threads, load;
