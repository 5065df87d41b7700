/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* No module: to be preloaded. Whoever calls these takes an SQLite that is not its own. */
#include <stdlib.h>

#define ABORTS(name)                                                                               \
    extern __attribute__((visibility("default"))) _Noreturn void name(void);                       \
    void name(void)                                                                                \
    {                                                                                              \
        abort();                                                                                   \
    }

ABORTS(sqlite3_initialize)
ABORTS(sqlite3_config)
ABORTS(sqlite3_open)
ABORTS(sqlite3_open_v2)
ABORTS(sqlite3_exec)
ABORTS(sqlite3_prepare_v2)
ABORTS(sqlite3_step)
ABORTS(sqlite3_bind_int64)
ABORTS(sqlite3_column_int64)
ABORTS(sqlite3_finalize)
ABORTS(sqlite3_close)
ABORTS(sqlite3_close_v2)
ABORTS(sqlite3_errmsg)
ABORTS(sqlite3_create_module_v2)
ABORTS(sqlite3_db_config)
ABORTS(sqlite3_malloc)
ABORTS(sqlite3_malloc64)
ABORTS(sqlite3_free)
ABORTS(ini_parse_stream)
