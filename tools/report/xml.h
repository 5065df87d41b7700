/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Texts of others in XML 1.0. Errors of the stream stay in the stream. */
#ifndef P11PROF_REPORT_XML_H
#define P11PROF_REPORT_XML_H

#include <stdio.h>

/* Text of an element or attribute. XML has no place for most control characters nor for U+FFFE and
 * U+FFFF: they become U+FFFD. */
void p11prof_xml_text(FILE *stream, const char *text);

/* ' name="value"' */
void p11prof_xml_attribute(FILE *stream, const char *name, const char *value);

#endif
