/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What other tools call it, and what it is here: for those who type what they are used to. The
 * others are rust-hsm-cli, p11perftest, pkcs11-tool, pkcs11-spy, p11scope and openssl speed. */
#ifndef P11PROF_REPORT_FOREIGN_WORDS_H
#define P11PROF_REPORT_FOREIGN_WORDS_H

#include <stddef.h>

/* The option among `names` (without dashes) that does what `word` does elsewhere; one letter is a
 * short option. NULL: not known, or this command has none. */
const char *p11prof_foreign_option(const char *word, const char *const *names, size_t count);

/* The command that does what `word` does elsewhere, maybe with an option. NULL: not known. */
const char *p11prof_foreign_command(const char *word);

#endif
