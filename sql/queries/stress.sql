-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How did a stress run fare, and what did the machine say meanwhile?
--
--   sqlite3 -readonly -header -column DB < sql/queries/stress.sql
--   p11prof sql @stress
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- One row for each interval; until_ns: its end, since the first measured operation.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id)
SELECT interval, until_ns, count, error_count, round(ops_per_s, 3) AS ops_per_s, p50_ns, p99_ns,
  round(cpu_share, 4) AS cpu_share, round(steal_share, 4) AS steal_share, temperature_celsius,
  frequency_hz, rss_bytes, session_count
FROM intervals
WHERE run_id = (SELECT run_id FROM chosen)
ORDER BY load, interval;
