-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- How did the latency of operations change from hour to hour, over all runs?
--
--   sqlite3 -readonly -header -column DB < sql/queries/p99-per-hour.sql
--   p11prof sql @p99-per-hour
--
-- It is about all runs.
-- Hours are of UTC; a window of time belongs to the hour it starts in. Of a bench: what was
-- measured. count: of those that did not fail. Percentiles are of the histograms: within 0.5 %.
WITH
cells AS (
  SELECT (r.start_wall_ns + h.start_ns) / 3600000000000 AS hour, h.operation, h.mechanism,
    h.key_type, h.key_bits, h.low_ns, h.high_ns, sum(h.count) AS count
  FROM runs AS r JOIN histogram AS h ON h.run_id = r.run_id
  WHERE h.operation IS NOT NULL AND coalesce(h.phase, r.kind) IN ('measured', 'profile')
  GROUP BY hour, h.operation, h.mechanism, h.key_type, h.key_bits, h.low_ns),
ranked AS (
  SELECT *, sum(count) OVER (
      PARTITION BY hour, operation, mechanism, key_type, key_bits ORDER BY low_ns) AS rank,
    sum(count) OVER (PARTITION BY hour, operation, mechanism, key_type, key_bits) AS all_count
  FROM cells)
SELECT strftime('%Y-%m-%dT%H:%MZ', hour * 3600, 'unixepoch') AS hour, operation, mechanism,
  key_type, key_bits, all_count AS count,
  min(low_ns + (high_ns - low_ns - 1) / 2) FILTER (WHERE rank >= (all_count + 1) / 2) AS p50_ns,
  min(low_ns + (high_ns - low_ns - 1) / 2) FILTER (WHERE rank >= (all_count * 99 + 99) / 100)
    AS p99_ns
FROM ranked
GROUP BY hour, operation, mechanism, key_type, key_bits
ORDER BY operation, mechanism, key_type, key_bits, hour;
