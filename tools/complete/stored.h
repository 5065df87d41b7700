/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Candidates out of the database, as it is: it is neither made, nor brought up to date, nor are
 * spools taken into it. Whatever is wrong with it, there are none then. */
#ifndef P11PROF_COMPLETE_STORED_H
#define P11PROF_COMPLETE_STORED_H

#include "../report/dimensions.h"
#include "offer.h"

struct stored {
    const char *path; /* --db; NULL: as a shim here would choose it */
    struct p11prof_store *store;
    bool tried;
};

/* "last", numbers, names, baselines with their '@', and, behind "RUN:", its rows. */
void stored_runs(struct stored *stored, struct offer *offer);
void stored_run_names(struct stored *stored, struct offer *offer);
void stored_baselines(struct stored *stored, struct offer *offer);

/* Words of a filter by that dimension. */
void stored_words(struct stored *stored, struct offer *offer, enum p11prof_dimension_id id);

void stored_close(struct stored *stored);

#endif
