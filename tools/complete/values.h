/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Candidates for the value of an option, and for an argument. */
#ifndef P11PROF_COMPLETE_VALUES_H
#define P11PROF_COMPLETE_VALUES_H

#include "../options.h"
#include "offer.h"
#include "stored.h"

/* The value begins at this byte of the word. */
void values_of_option(struct offer *offer, struct stored *stored,
                      const struct p11prof_option *option, size_t lead);

/* The argument of that number, from 0; first: the one before all others, NULL for number 0. */
void values_of_argument(struct offer *offer, struct stored *stored,
                        const struct p11prof_usage *usage, size_t number, const char *first);

#endif
