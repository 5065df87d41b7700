-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- Which functions failed, how often, and with which result?
--
--   sqlite3 -readonly -header -column DB < sql/queries/errors.sql
--   p11prof sql @errors
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- share is of the calls of that function.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id),
functions AS (
  SELECT function, sum(count) AS count FROM function_stats
  WHERE run_id = (SELECT run_id FROM chosen) GROUP BY function)
SELECT e.function, e.rv, e.count, round(e.count * 1.0 / f.count, 4) AS share, f.count AS call_count,
  e.total_ns, e.mean_ns, e.max_ns
FROM errors AS e LEFT JOIN functions AS f ON f.function = e.function
WHERE e.run_id = (SELECT run_id FROM chosen)
ORDER BY e.count DESC, e.function, e.rv;
