/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "rv_meaning.h"
#include "p11prof/calls.h"

#include <stddef.h>
#include <string.h>

static const struct entry {
    unsigned function; /* 0: all that have no entry of their own */
    const char *rv;    /* its name: the values of Debian 12's header are wrong for five of them */
    struct p11prof_rv_meaning meaning;
} entries[] = {
#define MEANING(rv, class, sentence) {0, #rv, {P11PROF_RV_##class, sentence}},
#define MEANING_OF(function, rv, class, sentence)                                                  \
    {P11PROF_##function, #rv, {P11PROF_RV_##class, sentence}},
#include "rv_meaning.def"
#undef MEANING
#undef MEANING_OF
};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

/* Makers that give their codes a prefix of their own. */
static const struct {
    uint64_t low, high;
    const char *sentence;
} vendors[] = {
    {0xCE534350, 0xCE5343FF,
     "A code of NSS's own modules: its key or certificate database cannot be used, or the like."},
};

static const struct entry *find(unsigned function, uint64_t rv)
{
    const char *name = p11prof_rv_name(rv);
    for (size_t i = 0; name && i < ENTRIES; i++)
        if (entries[i].function == function && strcmp(entries[i].rv, name) == 0)
            return &entries[i];
    return NULL;
}

static const char *sentence_of_others(uint64_t rv)
{
    for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++)
        if (rv >= vendors[i].low && rv <= vendors[i].high)
            return vendors[i].sentence;
    return rv >= CKR_VENDOR_DEFINED
               ? "A code of the module's maker: its documentation or its log says what it means."
               : "PKCS#11 up to 3.2 has no such code: the module made it up, or is newer.";
}

struct p11prof_rv_meaning p11prof_rv_meaning(unsigned function, uint64_t rv)
{
    const struct entry *entry = function ? find(function, rv) : NULL;
    if (!entry)
        entry = find(0, rv);
    if (entry)
        return entry->meaning;
    return (struct p11prof_rv_meaning){P11PROF_RV_VENDOR, sentence_of_others(rv)};
}

struct p11prof_rv_meaning p11prof_rv_undisclosed(void)
{
    return (struct p11prof_rv_meaning){P11PROF_RV_UNDISCLOSED,
                                       "Whether it succeeded is not kept on purpose: a list of "
                                       "which decryptions failed would help "
                                       "whoever attacks the padding. It may be a success."};
}

bool p11prof_rv_is_explained(uint64_t rv)
{
    return find(0, rv) != NULL;
}

const char *p11prof_rv_class_name(enum p11prof_rv_class class)
{
    static const char *const names[P11PROF_RV_CLASSES] = {
        [P11PROF_RV_BENIGN] = "benign", [P11PROF_RV_APPLICATION] = "application",
        [P11PROF_RV_TOKEN] = "token",   [P11PROF_RV_AUTHENTICATION] = "authentication",
        [P11PROF_RV_VENDOR] = "vendor", [P11PROF_RV_UNDISCLOSED] = "undisclosed",
    };
    return names[class];
}
