-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How evenly do the threads of a program use the module?
--
--   sqlite3 -readonly -header -column DB < sql/queries/threads.sql
--   p11prof sql @threads
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- It reads and sorts all rows of the run: some 15 s for ten million. For a bench, bench-threads
-- answers at once.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id)
SELECT process_id, thread_id, count(*) AS count,
  count(*) FILTER (WHERE rv_code <> 0) AS error_count,
  round(count(*) * 1.0 / sum(count(*)) OVER (), 4) AS share, sum(duration_ns) AS total_ns,
  max(duration_ns) AS max_ns
FROM calls
WHERE run_id = (SELECT run_id FROM chosen) AND kind <> 'blocking'
GROUP BY process_id, thread_id
ORDER BY count DESC, process_id, thread_id;
