/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "import/spy_names.h"
#include "p11prof/calls.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What calls.def takes session and facts from: "hKey", "LENGTH(pulSignatureLen)". */
static const struct {
    const char *session, *fact[3];
} sources[P11PROF_CALLS + 1] = {
#define CALL(number, name, since, operation, role, parameters, arguments, session, fact_a, a,      \
             fact_b, b, fact_c, c, flags, notes)                                                   \
    [number] = {#session, {#a, #b, #c}},
#include "p11prof/calls.def"
#undef CALL
};

struct constant {
    const char *name;
    uint64_t value;
};

#define CONSTANT_MECHANISM(name, value) {name, value},
#define CONSTANT_KEY_TYPE(name, value)
#define CONSTANT_RV(name, value)
#define CONSTANT(kind, name, value) CONSTANT_##kind(name, value)
static const struct constant mechanisms[] = {
#include "p11prof/constants.def"
};
#undef CONSTANT_MECHANISM
#undef CONSTANT_KEY_TYPE
#define CONSTANT_MECHANISM(name, value)
#define CONSTANT_KEY_TYPE(name, value) {name, value},
static const struct constant key_types[] = {
#include "p11prof/constants.def"
};
static const struct constant classes[] = {
    {"CKO_DATA", CKO_DATA},
    {"CKO_CERTIFICATE", CKO_CERTIFICATE},
    {"CKO_PUBLIC_KEY", CKO_PUBLIC_KEY},
    {"CKO_PRIVATE_KEY", CKO_PRIVATE_KEY},
    {"CKO_SECRET_KEY", CKO_SECRET_KEY},
    {"CKO_HW_FEATURE", CKO_HW_FEATURE},
    {"CKO_DOMAIN_PARAMETERS", CKO_DOMAIN_PARAMETERS},
    {"CKO_MECHANISM", CKO_MECHANISM},
};

static const struct {
    const struct constant *entries;
    size_t count;
} constants[] = {
    [P11PROF_SPY_MECHANISM] = {mechanisms, sizeof mechanisms / sizeof *mechanisms},
    [P11PROF_SPY_KEY_TYPE] = {key_types, sizeof key_types / sizeof *key_types},
    [P11PROF_SPY_CLASS] = {classes, sizeof classes / sizeof *classes},
};

unsigned p11prof_spy_function(const char *name)
{
    char whole[64];
    unsigned function = p11prof_function_named(name);
    if (function)
        return function;
    int length = snprintf(whole, sizeof whole, "C_%s", name);
    return length < (int)sizeof whole ? p11prof_function_named(whole) : 0;
}

/* "LENGTH(pulLen)" is called "*pulLen", "MECHANISM_OF(pMechanism)" "pMechanism->type". */
static bool source_is(const char *source, const char *name)
{
    const char *open = strchr(source, '(');
    const char *inner = open ? open + 1 : source;
    size_t length = strcspn(inner, ")");
    name += open && *name == '*';
    return strncmp(inner, name, length) == 0 &&
           (name[length] == '\0' || (open && strcmp(name + length, "->type") == 0));
}

int p11prof_spy_parameter(unsigned function, const char *name)
{
    if (source_is(sources[function].session, name))
        return P11PROF_SPY_SESSION;
    for (int i = 0; i < 3; i++)
        if (p11prof_calls[function].fact[i] != P11PROF_FACT_NONE &&
            source_is(sources[function].fact[i], name))
            return i;
    return P11PROF_SPY_NOTHING;
}

uint64_t p11prof_spy_constant(enum p11prof_spy_constant kind, const char *name)
{
    const struct constant *entries = constants[kind].entries;
    for (size_t i = 0; i < constants[kind].count; i++)
        if (strcmp(entries[i].name, name) == 0)
            return entries[i].value;
    return strncmp(name, "0x", 2) == 0 ? strtoull(name, NULL, 16) : UINT64_MAX;
}
