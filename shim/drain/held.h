/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Spools of live processes, held open: p11prof_held_spools_new(). */
#ifndef P11PROF_DRAIN_HELD_H
#define P11PROF_DRAIN_HELD_H

#include "folders.h"

/* Holds it, unless it is held already or there are too many. held may be NULL: nothing is done. */
void held_spools_add(struct p11prof_held_spools *held, const struct spool_file *file);

/* Visits those whose files have no name any more. */
void held_spools_visit(struct p11prof_held_spools *held,
                       bool (*visit)(void *payload, const struct spool_file *file), void *payload);

/* Nothing is left in it. */
void held_spools_drop(struct p11prof_held_spools *held, const struct spool_file *file);

#endif
