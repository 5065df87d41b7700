-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- Which calls were counted only, and why?
--
--   sqlite3 -readonly -header -column DB < sql/queries/lost-calls.sql
--   p11prof sql @lost-calls
--
-- It is about all runs.
-- No rows: nothing was lost. share: of all calls of the run.
SELECT r.run_id, r.started_at, r.name, l.function, l.cause, sum(l.count) AS count,
  round(sum(l.count) * 1.0 / r.call_count, 4) AS share
FROM losses AS l JOIN runs AS r ON r.run_id = l.run_id
GROUP BY r.run_id, l.function, l.cause
ORDER BY r.start_wall_ns DESC, r.run_id DESC, count DESC, l.function;
