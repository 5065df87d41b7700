/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "offer.h"

#include "../report/safe_text.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 512 };

void offer_begin(struct offer *offer, size_t lead, bool many)
{
    const char *comma = many ? strrchr(offer->word + lead, ',') : NULL;
    offer->list = offer->lead = lead;
    if (comma)
        offer->lead = (size_t)(comma + 1 - offer->word);
}

const char *offer_typed(const struct offer *offer)
{
    return offer->word + offer->lead;
}

static bool is_listed(const struct offer *offer, const char *candidate)
{
    size_t length = strlen(candidate);
    for (const char *at = offer->word + offer->list; at < offer_typed(offer);
         at += strcspn(at, ",") + 1)
        if (strncmp(at, candidate, length) == 0 && at[length] == ',')
            return true;
    return false;
}

/* A name of somebody's that a shell could take for something else, or a terminal for a command. */
static bool can_be_typed(const char *candidate)
{
    char safe[TEXT_BYTES];
    p11prof_safe_text(safe, sizeof safe, candidate);
    return candidate[0] && strcmp(safe, candidate) == 0;
}

void offer_one(struct offer *offer, const char *candidate, const char *what)
{
    char safe[TEXT_BYTES];
    const char *typed = offer_typed(offer);
    if (strncmp(candidate, typed, strlen(typed)) != 0 || is_listed(offer, candidate) ||
        !can_be_typed(candidate))
        return;
    size_t skipped = offer->kept > offer->lead ? offer->kept - offer->lead : 0;
    if (offer->kept < offer->lead)
        printf("%.*s", (int)(offer->lead - offer->kept), offer->word + offer->kept);
    fputs(candidate + skipped, stdout);
    p11prof_safe_text(safe, sizeof safe, what ? what : "");
    printf("%s%s\n", what ? "\t" : "", safe);
    offer->count++;
}

void offer_words(struct offer *offer, const char *words)
{
    char word[64];
    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        offer_one(offer, word, NULL);
        at += length;
    }
}

void offer_of_shell(struct offer *offer, const char *what)
{
    printf("\t%s\n", what);
    offer->count++;
}
