/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A page that people read: titles, tables and sentences, as text or as Markdown. All that comes
 * from others is made fit for a terminal, and for Markdown. Errors of the stream stay in the
 * stream. */
#ifndef P11PROF_REPORT_PAGE_H
#define P11PROF_REPORT_PAGE_H

#include "table.h"
#include "writer.h"

enum p11prof_page_line {
    P11PROF_PAGE_TITLE,
    P11PROF_PAGE_SECTION,
    P11PROF_PAGE_FACT,
    P11PROF_PAGE_NOTE,
    P11PROF_PAGE_PARAGRAPH,
};

struct p11prof_page {
    FILE *stream;
    enum p11prof_format format; /* P11PROF_FORMAT_TEXT or _MARKDOWN */
    size_t
        width;  /* of its lines, which are broken to fit, and of tables, whose texts are cut; 0:
                   lines may be of any length, tables are as wide as a terminal. Not of Markdown */
    bool ascii; /* no other characters */
    /* Gets every line, fit for a terminal, instead of the stream, and no tables; NULL: nobody does.
     * name: of a fact, else NULL. */
    void (*take)(void *payload, enum p11prof_page_line line, const char *name, const char *text);
    void *payload;       /* of take */
    bool started, blank; /* private: something stands on it; the last line is blank */
};

/* Of a run. */
__attribute__((format(printf, 2, 3))) void p11prof_page_title(struct p11prof_page *page,
                                                              const char *format, ...);
/* Of a part of it. */
__attribute__((format(printf, 2, 3))) void p11prof_page_section(struct p11prof_page *page,
                                                                const char *format, ...);
/* "name  …", below a title. */
__attribute__((format(printf, 3, 4))) void p11prof_page_fact(struct p11prof_page *page,
                                                             const char *name, const char *format,
                                                             ...);
/* A sentence below a title, a table or another sentence. */
__attribute__((format(printf, 2, 3))) void p11prof_page_note(struct p11prof_page *page,
                                                             const char *format, ...);
/* A sentence that stands alone. */
__attribute__((format(printf, 2, 3))) void p11prof_page_paragraph(struct p11prof_page *page,
                                                                  const char *format, ...);
/* The columns "name name name" of a table. */
void p11prof_page_table(struct p11prof_page *page, const struct p11prof_table *table,
                        const char *columns);
/* The same. Where a line would be too long, those of `optional` are left out, the first ones first,
 * up to a NULL, and added to *left_out, a table without rows. */
void p11prof_page_table_fit(struct p11prof_page *page, const struct p11prof_table *table,
                            const char *columns, const char *const *optional,
                            struct p11prof_table *left_out);
/* All columns of it, as they are. */
void p11prof_page_whole_table(struct p11prof_page *page, const struct p11prof_table *table);

#endif
