-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How much searching for objects does each signature cost?
--
--   sqlite3 -readonly -header -column DB < sql/queries/searches.sql
--   p11prof sql @searches
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- per_signature: calls for each signature that was made. Many searches for each mean that an
-- application looks its key up again every time.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id),
signatures AS (
  SELECT sum(count) AS count FROM operation_stats
  WHERE run_id = (SELECT run_id FROM chosen) AND operation IN ('sign', 'message-sign')
    AND phase IS NOT 'service')
SELECT f.function, sum(f.count) AS count, sum(f.error_count) AS error_count,
  round(sum(f.count) * 1.0 / s.count, 4) AS per_signature, sum(f.total_ns) AS total_ns,
  sum(f.total_ns) / s.count AS per_signature_ns
FROM function_stats AS f, signatures AS s
WHERE f.run_id = (SELECT run_id FROM chosen)
  AND f.function IN ('C_FindObjectsInit', 'C_FindObjects', 'C_FindObjectsFinal',
    'C_GetAttributeValue')
GROUP BY f.function
ORDER BY total_ns DESC, f.function;
