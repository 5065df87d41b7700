/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "insight/advice.h"

#include <fnmatch.h>
#include <string.h>

/* The first that fits holds: those of a library stand before that of anybody. */
static const struct p11prof_remedy remedies[] = {
#define REMEDY(finding, library, text) {finding, library, text},
#include "remedies.def"
#undef REMEDY
};

/* A glob with a slash is of the path: OpenSSL's engine and its provider have the same file name. */
static bool made_by(const struct p11prof_remedy *remedy, const char *library)
{
    if (!remedy->library)
        return true;
    if (!library)
        return false;
    const char *slash = strchr(remedy->library, '/') ? NULL : strrchr(library, '/');
    return fnmatch(remedy->library, slash ? slash + 1 : library, 0) == 0;
}

const char *p11prof_remedy_text(const char *finding, const char *library)
{
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (strcmp(remedies[i].finding, finding) == 0 && made_by(&remedies[i], library))
            return remedies[i].text;
    return NULL;
}
