/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The options of all commands that read the database. */
#ifndef P11PROF_TOOLS_COMMON_OPTIONS_H
#define P11PROF_TOOLS_COMMON_OPTIONS_H

#include "database.h"
#include "options.h"
#include "report/writer.h"

struct p11prof_common_options {
    struct p11prof_database_options database;
    enum p11prof_format format;
};

/* Takes one of P11PROF_OPTION_DB, _NO_COLLECT and _FORMAT; false if its value is bad, after it said
 * so. */
bool p11prof_common_option(struct p11prof_common_options *out, int id, const char *value);

#endif
