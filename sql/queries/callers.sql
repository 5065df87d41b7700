-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- Which functions of which programs and libraries call the module, and for how long?
--
--   sqlite3 -readonly -header -column DB < sql/queries/callers.sql
--   p11prof sql @callers
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- It reads and sorts all rows of the run: some 15 s for ten million. `p11prof report --by caller`
-- sorts nothing.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id)
SELECT caller_site AS caller, caller AS caller_file, function, count(*) AS count,
  count(*) FILTER (WHERE rv_code <> 0 AND kind <> 'too-small') AS error_count,
  round(sum(duration_ns) * 1.0 / sum(sum(duration_ns)) OVER (), 4) AS share,
  sum(duration_ns) AS total_ns, max(duration_ns) AS max_ns
FROM calls
WHERE run_id = (SELECT run_id FROM chosen) AND kind <> 'blocking'
GROUP BY caller_site, calls.caller, function
ORDER BY total_ns DESC, caller_site, function;
