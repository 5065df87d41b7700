/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof-sql.so: the functions for any SQLite. `.load p11prof-sql` in the sqlite3 shell,
 * load_extension() elsewhere. */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "functions.h"

/* Where SQLite looks first, whatever the file is called. */
__attribute__((visibility("default"))) int sqlite3_extension_init(
    sqlite3 *db, char **error, const sqlite3_api_routines *routines);

int sqlite3_extension_init(sqlite3 *db, char **error, const sqlite3_api_routines *routines)
{
    SQLITE_EXTENSION_INIT2(routines)
    (void)error;
    return p11prof_functions_register(db);
}
