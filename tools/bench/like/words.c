/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "words.h"

#include "p11prof/batch.h"
#include "report/nearest.h"
#include "script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const function_names[] = {
    NULL,
#define CALL(number, name, ...) #name,
#include "p11prof/calls.def"
#undef CALL
};

#define NOTHING(name, value)
#define NAME(name, value)  name,
#define VALUE(name, value) (int64_t)(value),

#define CONSTANT(kind, name, value) CONSTANT_##kind(name, value)
#define CONSTANT_RV                 NOTHING
#define CONSTANT_KEY_TYPE           NOTHING
#define CONSTANT_MECHANISM          NAME
static const char *const mechanism_names[] = {
#include "p11prof/constants.def"
};
#undef CONSTANT_MECHANISM
#define CONSTANT_MECHANISM VALUE
static const int64_t mechanism_values[] = {
#include "p11prof/constants.def"
};
#undef CONSTANT_MECHANISM
#define CONSTANT_MECHANISM NOTHING
#undef CONSTANT_KEY_TYPE
#define CONSTANT_KEY_TYPE NAME
static const char *const key_type_names[] = {
#include "p11prof/constants.def"
};
#undef CONSTANT_KEY_TYPE
#define CONSTANT_KEY_TYPE VALUE
static const int64_t key_type_values[] = {
#include "p11prof/constants.def"
};
#undef CONSTANT_KEY_TYPE
#define CONSTANT_KEY_TYPE NOTHING
#undef CONSTANT_RV
#define CONSTANT_RV NAME
static const char *const result_names[] = {
#include "p11prof/constants.def"
};
#undef CONSTANT_RV
#define CONSTANT_RV VALUE
static const int64_t result_values[] = {
#include "p11prof/constants.def"
};

static const char *const class_names[] = {
    [CKO_DATA] = "CKO_DATA",
    [CKO_CERTIFICATE] = "CKO_CERTIFICATE",
    [CKO_PUBLIC_KEY] = "CKO_PUBLIC_KEY",
    [CKO_PRIVATE_KEY] = "CKO_PRIVATE_KEY",
    [CKO_SECRET_KEY] = "CKO_SECRET_KEY",
};
static const char *const user_names[] = {
    [CKU_SO] = "CKU_SO",
    [CKU_USER] = "CKU_USER",
    [CKU_CONTEXT_SPECIFIC] = "CKU_CONTEXT_SPECIFIC",
};
static const char *const kind_names[] = {
    [P11PROF_KIND_CALL] = "call",
    [P11PROF_KIND_SIZE_QUERY] = "size-query",
    [P11PROF_KIND_TOO_SMALL] = "too-small",
    [P11PROF_KIND_BLOCKING] = "blocking",
};
static const char *const reason_names[] = {
    [LIKE_NESTED] = "nested",           [LIKE_WAITING] = "waiting",
    [LIKE_PIN_CHANGED] = "pin-changed", [LIKE_LOGIN_FAILED] = "login-failed",
    [LIKE_NO_FUNCTION] = "no-function",
};
_Static_assert(COUNT(reason_names) == LIKE_REASONS, "each reason has a name");

static const char *const operation_names[] = {
    [P11PROF_OPERATION_ENCRYPT] = "encrypt",
    [P11PROF_OPERATION_DECRYPT] = "decrypt",
    [P11PROF_OPERATION_DIGEST] = "digest",
    [P11PROF_OPERATION_SIGN] = "sign",
    [P11PROF_OPERATION_SIGN_RECOVER] = "sign-recover",
    [P11PROF_OPERATION_VERIFY] = "verify",
    [P11PROF_OPERATION_VERIFY_RECOVER] = "verify-recover",
    [P11PROF_OPERATION_MESSAGE_ENCRYPT] = "message-encrypt",
    [P11PROF_OPERATION_MESSAGE_DECRYPT] = "message-decrypt",
    [P11PROF_OPERATION_MESSAGE_SIGN] = "message-sign",
    [P11PROF_OPERATION_MESSAGE_VERIFY] = "message-verify",
    [P11PROF_OPERATION_WRAP] = "wrap",
    [P11PROF_OPERATION_UNWRAP] = "unwrap",
    [P11PROF_OPERATION_DERIVE] = "derive",
    [P11PROF_OPERATION_ENCAPSULATE] = "encapsulate",
    [P11PROF_OPERATION_DECAPSULATE] = "decapsulate",
};

#define INDEXED(prefix, names)                                                                     \
    {                                                                                              \
        prefix, names, NULL, COUNT(names)                                                          \
    }
const struct like_words like_functions = INDEXED(NULL, function_names);
const struct like_words like_kinds = INDEXED(NULL, kind_names);
const struct like_words like_classes = INDEXED("CKO_", class_names);
const struct like_words like_users = INDEXED("CKU_", user_names);
const struct like_words like_operations = INDEXED(NULL, operation_names);
const struct like_words like_reasons = INDEXED(NULL, reason_names);
const struct like_words like_mechanisms = {"CKM_", mechanism_names, mechanism_values,
                                           COUNT(mechanism_names)};
const struct like_words like_key_types = {"CKK_", key_type_names, key_type_values,
                                          COUNT(key_type_names)};
const struct like_words like_results = {"CKR_", result_names, result_values, COUNT(result_names)};

static int64_t value_at(const struct like_words *words, size_t i)
{
    return words->values ? words->values[i] : (int64_t)i;
}

const char *like_word(const struct like_words *words, int64_t value, char *buffer)
{
    for (size_t i = 0; i < words->count; i++)
        if (words->names[i] && value_at(words, i) == value)
            return words->names[i];
    snprintf(buffer, LIKE_WORD_BYTES, "0x%08" PRIX64, (uint64_t)value);
    return buffer;
}

static bool hex_read(const char *text, int64_t *out)
{
    char *end;
    if (strncmp(text, "0x", 2) != 0 || !strchr("0123456789abcdefABCDEF", text[2]) || !text[2])
        return false;
    errno = 0;
    *out = (int64_t)strtoull(text, &end, 16);
    return *end == '\0' && errno == 0;
}

bool like_word_read(const struct like_words *words, const char *text, int64_t *out)
{
    for (size_t i = 0; i < words->count; i++)
        if (words->names[i] && strcmp(words->names[i], text) == 0) {
            *out = value_at(words, i);
            return true;
        }
    return words->prefix && hex_read(text, out);
}

const char *like_word_nearest(const struct like_words *words, const char *text)
{
    const char *nearest = NULL;
    const char **names = calloc(words->count, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; names && i < words->count; i++)
        if (words->names[i])
            names[count++] = words->names[i];
    if (names)
        nearest = p11prof_nearest(text, names, count);
    free(names);
    return nearest;
}

/* --- times --- */

static const struct {
    const char *name;
    uint64_t ns;
} units[] = {{"s", 1000000000},
             {"ms", 1000000},
             {"us", 1000},
             {"ns", 1},
             {"m", UINT64_C(60000000000)},
             {"h", UINT64_C(3600000000000)}};

void like_time(char *out, uint64_t ns)
{
    size_t unit = 0;
    while (unit < 3 && ns < units[unit].ns)
        unit++;
    uint64_t whole = ns / units[unit].ns, part = ns % units[unit].ns;
    int digits = 9 - 3 * (int)unit;
    for (; digits > 0 && part % 10 == 0; digits--)
        part /= 10;
    if (digits > 0)
        snprintf(out, LIKE_TIME_BYTES, "%" PRIu64 ".%0*" PRIu64 "%s", whole, digits, part,
                 units[unit].name);
    else
        snprintf(out, LIKE_TIME_BYTES, "%" PRIu64 "%s", whole, units[unit].name);
}

bool like_time_read(const char *text, uint64_t *out_ns)
{
    static const uint64_t most_ns = INT64_MAX;
    size_t digits = strspn(text, "0123456789"), parts = 0;
    const char *unit = text + digits;
    if (*unit == '.') {
        parts = strspn(unit + 1, "0123456789");
        unit += parts + 1;
    }
    if (digits == 0 || digits > 18 || (text[digits] == '.' && parts == 0) || parts > 18)
        return false;
    for (size_t i = 0; i < COUNT(units); i++) {
        uint64_t size = units[i].ns, ns = strtoull(text, NULL, 10);
        if (strcmp(unit, units[i].name) != 0)
            continue;
        if (ns > most_ns / size)
            return false;
        ns *= size;
        for (size_t j = 1; j <= parts && size > 1; j++, size /= 10)
            ns += (uint64_t)(text[digits + j] - '0') * (size / 10);
        *out_ns = ns;
        return ns <= most_ns;
    }
    return false;
}
