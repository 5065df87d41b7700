-- SPDX-License-Identifier: Apache-2.0
-- SPDX-FileCopyrightText: The p11prof authors
-- From schema version 5 to 6: where in its file a call came from. What was recorded before is known
-- by its file alone.
ALTER TABLE caller ADD COLUMN offset_bytes INTEGER;
ALTER TABLE caller ADD COLUMN symbol TEXT;
ALTER TABLE caller ADD COLUMN symbol_offset_bytes INTEGER;
CREATE INDEX caller_to_name ON caller (process) WHERE symbol IS NULL AND offset_bytes IS NOT NULL;
