/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof --version: what this p11prof is, and what it is made of. The first line stays as it is:
 * "p11prof VERSION", and the revision, where it is known. */
#include "commands.h"
#include "p11prof/store.h"
#include "revision.h"

#include <cjson/cJSON.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

void p11prof_print_version(void)
{
    puts("p11prof " P11PROF_VERSION P11PROF_REVISION);
    printf("libraries:   SQLite %s, OpenSSL %s, cJSON %s\n", sqlite3_libversion(),
           OpenSSL_version(OPENSSL_VERSION_STRING), cJSON_Version());
    puts("in the shim: SQLite " SQLITE_VERSION ", inih " P11PROF_INIH_VERSION);
    puts("built with:  p11-kit " P11PROF_P11KIT_VERSION ", elfutils " P11PROF_ELFUTILS_VERSION
         ", Chart.js " P11PROF_CHART_JS_VERSION);
    puts("compiler:    " COMPILER ", for " P11PROF_TARGET);
    puts("PKCS#11:     2.0 to 3.2");
    printf("schema:      %d\n", P11PROF_SCHEMA_VERSION);
}
