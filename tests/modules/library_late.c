/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* No module: a library whose destructor calls what its application says. */
#define EXPORTED __attribute__((visibility("default")))

EXPORTED extern void (*library_late_call)(void);
void (*library_late_call)(void);

__attribute__((destructor)) static void at_end(void)
{
    if (library_late_call)
        library_late_call();
}
