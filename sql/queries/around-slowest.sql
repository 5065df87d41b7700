-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- What did the same thread call before and after the slowest call?
--
--   sqlite3 -readonly -header -column DB < sql/queries/around-slowest.sql
--   p11prof sql @around-slowest
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- gap_ns: from the end of the call before to the start of this one. It reads all rows of the run
-- three times.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id),
slowest AS MATERIALIZED (
  SELECT call_id, process_id, thread_id, start_ns FROM calls
  WHERE run_id = (SELECT run_id FROM chosen) AND kind <> 'blocking'
  ORDER BY duration_ns DESC, call_id LIMIT 1),
same_thread AS (
  SELECT call_id, start_ns FROM calls
  WHERE run_id = (SELECT run_id FROM chosen)
    AND process_id = (SELECT process_id FROM slowest)
    AND thread_id = (SELECT thread_id FROM slowest)),
near AS MATERIALIZED (
  SELECT call_id FROM (
    SELECT * FROM same_thread WHERE start_ns < (SELECT start_ns FROM slowest)
    ORDER BY start_ns DESC LIMIT 10)
  UNION
  SELECT call_id FROM (
    SELECT * FROM same_thread WHERE start_ns > (SELECT start_ns FROM slowest)
    ORDER BY start_ns LIMIT 10)
  UNION
  SELECT call_id FROM slowest)
SELECT start_ns, start_ns - lag(start_ns + duration_ns) OVER (ORDER BY start_ns, call_id) AS gap_ns,
  iif(call_id = (SELECT call_id FROM slowest), '>', '') AS slowest, duration_ns, function, rv,
  mechanism, session, in_bytes, out_bytes, call_id
FROM calls
WHERE run_id = (SELECT run_id FROM chosen) AND call_id IN (SELECT call_id FROM near)
ORDER BY start_ns, call_id;
