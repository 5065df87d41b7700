-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- Which calls only asked for a size, or came again with a larger buffer?
--
--   sqlite3 -readonly -header -column DB < sql/queries/size-queries.sql
--   p11prof sql @size-queries
--
-- It is about the newest run; -cmd '.parameter set :run 12', or --run 12, chooses another.
-- wasted_ns: what asking for sizes and buffers that were too small took; share: of all time in
-- that function.
WITH
chosen AS (
  SELECT coalesce(:run, (
    SELECT run_id FROM runs ORDER BY start_wall_ns DESC, run_id DESC LIMIT 1)) AS run_id)
SELECT function,
  CAST(total(count) FILTER (WHERE kind = 'call') AS INTEGER) AS count,
  CAST(total(count) FILTER (WHERE kind = 'size-query') AS INTEGER) AS size_query_count,
  CAST(total(count) FILTER (WHERE kind = 'too-small') AS INTEGER) AS too_small_count,
  sum(total_ns) FILTER (WHERE kind IN ('size-query', 'too-small')) AS wasted_ns,
  round(sum(total_ns) FILTER (WHERE kind IN ('size-query', 'too-small')) * 1.0 / sum(total_ns), 4)
    AS share
FROM function_stats
WHERE run_id = (SELECT run_id FROM chosen)
GROUP BY function
HAVING size_query_count + too_small_count > 0
ORDER BY wasted_ns DESC, function;
