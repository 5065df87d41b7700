/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ready.h"
#include "record/parts.h"
#include "report/allocate.h"
#include "report/nearest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ending[] = ".sql";
enum { ENDING_LENGTH = sizeof ending - 1 };

static int is_query(const struct dirent *file)
{
    size_t length = strlen(file->d_name);
    return file->d_name[0] != '.' && length > ENDING_LENGTH &&
           strcmp(file->d_name + length - ENDING_LENGTH, ending) == 0;
}

/* All of a file as text, the caller frees it; NULL, with errno, if it cannot be read. */
static char *read_file(const char *folder, const char *name)
{
    char path[2 * PATH_MAX];
    char *text = NULL;
    size_t bytes = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    errno = 0;
    if (getdelim(&text, &bytes, '\0', file) == -1) {
        free(text);
        text = errno ? NULL : p11prof_copy("");
    }
    fclose(file);
    return text;
}

/* Its first line of comment that is not about the licence. */
static char *question_of(const char *folder, const char *name)
{
    char *text = read_file(folder, name), *rest = text, *question = NULL;
    for (char *line; !question && (line = strsep(&rest, "\n"));)
        if (strncmp(line, "-- ", 3) == 0 && strncmp(line, "-- SPDX-", 8) != 0)
            question = p11prof_copy(line + 3);
    free(text);
    return question;
}

static void add(struct p11prof_table *out, const char *folder, const char *file_name)
{
    struct p11prof_cell *row = p11prof_table_add_row(out);
    char *name = p11prof_copy(file_name), *question = question_of(folder, file_name);
    name[strlen(name) - ENDING_LENGTH] = '\0';
    p11prof_table_set_text(out, row, "name", name);
    p11prof_table_set_text(out, row, "question", question);
    free(question);
    free(name);
}

static enum p11prof_status list_folder(struct p11prof_table *out, const char *folder,
                                       struct p11prof_error *error)
{
    struct dirent **files;
    int count = scandir(folder, &files, is_query, alphasort);
    if (count < 0)
        return p11prof_error_set(error, P11PROF_FAILED, "%.400s: %s", folder, strerror(errno));
    p11prof_table_add_columns(out, "name question");
    for (int i = 0; i < count; i++) {
        add(out, folder, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    return P11PROF_OK;
}

enum p11prof_status p11prof_ready_list(struct p11prof_table *out, struct p11prof_error *error)
{
    char folder[PATH_MAX];
    enum p11prof_status status = p11prof_find_queries(folder, sizeof folder, error);
    return status ? status : list_folder(out, folder, error);
}

static enum p11prof_status complain(const char *name, const struct p11prof_table *list,
                                    struct p11prof_error *error)
{
    const char **names = p11prof_zalloc(list->row_count, sizeof *names);
    for (size_t i = 0; i < list->row_count; i++)
        names[i] = p11prof_table_text(list, i, "name", "");
    const char *nearest = p11prof_nearest(name, names, list->row_count);
    if (nearest)
        p11prof_error_set(error, P11PROF_BAD_INPUT,
                          "there is no ready query '%.100s': did you mean '@%.100s'?", name,
                          nearest);
    else
        p11prof_error_set(error, P11PROF_BAD_INPUT,
                          "there is no ready query '%.100s': 'p11prof sql --list' lists them",
                          name);
    free(names);
    return P11PROF_BAD_INPUT;
}

/* Only what the list has is opened: a name is no path. */
static bool is_listed(const char *name, const struct p11prof_table *list)
{
    for (size_t i = 0; i < list->row_count; i++)
        if (strcmp(p11prof_table_text(list, i, "name", ""), name) == 0)
            return true;
    return false;
}

static enum p11prof_status read_listed(const char *folder, const char *name, char **sql,
                                       struct p11prof_error *error)
{
    char file_name[NAME_MAX + 1];
    snprintf(file_name, sizeof file_name, "%s%s", name, ending);
    *sql = read_file(folder, file_name);
    if (*sql)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "%.300s/%.100s: %s", folder, file_name,
                             strerror(errno));
}

enum p11prof_status p11prof_ready_read(const char *name, char **sql, struct p11prof_error *error)
{
    char folder[PATH_MAX];
    struct p11prof_table list = {.columns = NULL};
    enum p11prof_status status = p11prof_find_queries(folder, sizeof folder, error);
    if (status == P11PROF_OK)
        status = list_folder(&list, folder, error);
    if (status == P11PROF_OK && !is_listed(name, &list))
        status = complain(name, &list, error);
    if (status == P11PROF_OK)
        status = read_listed(folder, name, sql, error);
    p11prof_table_clear(&list);
    return status;
}
