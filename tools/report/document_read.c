/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "document_read.h"
#include "allocate.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MOST = 256 << 20, PATH_TEXT_BYTES = 160 };
static const char schema[] = "p11prof/export/v1";

enum p11prof_status p11prof_document_file(const char *path, char **text, size_t *bytes,
                                          struct p11prof_error *error)
{
    size_t capacity = 0;
    FILE *file = fopen(path, "re");
    *text = NULL;
    *bytes = 0;
    if (!file)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%.300s cannot be opened: %s", path,
                                 strerror(errno));
    do {
        *text = p11prof_grow(*text, &capacity, *bytes + 65536, 1);
        *bytes += fread(*text + *bytes, 1, 65536, file);
    } while (!feof(file) && !ferror(file) && *bytes <= FILE_BYTES_MOST);
    if (ferror(file))
        p11prof_error_set(error, P11PROF_BAD_INPUT, "%.300s cannot be read: %s", path,
                          strerror(errno));
    else if (*bytes > FILE_BYTES_MOST)
        p11prof_error_set(error, P11PROF_BAD_INPUT, "%.300s is larger than %d MB", path,
                          FILE_BYTES_MOST >> 20);
    bool good = !ferror(file) && *bytes <= FILE_BYTES_MOST;
    fclose(file);
    return good ? P11PROF_OK : error->status;
}

static size_t line_of(const char *text, const char *place)
{
    size_t line = 1;
    for (; text < place; text++)
        line += *text == '\n';
    return line;
}

static cJSON *parse(struct p11prof_document_reader *reader, const char *text, size_t bytes)
{
    const char *end = text;
    cJSON *root = cJSON_ParseWithLengthOpts(text, bytes, &end, false);
    while (root && end < text + bytes && strchr(" \t\r\n", *end) && *end)
        end++;
    if (root && end == text + bytes)
        return root;
    cJSON_Delete(root);
    if (bytes == 0)
        p11prof_error_set(reader->error, P11PROF_BAD_INPUT, "%.200s is empty", reader->name);
    else
        p11prof_error_set(reader->error, P11PROF_BAD_INPUT,
                          "%.200s is no JSON, or not all of it: line %zu", reader->name,
                          line_of(text, end));
    return NULL;
}

struct cJSON *p11prof_document_parse(struct p11prof_document_reader *reader, const char *text,
                                     size_t bytes)
{
    cJSON *root = parse(reader, text, bytes);
    if (!root)
        return NULL;
    const char *found = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "schema"));
    if (found && strcmp(found, schema) == 0)
        return root;
    if (found)
        p11prof_error_set(reader->error, P11PROF_BAD_INPUT,
                          "%.200s is of schema '%.60s', not %s: 'p11prof report --format json' "
                          "and 'p11prof bench --format json' make that",
                          reader->name, found, schema);
    else
        p11prof_error_set(reader->error, P11PROF_BAD_INPUT,
                          "%.200s is no export: it does not say \"schema\": \"%s\", as 'p11prof "
                          "report --format json' does",
                          reader->name, schema);
    cJSON_Delete(root);
    return NULL;
}

static void write_path(FILE *stream, const struct p11prof_document_path *path)
{
    if (path->parent) {
        write_path(stream, path->parent);
        putc('.', stream);
    }
    fputs(path->name, stream);
    fprintf(stream, "[%zu]", path->index);
}

bool p11prof_document_complain(struct p11prof_document_reader *reader,
                               const struct p11prof_document_path *path, const char *member,
                               const char *problem)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    if (path)
        write_path(stream, path);
    fprintf(stream, "%s%s", path && member ? "." : "", member ? member : "");
    fclose(stream);
    p11prof_error_set(reader->error, P11PROF_BAD_INPUT, "%.200s: %.*s %s", reader->name,
                      PATH_TEXT_BYTES, text, problem);
    free(text);
    return false;
}

bool p11prof_document_is_null(const struct cJSON *object, const char *member)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);
    return !value || cJSON_IsNull(value);
}

bool p11prof_document_count(const struct cJSON *value, uint64_t *out)
{
    double number = value->valuedouble;
    if (!cJSON_IsNumber(value) || !(number >= 0 && number <= 0x1p62) || number != floor(number))
        return false;
    *out = (uint64_t)number;
    return true;
}

static const char *problem_of(const cJSON *value)
{
    if (!cJSON_IsNumber(value))
        return "is no number";
    return value->valuedouble < 0 ? "is negative" : "is no whole number, or too large";
}

bool p11prof_document_number(struct p11prof_document_reader *reader, const struct cJSON *object,
                             const struct p11prof_document_path *path, const char *member,
                             uint64_t *out)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);
    if (!value)
        return p11prof_document_complain(reader, path, member, "is missing");
    return p11prof_document_count(value, out) ||
           p11prof_document_complain(reader, path, member, problem_of(value));
}

bool p11prof_document_optional(struct p11prof_document_reader *reader, const struct cJSON *object,
                               const struct p11prof_document_path *path, const char *member,
                               int64_t *out)
{
    uint64_t number;
    if (p11prof_document_is_null(object, member))
        return true;
    if (!p11prof_document_number(reader, object, path, member, &number))
        return false;
    *out = (int64_t)number;
    return true;
}

bool p11prof_document_real(struct p11prof_document_reader *reader, const struct cJSON *object,
                           const struct p11prof_document_path *path, const char *member,
                           double *out)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);
    *out = value && cJSON_IsNumber(value) ? value->valuedouble : 0;
    return p11prof_document_is_null(object, member) || (cJSON_IsNumber(value) && *out >= 0) ||
           p11prof_document_complain(reader, path, member, "is no number from 0 on");
}

bool p11prof_document_part(struct p11prof_document_reader *reader, const struct cJSON *object,
                           const struct p11prof_document_path *path, const char *member,
                           double *out)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);
    *out = value && cJSON_IsNumber(value) ? value->valuedouble : 0;
    return p11prof_document_is_null(object, member) ||
           (cJSON_IsNumber(value) && *out >= 0 && *out <= 1) ||
           p11prof_document_complain(reader, path, member, "is no number from 0 to 1");
}

bool p11prof_document_array(struct p11prof_document_reader *reader, const struct cJSON *object,
                            const struct p11prof_document_path *path, const char *member,
                            bool needed, const struct cJSON **out)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);
    *out = value && !cJSON_IsNull(value) ? value : NULL;
    if (!*out)
        return !needed || p11prof_document_complain(reader, path, member, "is missing");
    return cJSON_IsArray(value) || p11prof_document_complain(reader, path, member, "is no array");
}

char *p11prof_document_text(struct p11prof_document_reader *reader, const struct cJSON *object,
                            const struct p11prof_document_path *path, const char *member)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);
    if (!value || cJSON_IsNull(value))
        return p11prof_copy("");
    if (cJSON_IsString(value))
        return p11prof_copy(value->valuestring);
    p11prof_document_complain(reader, path, member, "is no text");
    return NULL;
}

static bool set_cell(struct p11prof_document_reader *reader, const cJSON *value,
                     const struct p11prof_document_path *path, const struct p11prof_table *table,
                     struct p11prof_cell *cells, const char *column)
{
    uint64_t number;
    if (cJSON_IsString(value)) {
        p11prof_table_set_text(table, cells, column, value->valuestring);
    } else if (cJSON_IsObject(value)) {
        char *text = cJSON_PrintUnformatted(value);
        p11prof_table_set_text(table, cells, column, text);
        cJSON_free(text);
    } else if (cJSON_IsNumber(value) && p11prof_document_count(value, &number)) {
        p11prof_table_set_integer(table, cells, column, (int64_t)number);
    } else if (cJSON_IsNumber(value)) {
        return p11prof_document_complain(reader, path, column, problem_of(value));
    } else if (!cJSON_IsNull(value)) {
        return p11prof_document_complain(reader, path, column, "is no text or number");
    }
    return true;
}

bool p11prof_document_cells(struct p11prof_document_reader *reader, const struct cJSON *object,
                            const struct p11prof_document_path *path, struct p11prof_table *out)
{
    struct p11prof_cell *cells = p11prof_table_add_row(out);
    if (!cJSON_IsObject(object))
        return p11prof_document_complain(reader, path, NULL, "is no object");
    for (size_t i = 0; i < out->column_count; i++) {
        const char *column = out->columns[i].name;
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, column);
        if (value && !set_cell(reader, value, path, out, cells, column))
            return false;
    }
    return true;
}
