/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a log of pkcs11-spy calls things, as numbers. */
#ifndef P11PROF_IMPORT_SPY_NAMES_H
#define P11PROF_IMPORT_SPY_NAMES_H

#include <stdint.h>

/* Function of that name, with or without "C_"; 0: none. */
unsigned p11prof_spy_function(const char *name);

enum { P11PROF_SPY_NOTHING = -2, P11PROF_SPY_SESSION = -1 };

/* Which fact of the function (0 to 2) a parameter is that the log calls so ("hKey",
 * "*pulSignatureLen", "pMechanism->type"), P11PROF_SPY_SESSION, or P11PROF_SPY_NOTHING. */
int p11prof_spy_parameter(unsigned function, const char *name);

enum p11prof_spy_constant { P11PROF_SPY_MECHANISM, P11PROF_SPY_KEY_TYPE, P11PROF_SPY_CLASS };

/* A constant by its name, or as a number "0x…"; all ones: neither. */
uint64_t p11prof_spy_constant(enum p11prof_spy_constant kind, const char *name);

#endif
