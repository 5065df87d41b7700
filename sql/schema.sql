-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- The tables of a p11prof database, schema version 6. They are private: read the views.
--
-- PRAGMA application_id says that a database is ours, user_version which schema it has. A new
-- database gets this file, the views and the names in one go, under a temporary name. An older one
-- is brought up by a p11prof command, never inside an application: for each version N below ours,
-- sql/migrations/N.sql takes it from N to N + 1, all in one transaction; then the views are made
-- anew and the names refreshed. This file always describes the newest schema.
--
-- Times are ns since the start of their run, unless a name says otherwise. A CK_ULONG is the signed
-- 64-bit integer of the same bits. NULL is unknown; in keys, where NULL would not be equal to
-- itself, unknown is -1. Sums saturate at 2^63 - 1.

-- The one row about this database.
CREATE TABLE meta (
  id BLOB NOT NULL CHECK (length(id) = 16), -- random, made with the database
  tool_version TEXT NOT NULL                -- newest p11prof that wrote views and names
) STRICT;

-- One recording.
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given out twice
  uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('profile', 'bench')),
  name TEXT,                              -- free text of the user
  state TEXT CHECK (state IN ('finished', 'interrupted', 'failed')), -- NULL: its processes say
  start_wall_ns INTEGER NOT NULL,         -- CLOCK_REALTIME at its start
  start_monotonic_ns INTEGER NOT NULL,    -- CLOCK_MONOTONIC at its start, in the boot boot_id
  boot_id TEXT,                           -- /proc/sys/kernel/random/boot_id
  duration_ns INTEGER,                    -- NULL: its processes say
  program TEXT,                           -- file name of its first program
  library TEXT,                           -- CK_INFO of the module, if an application asked for it
  cryptoki_version TEXT,                  -- of the same
  host TEXT, user TEXT, os TEXT, kernel TEXT, cpu TEXT, governor TEXT, -- of the machine it ran on
  cpu_count INTEGER,
  memory_bytes INTEGER,
  clock TEXT,                             -- 'tsc' or 'monotonic'
  tool_version TEXT,                      -- p11prof that wrote its first row
  options TEXT                            -- JSON of its command's options
) STRICT;

-- One process image of a run, as one copy of the shim saw it.
CREATE TABLE process (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES run,
  uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
  parent_uuid BLOB,                       -- process that forked it, known or not; NULL: none
  pid INTEGER NOT NULL,                   -- 0: an imported log does not say; so for call.thread_id
  program TEXT,                           -- file name
  user TEXT,                              -- 'root', else the uid
  module_path TEXT,                       -- of the real module
  start_wall_ns INTEGER NOT NULL,         -- CLOCK_REALTIME at its start
  start_ns INTEGER NOT NULL,
  end_ns INTEGER,                         -- latest end of a call
  call_count INTEGER NOT NULL DEFAULT 0,  -- calls that came here, kept as rows or not
  overhead_ns INTEGER                     -- clock reads inside each duration
) STRICT;
CREATE INDEX process_of_run ON process (run);

-- One spool file of a process. Its row stays, so that a file that could not be removed is never
-- counted twice.
CREATE TABLE spool (
  id INTEGER PRIMARY KEY,
  spool_id BLOB NOT NULL UNIQUE CHECK (length(spool_id) = 16), -- random, in the file's header
  process INTEGER NOT NULL REFERENCES process,
  batch INTEGER NOT NULL DEFAULT 0,       -- batches of it that are here: compared and set by each
  state INTEGER NOT NULL DEFAULT 3,       -- state_name.code
  clock_step_count INTEGER NOT NULL DEFAULT 0,
  clamped_count INTEGER NOT NULL DEFAULT 0 -- durations that were negative and became 0
) STRICT;
CREATE INDEX spool_of_process ON spool (process);

-- Every C_* call. No index: one would cost a factor of four. Which rows are whose is in `segment`.
-- What every report looks at comes first: SQLite finds a column by counting from the front.
CREATE TABLE call (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given out twice: segments rely on it
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,           -- -1: unknown, of an imported log
  function INTEGER NOT NULL,              -- function_name.code
  operation INTEGER,                      -- operation_name.code; NULL: this call ended no operation
  operation_duration_ns INTEGER,          -- in the module; NULL: this call was all of it
  kind INTEGER NOT NULL,                  -- kind_name.code
  flags INTEGER NOT NULL,                 -- 1 nested, 2 overlapped, 4 in signal handler, 8 clamped
  thread_id INTEGER NOT NULL,             -- of the kernel
  rv INTEGER,                             -- NULL: undisclosed
  session INTEGER,
  mechanism INTEGER,
  key_type INTEGER,
  key_bits INTEGER,
  key_id INTEGER,                         -- number of the object in its process
  in_bytes INTEGER,
  out_bytes INTEGER,
  caller INTEGER,                         -- caller.caller of its process
  slot_id INTEGER,
  operation_call_count INTEGER,           -- NULL: this call was all of it; so for the next three
  operation_start_ns INTEGER,
  operation_in_bytes INTEGER,
  operation_out_bytes INTEGER,
  part INTEGER,                           -- bench_load.load * 4 + phase_name.code; NULL: of no load
  intended_start_ns INTEGER,              -- of its operation, as a schedule wanted it; NULL: none did
  item_count INTEGER,                     -- attributes asked for, objects found, slots, mechanisms
  detail INTEGER                          -- number of the first object it made, a pair's public one;
                                          -- CKU_… of a login; objects wanted; what a search is by
                                          -- (enum p11prof_template_type); CKA_… of the first
                                          -- attribute asked for; else its CK_FLAGS
) STRICT;

-- A range of call.id whose rows belong to one process. Ranges do not overlap.
CREATE TABLE segment (
  first_call INTEGER PRIMARY KEY,
  last_call INTEGER NOT NULL,             -- inclusive
  run INTEGER NOT NULL REFERENCES run,
  process INTEGER NOT NULL REFERENCES process
) STRICT;
CREATE INDEX segment_of_run ON segment (run, process);

-- One load that a bench put on a token: a test with its parameters.
CREATE TABLE bench_load (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,                  -- from 1, in the order of the results
  test TEXT NOT NULL,                     -- test id
  name TEXT NOT NULL,                     -- the same for people
  operation INTEGER NOT NULL,             -- operation_name.code of an iteration
  mechanism INTEGER,
  key_type INTEGER,
  key_bits INTEGER,
  data_bytes INTEGER,
  threads INTEGER NOT NULL,               -- of each process
  processes INTEGER NOT NULL,
  step INTEGER NOT NULL,                  -- of the loads of its test, from 1
  unchecked INTEGER NOT NULL,             -- 1: results could not be verified
  mix INTEGER,                            -- loads that took turns in one mix, from 1; NULL: alone
  weight REAL,                            -- its part of the mix's operations, 0 to 1
  suite TEXT,                             -- test of a suite that it is a step of; NULL: none
  rate REAL,                              -- operations/s that a schedule wants; NULL: as many as go
  arrivals TEXT CHECK (arrivals IN ('constant', 'poisson')), -- NULL: rate is NULL
  think_time_ns INTEGER,                  -- that a thread waits after an operation; NULL: none
  ramp INTEGER,                           -- step of a ramp, from 1; NULL: none
  PRIMARY KEY (run, load)
) STRICT, WITHOUT ROWID;

-- One slice of a load: the window that its groups stand in.
CREATE TABLE bench_slice (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,
  slice INTEGER NOT NULL,                 -- from 1
  start_ns INTEGER NOT NULL,              -- group_window.start_ns
  duration_ns INTEGER NOT NULL,           -- that its measured operations took; the mean of its threads
  load_average REAL,                      -- of the machine, at its end
  steal_ns INTEGER,                       -- that a hypervisor kept from all CPUs
  missed_count INTEGER,                   -- operations due in it that never began; NULL: no schedule
  PRIMARY KEY (run, load, start_ns)
) STRICT, WITHOUT ROWID;

-- What one thread of a load did in its measured part.
CREATE TABLE bench_thread (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,
  process INTEGER NOT NULL,               -- from 1
  thread INTEGER NOT NULL,                -- from 1, in its process
  thread_id INTEGER NOT NULL,             -- of the kernel
  count INTEGER NOT NULL,
  error_count INTEGER NOT NULL,           -- failed ones, and wrong results
  wrong_count INTEGER NOT NULL,           -- of those, wrong results
  duration_ns INTEGER NOT NULL,
  mean_ns INTEGER,
  p99_ns INTEGER,
  PRIMARY KEY (run, load, process, thread)
) STRICT, WITHOUT ROWID;

-- What another tool says of a load that it measured, where nothing finer is known. NULL: it does
-- not say.
CREATE TABLE bench_figure (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,
  count INTEGER NOT NULL,
  error_count INTEGER,
  duration_ns INTEGER,
  ops_per_s REAL,
  bytes_per_s REAL,
  mean_ns INTEGER,
  stddev_ns INTEGER,
  min_ns INTEGER,
  p95_ns INTEGER,
  p99_ns INTEGER,
  max_ns INTEGER,
  PRIMARY KEY (run, load)
) STRICT, WITHOUT ROWID;

-- What a stress run said of a stretch of its time.
CREATE TABLE bench_interval (
  run INTEGER NOT NULL REFERENCES run,
  load INTEGER NOT NULL,
  interval INTEGER NOT NULL,              -- from 1
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,           -- by the clock
  until_ns INTEGER NOT NULL,              -- its end, since the load's first measured operation
  measured_ns INTEGER NOT NULL,           -- bench_slice.duration_ns of its slices
  count INTEGER NOT NULL,
  error_count INTEGER NOT NULL,           -- failed ones, and wrong results
  p50_ns INTEGER,
  p99_ns INTEGER,
  cpu_share REAL,                         -- of all CPUs, 0 to 1
  steal_share REAL,                       -- of their time, that a hypervisor kept
  temperature_celsius REAL,               -- of the hottest sensor, at its end
  frequency_hz INTEGER,                   -- mean of all CPUs, at its end
  rss_bytes INTEGER,                      -- of the workers, without shared memory, at its end
  session_count INTEGER,                  -- open ones, at its end
  PRIMARY KEY (run, load, interval)
) STRICT, WITHOUT ROWID;

-- A test that the token could not be given.
CREATE TABLE bench_skip (
  run INTEGER NOT NULL REFERENCES run,
  test TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (run, test)
) STRICT, WITHOUT ROWID;

-- Calls (operations) of one function (operation), kind, mechanism, key type and size in a run, with
-- the sums over the whole run. The population of success_count, sums, min, max and buckets are
-- the calls that did not fail (of kind too-small: all).
CREATE TABLE call_group (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run,
  is_operation INTEGER NOT NULL,          -- code is of: 0 function_name, 1 operation_name
  code INTEGER NOT NULL,
  kind INTEGER NOT NULL,                  -- kind_name.code
  mechanism INTEGER NOT NULL,             -- -1: unknown or none
  key_type INTEGER NOT NULL,              -- -1: unknown or none
  key_bits INTEGER NOT NULL,              -- -1: unknown or none
  part INTEGER NOT NULL DEFAULT 0,        -- as call.part; 0: of no load
  count INTEGER NOT NULL,                 -- all that completed
  success_count INTEGER NOT NULL,         -- the population
  error_count INTEGER NOT NULL,           -- failed ones
  undisclosed_count INTEGER NOT NULL,     -- whose result may not be told
  sum_ns INTEGER NOT NULL,
  error_sum_ns INTEGER NOT NULL,          -- of the failed ones
  sum_squares REAL NOT NULL,              -- ns²
  min_ns INTEGER,                         -- NULL: nobody in the population
  max_ns INTEGER,                         -- NULL: nobody in the population
  in_bytes INTEGER NOT NULL,
  out_bytes INTEGER NOT NULL,
  UNIQUE (run, is_operation, code, kind, mechanism, key_type, key_bits, part)
) STRICT;

-- The histogram of a group over the whole run.
CREATE TABLE group_bucket (
  call_group INTEGER NOT NULL REFERENCES call_group,
  low_ns INTEGER NOT NULL,
  high_ns INTEGER NOT NULL,               -- exclusive
  count INTEGER NOT NULL,
  PRIMARY KEY (call_group, low_ns)
) STRICT, WITHOUT ROWID;

-- A group in one window of time. Sums are like those of call_group.
CREATE TABLE group_window (
  id INTEGER PRIMARY KEY,
  call_group INTEGER NOT NULL REFERENCES call_group,
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,           -- of the window; 0: bench_slice.duration_ns
  count INTEGER NOT NULL,
  success_count INTEGER NOT NULL,
  error_count INTEGER NOT NULL,
  undisclosed_count INTEGER NOT NULL,
  sum_ns INTEGER NOT NULL,
  error_sum_ns INTEGER NOT NULL,
  sum_squares REAL NOT NULL,
  min_ns INTEGER,
  max_ns INTEGER,
  in_bytes INTEGER NOT NULL,
  out_bytes INTEGER NOT NULL,
  UNIQUE (call_group, start_ns, duration_ns)
) STRICT;

-- The histogram of a group in one window.
CREATE TABLE window_bucket (
  group_window INTEGER NOT NULL REFERENCES group_window,
  low_ns INTEGER NOT NULL,
  high_ns INTEGER NOT NULL,               -- exclusive
  count INTEGER NOT NULL,
  PRIMARY KEY (group_window, low_ns)
) STRICT, WITHOUT ROWID;

-- Failed calls of a run by function and CK_RV. NULL: an imported log has no durations.
CREATE TABLE error_count (
  run INTEGER NOT NULL REFERENCES run,
  function INTEGER NOT NULL,              -- function_name.code
  rv INTEGER NOT NULL,
  count INTEGER NOT NULL,
  sum_ns INTEGER,
  min_ns INTEGER,
  max_ns INTEGER,
  PRIMARY KEY (run, function, rv)
) STRICT, WITHOUT ROWID;

-- Sessions that were closed, or were open when their process ended.
CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  process INTEGER NOT NULL REFERENCES process,
  session INTEGER NOT NULL,               -- handle
  slot_id INTEGER,
  opened_ns INTEGER NOT NULL,
  closed_ns INTEGER,                      -- NULL: never
  call_count INTEGER NOT NULL
) STRICT;
CREATE INDEX session_of_process ON session (process);

-- Threads of a process that called the module. A thread id that the kernel gave out again is the
-- same row. Calls inside another recorded call are counted; their time is in the outer one's.
CREATE TABLE thread (
  process INTEGER NOT NULL REFERENCES process,
  thread_id INTEGER NOT NULL,             -- of the kernel
  first_ns INTEGER NOT NULL,              -- start of its first call
  last_ns INTEGER NOT NULL,               -- end of its last call
  call_count INTEGER NOT NULL,
  outer_ns INTEGER NOT NULL,              -- in calls that do not wait
  waiting_ns INTEGER NOT NULL,            -- in calls of kind blocking
  PRIMARY KEY (process, thread_id)
) STRICT, WITHOUT ROWID;

-- Places in code that call the module: return addresses as files and offsets. A process has at most
-- 4096 with an offset; those after them are told by their file alone. A command that drains or
-- reports looks for symbols where symbol IS NULL.
CREATE TABLE caller (
  process INTEGER NOT NULL REFERENCES process,
  caller INTEGER NOT NULL,                -- number in its process, from 1
  path TEXT NOT NULL,                     -- '[anonymous]': code of no file
  name TEXT NOT NULL,                     -- base name of path
  offset_bytes INTEGER,                   -- in the file, of the instruction behind the call
  symbol TEXT,                            -- function that holds the call, '': none; NULL: not asked
  symbol_offset_bytes INTEGER,            -- offset_bytes less where that function begins
  PRIMARY KEY (process, caller)
) STRICT, WITHOUT ROWID;
CREATE INDEX caller_to_name ON caller (process) WHERE symbol IS NULL AND offset_bytes IS NOT NULL;

-- Tokens that a process used.
CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  process INTEGER NOT NULL REFERENCES process,
  slot_id INTEGER NOT NULL,
  session_count INTEGER NOT NULL,         -- sessions opened on it
  label TEXT, manufacturer TEXT, model TEXT, serial TEXT, -- NULL: it never asked for them
  hardware_version TEXT,
  firmware_version TEXT,
  UNIQUE (process, slot_id)
) STRICT;

-- Saved baselines, and the runs of each.
CREATE TABLE baseline (
  name TEXT PRIMARY KEY,
  created_wall_ns INTEGER NOT NULL        -- CLOCK_REALTIME when it was saved
) STRICT, WITHOUT ROWID;
CREATE TABLE baseline_run (
  baseline TEXT NOT NULL REFERENCES baseline ON DELETE CASCADE,
  run INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (baseline, run)
) STRICT, WITHOUT ROWID;

-- What a later drain of a process must know to understand its calls; removed when it ends. Of one
-- that forked, sessions and objects that it gave up afterwards stay (kinds 4 and 5, at most
-- 65 536): its children use the same handles, and their spools may come when it is gone.
CREATE TABLE state (
  process INTEGER NOT NULL REFERENCES process,
  kind INTEGER NOT NULL,                  -- enum p11prof_state_kind
  key INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (process, kind, key)
) STRICT, WITHOUT ROWID;

-- How far each ring of a spool is drained.
CREATE TABLE position (
  spool INTEGER NOT NULL REFERENCES spool,
  ring INTEGER NOT NULL,
  position INTEGER NOT NULL,              -- records of it that are here
  PRIMARY KEY (spool, ring)
) STRICT, WITHOUT ROWID;

-- Calls that were counted and not kept.
CREATE TABLE loss (
  spool INTEGER NOT NULL REFERENCES spool,
  function INTEGER NOT NULL,              -- function_name.code; 0: unknown
  cause INTEGER NOT NULL,                 -- cause_name.code
  count INTEGER NOT NULL,
  PRIMARY KEY (spool, function, cause)
) STRICT, WITHOUT ROWID;

-- Calls that had not returned when their process ended.
CREATE TABLE open_call (
  spool INTEGER NOT NULL REFERENCES spool,
  thread_id INTEGER NOT NULL,
  function INTEGER NOT NULL,              -- function_name.code
  start_ns INTEGER NOT NULL,
  age_ns INTEGER NOT NULL,                -- when it was last seen
  PRIMARY KEY (spool, thread_id, function, start_ns)
) STRICT, WITHOUT ROWID;

-- Names of numbers; a newer p11prof adds what it knows. Of the states of a process's or run's
-- spools, the greatest is its own.
CREATE TABLE function_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE mechanism_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE rv_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE key_type_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE operation_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE kind_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;  -- of calls
CREATE TABLE cause_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT; -- of losses
CREATE TABLE phase_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT; -- of loads
CREATE TABLE state_name (code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT; -- of spools
