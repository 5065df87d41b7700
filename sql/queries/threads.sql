-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How evenly do the threads of a program use the module?
--
--   sqlite3 -readonly -header -column DB < sql/queries/threads.sql
--   p11prof sql @threads
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- share: of the time that all threads were in the module. between_ns: outside of its calls, from
-- the first to the last.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id)
SELECT process_id, thread_id, call_count, start_ns, duration_ns, in_module_ns,
  round(in_module_ns * 1.0 / nullif(sum(in_module_ns) OVER (), 0), 4) AS share, waiting_ns,
  between_ns
FROM threads
WHERE run_id = (SELECT run_id FROM chosen)
ORDER BY in_module_ns DESC, process_id, thread_id;
