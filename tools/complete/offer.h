/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What may stand where the cursor is: printed as lines "CANDIDATE", or "CANDIDATE<tab>WHAT IT IS".
 * A line that begins with the tab asks the shell for what it knows better: files, folders, command,
 * arguments. "<tab>in QUOTE" says which quote is open, for a shell that named
 * a part of the word. */
#ifndef P11PROF_COMPLETE_OFFER_H
#define P11PROF_COMPLETE_OFFER_H

#include <stdbool.h>
#include <stddef.h>

struct offer {
    const char *word; /* that is being typed */
    size_t kept;      /* bytes of it that the shell keeps: candidates are without them */
    size_t lead;      /* bytes before the value, or before the last one of a list */
    size_t list;      /* where the list begins */
    size_t count;     /* printed so far */
};

/* The value begins at this byte of the word; many: it is a list, with commas between. */
void offer_begin(struct offer *offer, size_t lead, bool many);

/* What is typed of the value. */
const char *offer_typed(const struct offer *offer);

/* Prints a candidate, unless something else was typed, it stands in the list already, or it cannot
 * be typed (control characters, no UTF-8). what: NULL for nothing to say. */
void offer_one(struct offer *offer, const char *candidate, const char *what);

/* Words with blanks between. */
void offer_words(struct offer *offer, const char *words);

/* Asks the shell. */
void offer_of_shell(struct offer *offer, const char *what);

#endif
