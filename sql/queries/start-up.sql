-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How long does each process take to its first cryptographic operation?
--
--   sqlite3 -readonly -header -column DB < sql/queries/start-up.sql
--   p11prof sql @start-up
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- first_operation_ns: from the process's start to the operation's start. It reads all rows of the
-- run twice.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id),
crypto AS (
  SELECT process_id, operation, start_ns FROM operations
  WHERE run_id = (SELECT run_id FROM chosen)
    AND operation NOT IN ('find', 'get-attributes', 'login-logout', 'object-copy',
      'object-create-destroy', 'session-open-close', 'set-attribute')),
waits AS MATERIALIZED (
  SELECT process_id, sum(duration_ns) FILTER (WHERE function = 'C_Initialize') AS initialize_ns,
    sum(duration_ns) FILTER (WHERE function = 'C_Login') AS login_ns
  FROM calls
  WHERE run_id = (SELECT run_id FROM chosen) AND function IN ('C_Initialize', 'C_Login')
  GROUP BY process_id),
firsts AS MATERIALIZED (
  SELECT p.process_id, (SELECT min(start_ns) FROM crypto WHERE process_id = p.process_id)
    AS start_ns
  FROM processes AS p WHERE p.run_id = (SELECT run_id FROM chosen))
SELECT p.program, p.pid, p.started_at, w.initialize_ns, w.login_ns,
  (SELECT c.operation FROM crypto AS c
   WHERE c.process_id = f.process_id AND c.start_ns = f.start_ns LIMIT 1) AS operation,
  f.start_ns - p.start_ns AS first_operation_ns
FROM processes AS p
JOIN firsts AS f ON f.process_id = p.process_id
LEFT JOIN waits AS w ON w.process_id = p.process_id
WHERE p.run_id = (SELECT run_id FROM chosen)
ORDER BY p.start_ns, p.process_id;
