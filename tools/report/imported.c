/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "imported.h"
#include "query.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

bool p11prof_imported_from(const char *options_json, char *out, size_t out_bytes)
{
    cJSON *options = options_json ? cJSON_Parse(options_json) : NULL;
    const cJSON *format = cJSON_GetObjectItem(cJSON_GetObjectItem(options, "imported"), "format");
    bool imported = cJSON_IsString(format);
    snprintf(out, out_bytes, "%s", imported ? format->valuestring : "");
    cJSON_Delete(options);
    return imported;
}

bool p11prof_run_is_untimed(struct sqlite3 *db, int64_t run_id, char out[P11PROF_UNTIMED_BYTES])
{
    static const char sql[] =
        "SELECT r.options FROM run AS r WHERE r.id = ?1 AND r.options LIKE '%imported%' "
        "AND NOT EXISTS (SELECT 1 FROM call_group AS g JOIN group_bucket AS b "
        "ON b.call_group = g.id WHERE g.run = r.id)";
    struct p11prof_error error;
    struct sqlite3_stmt *row;
    char format[32];
    if (p11prof_query_prepare(db, sql, run_id, &row, &error) != P11PROF_OK)
        return false;
    bool untimed =
        sqlite3_step(row) == SQLITE_ROW &&
        p11prof_imported_from((const char *)sqlite3_column_text(row, 0), format, sizeof format);
    sqlite3_finalize(row);
    if (untimed)
        snprintf(out, P11PROF_UNTIMED_BYTES, "run %" PRId64 " has no durations: imported from %s",
                 run_id, format);
    return untimed;
}
