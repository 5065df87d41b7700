-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- In which functions is the time spent?
--
--   sqlite3 -readonly -header -column DB < sql/queries/functions.sql
--   p11prof sql @functions
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- Calls that wait for a token by intention are left out. mean_ns is of those that did not fail.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id)
SELECT function, sum(count) AS count, sum(error_count) AS error_count,
  round(sum(total_ns) * 1.0 / sum(sum(total_ns)) OVER (), 4) AS share, sum(total_ns) AS total_ns,
  (sum(sum_ns) + sum(success_count) / 2) / nullif(sum(success_count), 0) AS mean_ns,
  max(max_ns) AS max_ns
FROM function_stats
WHERE run_id = (SELECT run_id FROM chosen) AND kind <> 'blocking'
GROUP BY function
ORDER BY total_ns DESC, function;
