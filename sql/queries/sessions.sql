-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How many sessions and logins does each operation cost?
--
--   sqlite3 -readonly -header -column DB < sql/queries/sessions.sql
--   p11prof sql @sessions
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- per_operation: calls for each cryptographic operation. A session, or a login, for each means
-- that an application keeps none.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id),
operations AS (
  SELECT sum(count) AS count FROM operation_stats
  WHERE run_id = (SELECT run_id FROM chosen)
    AND operation NOT IN ('find', 'get-attributes', 'login-logout', 'object-copy',
      'object-create-destroy', 'session-open-close', 'set-attribute')
    AND phase IS NOT 'service')
SELECT f.function, sum(f.count) AS count, sum(f.error_count) AS error_count,
  round(sum(f.count) * 1.0 / o.count, 4) AS per_operation, sum(f.total_ns) AS total_ns,
  sum(f.total_ns) / o.count AS per_operation_ns
FROM function_stats AS f, operations AS o
WHERE f.run_id = (SELECT run_id FROM chosen)
  AND f.function IN ('C_OpenSession', 'C_CloseSession', 'C_CloseAllSessions', 'C_Login',
    'C_LoginUser', 'C_Logout')
GROUP BY f.function
ORDER BY total_ns DESC, f.function;
