-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- The public views. Columns are only ever added, at the end. They need nothing but plain SQLite.
-- Every quantity has its unit in its name; times are ns since the start of the run. Unknown is
-- NULL. Names of unknown numbers are the numbers in hex.
--
-- No view sorts or groups the rows of calls: a report over them costs one scan. The stats views
-- read sums and histograms that are kept with the rows. Counts are added by total(): sum() would
-- fail where a damaged spool said 2^63. A plain SELECT looks up only the names it shows, an
-- aggregate all of them.

-- One run. duration_ns without a command's word: until the last call's end.
CREATE VIEW runs AS
SELECT
  r.id AS run_id,
  lower(printf('%s-%s-%s-%s-%s', substr(hex(r.uuid), 1, 8), substr(hex(r.uuid), 9, 4),
    substr(hex(r.uuid), 13, 4), substr(hex(r.uuid), 17, 4), substr(hex(r.uuid), 21))) AS uuid,
  r.kind,
  r.name,
  coalesce(r.state, (
    SELECT n.name
    FROM process AS p JOIN spool AS s ON s.process = p.id JOIN state_name AS n ON n.code = s.state
    WHERE p.run = r.id ORDER BY s.state DESC LIMIT 1), 'running') AS state,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.start_wall_ns / 1000000 / 1000.0, 'unixepoch') AS started_at,
  coalesce(r.duration_ns, (SELECT max(p.end_ns) FROM process AS p WHERE p.run = r.id))
    AS duration_ns,
  r.host,
  r.user,
  r.program,
  r.library,
  r.cryptoki_version,
  t.label AS token_label,
  t.model AS token_model,
  t.serial AS token_serial,
  t.firmware_version AS token_firmware,
  r.os,
  r.kernel,
  r.cpu,
  r.cpu_count,
  r.memory_bytes,
  r.governor,
  r.clock,
  r.tool_version,
  r.options,
  (SELECT count(*) FROM process AS p WHERE p.run = r.id) AS process_count,
  (SELECT CAST(total(p.call_count) AS INTEGER) FROM process AS p WHERE p.run = r.id)
    + (SELECT CAST(total(l.count) AS INTEGER)
       FROM process AS p JOIN spool AS s ON s.process = p.id JOIN loss AS l ON l.spool = s.id
       WHERE p.run = r.id) AS call_count,
  (SELECT CAST(total(l.count) AS INTEGER)
   FROM process AS p JOIN spool AS s ON s.process = p.id JOIN loss AS l ON l.spool = s.id
   WHERE p.run = r.id) AS lost_count,
  t.manufacturer AS token_manufacturer,
  t.hardware_version AS token_hardware,
  r.start_wall_ns -- since 1970
FROM run AS r
-- The token of the slot with most sessions, as one of the processes described it.
LEFT JOIN token AS t ON t.id = (
  SELECT max(u.id) FILTER (WHERE u.label IS NOT NULL)
  FROM process AS p JOIN token AS u ON u.process = p.id
  WHERE p.run = r.id
  GROUP BY u.slot_id ORDER BY sum(u.session_count) DESC, u.slot_id LIMIT 1);

-- One process of a run. duration_ns: from its start to the end of its last call.
CREATE VIEW processes AS
SELECT
  p.run AS run_id,
  p.id AS process_id,
  parent.id AS parent_process_id,
  nullif(p.pid, 0) AS pid, -- NULL: an imported log does not say; so for the ids of threads
  p.program,
  p.user,
  p.module_path,
  strftime('%Y-%m-%dT%H:%M:%fZ', p.start_wall_ns / 1000000 / 1000.0, 'unixepoch') AS started_at,
  max(0, p.end_ns - p.start_ns) AS duration_ns,
  coalesce((
    SELECT n.name FROM spool AS s JOIN state_name AS n ON n.code = s.state
    WHERE s.process = p.id ORDER BY s.state DESC LIMIT 1), 'running') AS state,
  p.call_count + (
    SELECT CAST(total(l.count) AS INTEGER) FROM spool AS s JOIN loss AS l ON l.spool = s.id
    WHERE s.process = p.id) AS call_count,
  (SELECT CAST(total(l.count) AS INTEGER) FROM spool AS s JOIN loss AS l ON l.spool = s.id
   WHERE s.process = p.id) AS lost_count,
  p.overhead_ns,
  p.start_ns,
  (SELECT CAST(total(s.clock_step_count) AS INTEGER) FROM spool AS s WHERE s.process = p.id)
    AS clock_step_count,
  (SELECT CAST(total(s.clamped_count) AS INTEGER) FROM spool AS s WHERE s.process = p.id)
    AS clamped_count
FROM process AS p
LEFT JOIN process AS parent ON parent.uuid = p.parent_uuid;

-- How a caller is called: private, for the views below.
CREATE VIEW caller_names AS
SELECT
  w.process, w.caller, w.name, nullif(w.symbol, '') AS symbol,
  w.name || CASE
    WHEN w.offset_bytes IS NULL THEN ''
    WHEN w.symbol != '' THEN ':' || w.symbol || printf('+0x%x', w.symbol_offset_bytes)
    ELSE printf('+0x%x', w.offset_bytes) END AS site
FROM caller AS w;

-- One C_* call. CROSS JOIN: find the run's segments first, then read their rows. A plus keeps a
-- column out of automatic indexes, which SQLite would build over all rows.
CREATE VIEW calls AS
SELECT
  g.run AS run_id,
  g.process AS process_id,
  c.id AS call_id,
  +c.start_ns AS start_ns,
  nullif(c.duration_ns, -1) AS duration_ns,
  coalesce(f.name, printf('0x%08X', c.function)) AS function,
  iif(c.rv IS NULL, 'undisclosed', coalesce(v.name, printf('0x%08X', c.rv))) AS rv,
  +c.rv AS rv_code,
  k.name AS kind,
  iif(c.mechanism IS NULL, NULL, coalesce(m.name, printf('0x%08X', c.mechanism))) AS mechanism,
  +c.mechanism AS mechanism_code,
  +c.session AS session,
  +c.slot_id AS slot_id,
  nullif(c.thread_id, 0) AS thread_id,
  +c.key_id AS key_id,
  iif(c.key_type IS NULL, NULL, coalesce(t.name, printf('0x%08X', c.key_type))) AS key_type,
  +c.key_bits AS key_bits,
  +c.in_bytes AS in_bytes,
  +c.out_bytes AS out_bytes,
  iif(c.operation IS NULL, NULL, c.id) AS operation_id, -- the operation that this call ended
  o.name AS operation,
  (SELECT w.name FROM caller AS w WHERE w.process = g.process AND w.caller = c.caller) AS caller,
  (SELECT w.path FROM caller AS w WHERE w.process = g.process AND w.caller = c.caller)
    AS caller_path,
  (c.flags & 1) != 0 AS nested,      -- made inside another recorded call
  (c.flags & 2) != 0 AS overlapped,  -- with another call of its session: attributed to nothing
  (c.flags & 4) != 0 AS in_signal_handler,
  (c.flags & 8) != 0 AS clamped,     -- the clock went backwards, duration_ns is 0
  +c.function AS function_code,
  +c.kind AS kind_code,
  +c.key_type AS key_type_code,
  +c.operation AS operation_code,
  c.part >> 2 AS load, -- of view loads
  +c.item_count AS item_count, -- attributes asked for, objects found, slots, mechanisms
  -- key_id of the first object it made, a pair's public one; CKU_ of a login; objects that
  -- C_FindObjects wanted; what C_FindObjectsInit searches by, a sum of 1 class, 2 key type,
  -- 4 label, 8 id, 16 token, 32 private, 64 any other; CKA_ of the first attribute that
  -- C_GetAttributeValue asks for; else its CK_FLAGS
  +c.detail AS detail,
  -- in caller_path, of the instruction behind the call; the function that holds it
  (SELECT w.offset_bytes FROM caller AS w WHERE w.process = g.process AND w.caller = c.caller)
    AS caller_offset_bytes,
  (SELECT nullif(w.symbol, '') FROM caller AS w WHERE w.process = g.process AND w.caller = c.caller)
    AS caller_symbol,
  (SELECT w.site FROM caller_names AS w WHERE w.process = g.process AND w.caller = c.caller)
    AS caller_site -- "file:function+0x41", "file+0x1a2b3", "file"
FROM segment AS g CROSS JOIN call AS c ON c.id BETWEEN g.first_call AND g.last_call
LEFT JOIN function_name AS f ON f.code = +c.function
LEFT JOIN rv_name AS v ON v.code = +c.rv
LEFT JOIN kind_name AS k ON k.code = +c.kind
LEFT JOIN mechanism_name AS m ON m.code = +c.mechanism
LEFT JOIN key_type_name AS t ON t.code = +c.key_type
LEFT JOIN operation_name AS o ON o.code = +c.operation;

-- One operation, carried by the row of its last call. elapsed_ns: from its first call's start to
-- its last call's end.
CREATE VIEW operations AS
SELECT
  g.run AS run_id,
  g.process AS process_id,
  c.id AS operation_id,
  coalesce(o.name, printf('0x%08X', c.operation)) AS operation,
  iif(c.mechanism IS NULL, NULL, coalesce(m.name, printf('0x%08X', c.mechanism))) AS mechanism,
  iif(c.key_type IS NULL, NULL, coalesce(t.name, printf('0x%08X', c.key_type))) AS key_type,
  +c.key_bits AS key_bits,
  coalesce(c.operation_start_ns, c.start_ns) AS start_ns,
  coalesce(c.operation_duration_ns, nullif(c.duration_ns, -1)) AS duration_ns,
  c.start_ns + nullif(c.duration_ns, -1) - coalesce(c.operation_start_ns, c.start_ns) AS elapsed_ns,
  coalesce(c.operation_call_count, 1) AS call_count,
  iif(c.operation_call_count IS NULL, c.in_bytes, c.operation_in_bytes) AS in_bytes,
  iif(c.operation_call_count IS NULL, c.out_bytes, c.operation_out_bytes) AS out_bytes,
  iif(c.rv IS NULL, 'undisclosed', coalesce(v.name, printf('0x%08X', c.rv))) AS rv,
  nullif(c.thread_id, 0) AS thread_id,
  +c.session AS session,
  l.test,
  l.step,
  +c.intended_start_ns AS intended_start_ns, -- when the schedule of a load wanted it
  h.name AS phase,
  +c.rv AS rv_code,
  +c.mechanism AS mechanism_code,
  +c.key_id AS key_id,
  +c.slot_id AS slot_id,
  k.name AS kind,
  coalesce(f.name, printf('0x%08X', c.function)) AS function, -- of its last call
  (SELECT w.name FROM caller AS w WHERE w.process = g.process AND w.caller = c.caller) AS caller,
  (SELECT w.path FROM caller AS w WHERE w.process = g.process AND w.caller = c.caller)
    AS caller_path,
  +c.function AS function_code,
  +c.kind AS kind_code,
  +c.key_type AS key_type_code,
  +c.operation AS operation_code,
  c.part >> 2 AS load, -- of view loads
  -- in caller_path, of the instruction behind the call; the function that holds it
  (SELECT w.offset_bytes FROM caller AS w WHERE w.process = g.process AND w.caller = c.caller)
    AS caller_offset_bytes,
  (SELECT nullif(w.symbol, '') FROM caller AS w WHERE w.process = g.process AND w.caller = c.caller)
    AS caller_symbol,
  (SELECT w.site FROM caller_names AS w WHERE w.process = g.process AND w.caller = c.caller)
    AS caller_site -- "file:function+0x41", "file+0x1a2b3", "file"
FROM segment AS g CROSS JOIN call AS c ON c.id BETWEEN g.first_call AND g.last_call
LEFT JOIN operation_name AS o ON o.code = +c.operation
LEFT JOIN mechanism_name AS m ON m.code = +c.mechanism
LEFT JOIN key_type_name AS t ON t.code = +c.key_type
LEFT JOIN rv_name AS v ON v.code = +c.rv
LEFT JOIN kind_name AS k ON k.code = +c.kind
LEFT JOIN function_name AS f ON f.code = +c.function
LEFT JOIN bench_load AS l ON l.run = g.run AND l.load = c.part >> 2
LEFT JOIN phase_name AS h ON h.code = c.part & 3
WHERE c.operation IS NOT NULL;

-- The names of a group: private, for the views below. Of function and operation one is NULL.
CREATE VIEW group_names AS
SELECT
  g.id,
  g.run AS run_id,
  iif(g.is_operation, NULL, coalesce(f.name, printf('0x%08X', g.code))) AS function,
  iif(g.is_operation, coalesce(o.name, printf('0x%08X', g.code)), NULL) AS operation,
  k.name AS kind,
  iif(g.mechanism = -1, NULL, coalesce(m.name, printf('0x%08X', g.mechanism))) AS mechanism,
  iif(g.key_type = -1, NULL, coalesce(t.name, printf('0x%08X', g.key_type))) AS key_type,
  nullif(g.key_bits, -1) AS key_bits,
  nullif(g.part >> 2, 0) AS load,
  l.test, l.step,
  iif(g.part > 0 AND g.part & 3 = 0, 'service', h.name) AS phase
FROM call_group AS g
LEFT JOIN bench_load AS l ON l.run = g.run AND l.load = g.part >> 2
LEFT JOIN phase_name AS h ON h.code = g.part & 3
LEFT JOIN function_name AS f ON f.code = g.code
LEFT JOIN operation_name AS o ON o.code = g.code
LEFT JOIN kind_name AS k ON k.code = g.kind
LEFT JOIN mechanism_name AS m ON m.code = g.mechanism
LEFT JOIN key_type_name AS t ON t.code = g.key_type;

-- One group in one window. sum_ns, sum_squares, min_ns and max_ns are of the success_count ones.
CREATE VIEW windows AS
SELECT
  n.run_id, w.id AS window_id,
  n.function, n.operation, n.kind, n.mechanism, n.key_type, n.key_bits,
  w.start_ns, coalesce(s.duration_ns, w.duration_ns) AS duration_ns,
  w.count, w.error_count, w.sum_ns, w.sum_squares, w.min_ns, w.max_ns,
  w.in_bytes, w.out_bytes,
  w.success_count, w.undisclosed_count, w.error_sum_ns, n.id AS group_id,
  n.load, n.test, n.step, n.phase, s.slice, s.load_average, s.steal_ns, s.missed_count
FROM group_names AS n JOIN group_window AS w ON w.call_group = n.id
LEFT JOIN bench_slice AS s ON s.run = n.run_id AND s.load = n.load AND s.start_ns = w.start_ns;

-- One bucket [low_ns, high_ns) of a group in a window.
CREATE VIEW histogram AS
SELECT
  n.run_id, w.id AS window_id,
  n.function, n.operation, n.kind, n.mechanism, n.key_type, n.key_bits,
  b.low_ns, b.high_ns, b.count,
  w.start_ns, coalesce(s.duration_ns, w.duration_ns) AS duration_ns, n.id AS group_id,
  n.load, n.test, n.step, n.phase, s.slice
FROM group_names AS n
JOIN group_window AS w ON w.call_group = n.id
JOIN window_bucket AS b ON b.group_window = w.id
LEFT JOIN bench_slice AS s ON s.run = n.run_id AND s.load = n.load AND s.start_ns = w.start_ns;

-- One bucket [low_ns, high_ns) of a group over the whole run.
CREATE VIEW run_histogram AS
SELECT
  n.run_id, n.id AS group_id,
  n.function, n.operation, n.kind, n.mechanism, n.key_type, n.key_bits,
  b.low_ns, b.high_ns, b.count,
  n.load, n.test, n.step, n.phase
FROM group_names AS n JOIN group_bucket AS b ON b.call_group = n.id;

-- A group over the whole run: private, for the two views below. A percentile is the middle of the
-- bucket that has the ceil(n * p)-th smallest, clipped to what occurred.
CREATE VIEW group_stats AS
SELECT
  g.run AS run_id, n.function, n.operation, n.kind, n.mechanism, n.key_type, n.key_bits,
  g.count, g.error_count,
  iif(g.success_count = 0 AND g.error_sum_ns = 0, NULL, g.sum_ns + g.error_sum_ns) AS total_ns,
  (g.sum_ns + g.success_count / 2) / nullif(g.success_count, 0) AS mean_ns,
  g.min_ns,
  (SELECT max(g.min_ns, min(g.max_ns, min(low_ns + (high_ns - low_ns - 1) / 2)))
   FROM (SELECT low_ns, high_ns, sum(count) OVER (ORDER BY low_ns) AS rank
         FROM group_bucket WHERE call_group = g.id)
   WHERE rank >= (g.success_count + 1) / 2) AS p50_ns,
  (SELECT max(g.min_ns, min(g.max_ns, min(low_ns + (high_ns - low_ns - 1) / 2)))
   FROM (SELECT low_ns, high_ns, sum(count) OVER (ORDER BY low_ns) AS rank
         FROM group_bucket WHERE call_group = g.id)
   WHERE rank >= (g.success_count * 9 + 9) / 10) AS p90_ns,
  (SELECT max(g.min_ns, min(g.max_ns, min(low_ns + (high_ns - low_ns - 1) / 2)))
   FROM (SELECT low_ns, high_ns, sum(count) OVER (ORDER BY low_ns) AS rank
         FROM group_bucket WHERE call_group = g.id)
   WHERE rank >= (g.success_count * 19 + 19) / 20) AS p95_ns,
  (SELECT max(g.min_ns, min(g.max_ns, min(low_ns + (high_ns - low_ns - 1) / 2)))
   FROM (SELECT low_ns, high_ns, sum(count) OVER (ORDER BY low_ns) AS rank
         FROM group_bucket WHERE call_group = g.id)
   WHERE rank >= (g.success_count * 99 + 99) / 100) AS p99_ns,
  (SELECT max(g.min_ns, min(g.max_ns, min(low_ns + (high_ns - low_ns - 1) / 2)))
   FROM (SELECT low_ns, high_ns, sum(count) OVER (ORDER BY low_ns) AS rank
         FROM group_bucket WHERE call_group = g.id)
   WHERE rank >= (g.success_count * 999 + 999) / 1000) AS p999_ns,
  g.max_ns,
  g.undisclosed_count, g.success_count, g.sum_ns, g.error_sum_ns, g.sum_squares,
  g.in_bytes, g.out_bytes, g.is_operation, g.id AS group_id,
  n.load, n.test, n.step, n.phase
FROM call_group AS g JOIN group_names AS n ON n.id = g.id;

-- One function, kind, mechanism, key type and size in a run. total_ns is of all, mean_ns and what
-- follows of the success_count ones. Of an imported log, whose durations are unknown, success_count
-- is 0 and the times are NULL.
CREATE VIEW function_stats AS
SELECT
  run_id, function, kind, mechanism, key_type, key_bits,
  count, error_count, total_ns, mean_ns, min_ns, p50_ns, p90_ns, p95_ns, p99_ns, p999_ns, max_ns,
  undisclosed_count, success_count, sum_ns, error_sum_ns, sum_squares, in_bytes, out_bytes, group_id,
  load, test, step, phase
FROM group_stats WHERE NOT is_operation;

-- The same of operations.
CREATE VIEW operation_stats AS
SELECT
  run_id, operation, kind, mechanism, key_type, key_bits,
  count, error_count, total_ns, mean_ns, min_ns, p50_ns, p90_ns, p95_ns, p99_ns, p999_ns, max_ns,
  undisclosed_count, success_count, sum_ns, error_sum_ns, sum_squares, in_bytes, out_bytes, group_id,
  load, test, step, phase
FROM group_stats WHERE is_operation;

-- Failed calls of a run by function and result.
CREATE VIEW errors AS
SELECT
  e.run AS run_id,
  coalesce(f.name, printf('0x%08X', e.function)) AS function,
  coalesce(v.name, printf('0x%08X', e.rv)) AS rv,
  e.rv AS rv_code,
  e.count,
  e.sum_ns AS total_ns,
  (e.sum_ns + e.count / 2) / e.count AS mean_ns,
  e.min_ns,
  e.max_ns
FROM error_count AS e
LEFT JOIN function_name AS f ON f.code = e.function
LEFT JOIN rv_name AS v ON v.code = e.rv;

-- One session that was closed, or was open at its process's end (closed_ns and duration_ns NULL).
CREATE VIEW sessions AS
SELECT
  p.run AS run_id,
  p.id AS process_id,
  s.session,
  s.slot_id,
  s.opened_ns,
  s.closed_ns,
  s.closed_ns - s.opened_ns AS duration_ns,
  s.call_count
FROM process AS p JOIN session AS s ON s.process = p.id;

-- One thread of a process, from the start of its first call to the end of its last one; call_count:
-- calls kept as rows or not, without lost ones. in_module_ns: in calls that are inside no other
-- recorded call and do not wait; waiting_ns: in those that wait for a slot event or a person (kind
-- blocking); between_ns: the rest. Runs of an older p11prof and imported ones have no rows here.
CREATE VIEW threads AS
SELECT
  p.run AS run_id,
  p.id AS process_id,
  t.thread_id,
  t.first_ns AS start_ns,
  max(0, t.last_ns - t.first_ns) AS duration_ns,
  t.call_count,
  t.outer_ns AS in_module_ns,
  t.waiting_ns,
  max(0, t.last_ns - t.first_ns - t.outer_ns - t.waiting_ns) AS between_ns
FROM process AS p JOIN thread AS t ON t.process = p.id;

-- Calls of one process that were counted and not kept, by function (NULL: unknown) and cause.
CREATE VIEW losses AS
SELECT
  p.run AS run_id,
  p.id AS process_id,
  iif(l.function = 0, NULL, coalesce(f.name, printf('0x%08X', l.function))) AS function,
  c.name AS cause,
  CAST(total(l.count) AS INTEGER) AS count
FROM process AS p
JOIN spool AS s ON s.process = p.id
JOIN loss AS l ON l.spool = s.id
LEFT JOIN function_name AS f ON f.code = l.function
LEFT JOIN cause_name AS c ON c.code = l.cause
GROUP BY p.run, p.id, l.function, l.cause;

-- One call that had not returned when its process ended. age_ns: when it was last seen.
CREATE VIEW in_flight AS
SELECT
  p.run AS run_id,
  p.id AS process_id,
  o.thread_id,
  coalesce(f.name, printf('0x%08X', o.function)) AS function,
  o.start_ns,
  o.age_ns
FROM process AS p
JOIN spool AS s ON s.process = p.id
JOIN open_call AS o ON o.spool = s.id
LEFT JOIN function_name AS f ON f.code = o.function;

-- One load of a bench run: a test with its parameters, in the order of the results.
CREATE VIEW loads AS
SELECT
  l.run AS run_id,
  l.load,
  l.test,
  l.name,
  iif(l.operation = 0, NULL, coalesce(o.name, printf('0x%08X', l.operation))) AS operation,
  iif(l.mechanism IS NULL, NULL, coalesce(m.name, printf('0x%08X', l.mechanism))) AS mechanism,
  iif(l.key_type IS NULL, NULL, coalesce(t.name, printf('0x%08X', l.key_type))) AS key_type,
  l.key_bits,
  l.data_bytes,
  l.threads,
  l.processes,
  l.step,
  l.unchecked, -- 1: results could not be verified
  l.mix,       -- loads that took turns in one mix, from 1; NULL: alone
  l.weight,    -- its part of the mix's operations, 0 to 1
  l.suite,     -- test of a suite that it is a step of; NULL: none
  l.rate,      -- operations/s that a schedule wants; NULL: as many as go
  l.arrivals,  -- constant or poisson
  l.think_time_ns, -- that a thread waits after an operation
  l.ramp,      -- step of a ramp, from 1; NULL: none
  (SELECT sum(s.missed_count) FROM bench_slice AS s WHERE s.run = l.run AND s.load = l.load)
    AS missed_count -- operations that were due and never began; NULL: no schedule
FROM bench_load AS l
LEFT JOIN operation_name AS o ON o.code = l.operation
LEFT JOIN mechanism_name AS m ON m.code = l.mechanism
LEFT JOIN key_type_name AS t ON t.code = l.key_type;

-- What one thread of a load did in its measured part. mean_ns and p99_ns: of its operations.
CREATE VIEW load_threads AS
SELECT
  t.run AS run_id, t.load, t.process, t.thread, t.thread_id, t.count, t.error_count, t.wrong_count,
  t.duration_ns, t.mean_ns, t.p99_ns
FROM bench_thread AS t;

-- A stretch of the time of a stress run. until_ns: its end, since the first measured operation;
-- measured_ns: time of its slices, which ops_per_s is of; the others: at its end.
CREATE VIEW intervals AS
SELECT
  i.run AS run_id, i.load, l.test, i.interval, i.start_ns, i.duration_ns, i.until_ns, i.measured_ns,
  i.count, i.error_count,
  (i.count - i.error_count) * 1e9 / nullif(i.measured_ns, 0) AS ops_per_s,
  i.p50_ns, i.p99_ns,
  i.cpu_share, i.steal_share, i.temperature_celsius, i.frequency_hz, i.rss_bytes, i.session_count
FROM bench_interval AS i JOIN bench_load AS l ON l.run = i.run AND l.load = i.load;

-- A test that a bench run could not do, and why.
CREATE VIEW skipped AS
SELECT k.run AS run_id, k.test, k.reason FROM bench_skip AS k;

-- One run of a saved baseline.
CREATE VIEW baselines AS
SELECT
  b.name,
  strftime('%Y-%m-%dT%H:%M:%fZ', b.created_wall_ns / 1000000 / 1000.0, 'unixepoch') AS created_at,
  r.run AS run_id
FROM baseline AS b JOIN baseline_run AS r ON r.baseline = b.name;
