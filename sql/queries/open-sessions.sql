-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- Which sessions were never closed, or were open for long?
--
--   sqlite3 -readonly -header -column DB < sql/queries/open-sessions.sql
--   p11prof sql @open-sessions
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- The 20 that were open longest. closed_ns of those that their process left open is unknown, and
-- open_ns lasts to the end of its last call. Sessions of a live process show once they are closed.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id)
SELECT p.program, p.pid, s.slot_id, s.session, s.opened_ns, s.closed_ns,
  coalesce(s.closed_ns, p.start_ns + p.duration_ns) - s.opened_ns AS open_ns, s.call_count
FROM sessions AS s JOIN processes AS p ON p.process_id = s.process_id
WHERE s.run_id = (SELECT run_id FROM chosen)
ORDER BY s.closed_ns IS NULL DESC, open_ns DESC
LIMIT 20;
