-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- Which 20 calls took longest?
--
--   sqlite3 -readonly -header -column DB < sql/queries/slowest-calls.sql
--   p11prof sql @slowest-calls
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- It reads all rows of the run. Calls that wait for a token by intention are left out.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id),
-- The names of 20 rows are looked up, not those of all.
slowest AS MATERIALIZED (
  SELECT call_id FROM calls
  WHERE run_id = (SELECT run_id FROM chosen) AND kind <> 'blocking'
  ORDER BY duration_ns DESC, call_id LIMIT 20)
SELECT duration_ns, function, rv, mechanism, key_type, key_bits, in_bytes, caller, process_id,
  thread_id, session, start_ns, call_id
FROM calls
WHERE run_id = (SELECT run_id FROM chosen) AND call_id IN (SELECT call_id FROM slowest)
ORDER BY duration_ns DESC, call_id;
