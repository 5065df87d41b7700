/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Values out of a document of schema p11prof/export/v1 that anybody may have written. What is
 * wrong is said once, with the place: "a.json: results[3].windows[0].count is negative". One
 * thread. */
#ifndef P11PROF_REPORT_DOCUMENT_READ_H
#define P11PROF_REPORT_DOCUMENT_READ_H

#include "p11prof/error.h"
#include "table.h"

struct cJSON;

struct p11prof_document_reader {
    const char *name; /* of the document */
    struct p11prof_error *error;
};

/* An element of an array, from the outside in. */
struct p11prof_document_path {
    const struct p11prof_document_path *parent; /* NULL: the document */
    const char *name;
    size_t index;
};

/* Reads a file of at most 256 MB. The caller frees *text, also after a failure. */
enum p11prof_status p11prof_document_file(const char *path, char **text, size_t *bytes,
                                          struct p11prof_error *error);

/* The document, of the right schema; NULL if it is none. The caller deletes it. */
struct cJSON *p11prof_document_parse(struct p11prof_document_reader *reader, const char *text,
                                     size_t bytes);

/* Says "NAME: PATH.member problem". path and member may be NULL. Returns false. */
bool p11prof_document_complain(struct p11prof_document_reader *reader,
                               const struct p11prof_document_path *path, const char *member,
                               const char *problem);

/* Whether a member is missing or null. */
bool p11prof_document_is_null(const struct cJSON *object, const char *member);

/* A value that is a whole number from 0 to 2^62. */
bool p11prof_document_count(const struct cJSON *value, uint64_t *out);

/* The members of an object; false after a complaint. A number has to be there; an optional one
 * that is missing or null leaves *out as it is. */
bool p11prof_document_number(struct p11prof_document_reader *reader, const struct cJSON *object,
                             const struct p11prof_document_path *path, const char *member,
                             uint64_t *out);
bool p11prof_document_optional(struct p11prof_document_reader *reader, const struct cJSON *object,
                               const struct p11prof_document_path *path, const char *member,
                               int64_t *out);

/* A number from 0 on; 0 if it is missing or null. */
bool p11prof_document_real(struct p11prof_document_reader *reader, const struct cJSON *object,
                           const struct p11prof_document_path *path, const char *member,
                           double *out);

/* A number from 0 to 1; 0 if it is missing or null. */
bool p11prof_document_part(struct p11prof_document_reader *reader, const struct cJSON *object,
                           const struct p11prof_document_path *path, const char *member,
                           double *out);

/* An array; *out is NULL if it is missing or null, which is a complaint where it is needed. */
bool p11prof_document_array(struct p11prof_document_reader *reader, const struct cJSON *object,
                            const struct p11prof_document_path *path, const char *member,
                            bool needed, const struct cJSON **out);

/* A copy of a text, "" if it is missing or null; NULL after a complaint. The caller frees it. */
char *p11prof_document_text(struct p11prof_document_reader *reader, const struct cJSON *object,
                            const struct p11prof_document_path *path, const char *member);

/* Adds a row of those members that are columns of the table: texts, whole numbers, and objects as
 * JSON. */
bool p11prof_document_cells(struct p11prof_document_reader *reader, const struct cJSON *object,
                            const struct p11prof_document_path *path, struct p11prof_table *out);

#endif
