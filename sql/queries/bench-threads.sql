-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How evenly does a token serve the threads of a bench?
--
--   sqlite3 -readonly -header -column DB < sql/queries/bench-threads.sql
--   p11prof sql @bench-threads
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- share: of the operations of the load.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id)
SELECT t.load, l.test, t.process, t.thread, t.count, t.error_count,
  round(t.count * 1.0 / sum(t.count) OVER (PARTITION BY t.load), 4) AS share,
  round((t.count - t.error_count) * 1e9 / nullif(t.duration_ns, 0), 3) AS ops_per_s
FROM load_threads AS t JOIN loads AS l ON l.run_id = t.run_id AND l.load = t.load
WHERE t.run_id = (SELECT run_id FROM chosen)
ORDER BY t.load, t.process, t.thread;
