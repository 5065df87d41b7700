-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- From schema version 4 to 5: loads that follow a schedule, steps of a ramp, and how many items a
-- call was about, with more of what it said.
ALTER TABLE call ADD COLUMN intended_start_ns INTEGER;
ALTER TABLE call ADD COLUMN item_count INTEGER;
ALTER TABLE call ADD COLUMN detail INTEGER;
ALTER TABLE bench_load ADD COLUMN rate REAL;
ALTER TABLE bench_load ADD COLUMN arrivals TEXT CHECK (arrivals IN ('constant', 'poisson'));
ALTER TABLE bench_load ADD COLUMN think_time_ns INTEGER;
ALTER TABLE bench_load ADD COLUMN ramp INTEGER;
ALTER TABLE bench_slice ADD COLUMN missed_count INTEGER;
