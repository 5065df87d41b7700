/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "wrap.h"
#include "safe_text.h"

#include <string.h>

size_t p11prof_wrap(const char *text, size_t width, const char **next)
{
    size_t fits = p11prof_text_prefix(text, width);
    size_t end = fits;
    *next = text + fits;
    if (text[fits] == '\0')
        return fits;
    while (end > 0 && (text[end] != ' ' || (text[end - 1] >= '0' && text[end - 1] <= '9')))
        end--;
    if (end == 0)
        return fits;
    *next = text + end + strspn(text + end, " ");
    return end;
}
