/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "import/spy_call.h"
#include "import/spy_names.h"
#include "import/spy_text.h"
#include "p11prof/curves.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 96 };

void p11prof_spy_call_start(struct p11prof_spy_call *call, unsigned function)
{
    memset(call, 0, sizeof *call);
    call->function = function;
    call->session = P11PROF_NO_SESSION;
    call->fact[0] = call->fact[1] = call->fact[2] = UINT64_MAX;
}

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* Copies up to one of `ends`; returns what follows. */
static const char *word(const char *text, const char *ends, char out[NAME_BYTES])
{
    size_t length = strcspn(text, ends);
    size_t kept = length < NAME_BYTES ? length : NAME_BYTES - 1;
    memcpy(out, text, kept);
    out[kept] = '\0';
    return text + length;
}

/* The length in "address / 27" and in "NULL [size : 0x1B (27)]"; all ones: none. */
static uint64_t length_of(const char *value)
{
    const char *at = strstr(value, begins(value, "NULL") ? " (" : " / ");
    long long length = at ? strtoll(at + (begins(value, "NULL") ? 2 : 3), NULL, 10) : -1;
    return length < 0 ? UINT64_MAX : (uint64_t)length;
}

static uint64_t value_of(const struct p11prof_spy_call *call, int parameter, const char *value)
{
    char name[NAME_BYTES];
    unsigned fact =
        parameter < 0 ? P11PROF_FACT_NONE : p11prof_calls[call->function].fact[parameter];
    word(value, " [", name);
    if (fact == P11PROF_FACT_MECHANISM)
        return p11prof_spy_constant(P11PROF_SPY_MECHANISM, name);
    return begins(value, "0x") ? strtoull(value, NULL, 16) : UINT64_MAX;
}

static void fact_set(struct p11prof_spy_call *call, int parameter, uint64_t value)
{
    if (parameter == P11PROF_SPY_SESSION)
        call->session = value;
    else if (parameter >= 0)
        call->fact[parameter] = value;
}

/* "pSignature[*pulSignatureLen] address / 256": the name of a length in brackets. */
static void take_buffer(struct p11prof_spy_call *call, const char *name, const char *value)
{
    char length_name[NAME_BYTES];
    bool missing = begins(value, "NULL");
    word(strchr(name, '[') + 1, "]", length_name);
    int parameter = p11prof_spy_parameter(call->function, length_name);
    uint64_t length = length_of(value);
    fact_set(call, parameter, length);
    if (!missing)
        return;
    if (parameter >= 0 && length_name[0] == '*' &&
        p11prof_calls[call->function].fact[parameter] == P11PROF_FACT_OUT_BYTES)
        call->flags |= P11PROF_RECORD_NO_BUFFER;
    if (begins(name, "pPin[") || begins(name, "pOldPin["))
        call->flags |= P11PROF_RECORD_BLOCKING;
}

static void take_handle(struct p11prof_spy_call *call, const char *name, const char *value)
{
    static const char *const names[] = {"hKey",       "phKey",       "phObject",    "phNewObject",
                                        "hPublicKey", "phPublicKey", "hPrivateKey", "phPrivateKey"};
    name += *name == '*';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0 && call->made_count < 2)
            call->made[call->made_count++] = strtoull(value, NULL, 16);
}

static void take_template(struct p11prof_spy_call *call, const char *name)
{
    call->template_number = begins(name, "pPrivateKeyTemplate") ? 1 : 0;
    call->next_bytes = 0;
}

/* What follows "[in] " and "[out] ". */
static void take_parameter(struct p11prof_spy_call *call, const char *text, bool answer)
{
    char name[NAME_BYTES];
    const char *value = word(text, " ", name);
    size_t length = strlen(name);
    const char *nested = strstr(value, "[out] ");
    call->answers = answer || nested;
    call->next_bytes = 0;
    value += strspn(value, " =");
    if (length > 0 && name[length - 1] == ':')
        return take_template(call, name);
    if (strstr(name, "->pParameter"))
        return;
    if (strcmp(name, "pMechanism") == 0 && begins(value, "NULL")) {
        call->flags |= P11PROF_RECORD_NO_MECHANISM;
        return;
    }
    if (strchr(name, '['))
        return take_buffer(call, name, value);
    int parameter = p11prof_spy_parameter(call->function, name);
    fact_set(call, parameter, value_of(call, parameter, value));
    if (answer && parameter != P11PROF_SPY_SESSION)
        take_handle(call, name, value);
}

static void learn(struct p11prof_spy_template *template, uint32_t known, uint64_t value)
{
    if (value == UINT64_MAX)
        return;
    template->known |= known;
    *(known == P11PROF_OBJECT_CLASS      ? &template->class
      : known == P11PROF_OBJECT_KEY_TYPE ? &template->key_type
                                         : &template->key_bits) = value;
}

/* "    CKA_KEY_TYPE          CKK_RSA". What is asked for has no value yet. */
static void take_attribute(struct p11prof_spy_call *call, const char *text)
{
    char name[NAME_BYTES], value[NAME_BYTES];
    struct p11prof_spy_template *template = &call->templates[call->template_number];
    const char *rest = word(text, " ", name);
    rest += strspn(rest, " ");
    word(rest, " ", value);
    bool asks = call->function == P11PROF_C_GetAttributeValue && !call->answers;
    call->next_bytes = 0;
    if (asks) {
        call->asked_count++;
        call->asked_without_buffer_count += strspn(value, "0") == strlen(value);
        return;
    }
    if (strcmp(name, "CKA_CLASS") == 0)
        learn(template, P11PROF_OBJECT_CLASS, p11prof_spy_constant(P11PROF_SPY_CLASS, value));
    else if (strcmp(name, "CKA_KEY_TYPE") == 0)
        learn(template, P11PROF_OBJECT_KEY_TYPE, p11prof_spy_constant(P11PROF_SPY_KEY_TYPE, value));
    else if (strcmp(name, "CKA_MODULUS") == 0 && length_of(rest) - 1 < 65536)
        learn(template, P11PROF_OBJECT_KEY_BITS, length_of(rest) * 8);
    else if (strcmp(name, "CKA_MODULUS_BITS") == 0)
        call->next_bytes = CKA_MODULUS_BITS;
    else if (strcmp(name, "CKA_VALUE_LEN") == 0)
        call->next_bytes = CKA_VALUE_LEN;
    else if (strcmp(name, "CKA_EC_PARAMS") == 0)
        call->next_bytes = CKA_EC_PARAMS;
}

/* "    00000000  00 08 00 00": sizes and curves only. */
static void take_bytes(struct p11prof_spy_call *call, const char *text)
{
    uint8_t bytes[16] = {0};
    size_t count = 0;
    uint64_t number = 0;
    char *end;
    for (text += strcspn(text, " "); count < sizeof bytes; count++, text = end) {
        unsigned long byte = text[strspn(text, " ")] ? strtoul(text, &end, 16) : 256;
        if (byte > 255 || end - text != 3 + (count == 0))
            break;
        bytes[count] = (uint8_t)byte;
    }
    for (size_t i = 8; i-- > 0;)
        number = number << 8 | bytes[i];
    unsigned bits = call->next_bytes == CKA_EC_PARAMS ? p11prof_curve_bits(bytes, count) : 0;
    if (call->next_bytes == CKA_VALUE_LEN)
        number *= 8;
    if (call->next_bytes == CKA_EC_PARAMS)
        number = bits;
    if (number > 0 && number <= UINT32_MAX && count > 0)
        learn(&call->templates[call->template_number], P11PROF_OBJECT_KEY_BITS, number);
    call->next_bytes = 0;
}

static void take_indented(struct p11prof_spy_call *call, const char *text)
{
    if (begins(text, "CKA_"))
        take_attribute(call, text);
    else if (call->next_bytes)
        take_bytes(call, text);
    else
        p11prof_spy_text(call, text);
}

static bool asks_for_count(unsigned function)
{
    return function == P11PROF_C_GetSlotList || function == P11PROF_C_GetMechanismList ||
           function == P11PROF_C_GetInterfaceList;
}

bool p11prof_spy_call_line(struct p11prof_spy_call *call, const char *line)
{
    static const char *const plain[] = {"[compat]",  "Slot ",    "CKM_", "Unknown Mechanism",
                                        "Interface", "Value ",   "CKF_", "pApplication",
                                        "Notify",    "phSession"};
    if (begins(line, "pMechanism->")) { /* members of a parameter, some without the end of a line */
        const char *next = strstr(line, "[in] ");
        return !next || p11prof_spy_call_line(call, next);
    }
    if (begins(line, "[in] ")) {
        take_parameter(call, line + 5, false);
    } else if (begins(line, "[out] ")) {
        take_parameter(call, line + 6, true);
    } else if (line[0] == ' ') {
        take_indented(call, line + strspn(line, " "));
    } else if (begins(line, "Count is ") && asks_for_count(call->function)) {
        call->flags |= P11PROF_RECORD_NO_BUFFER;
    } else if (begins(line, "Object 0x")) {
        if (call->found_count < P11PROF_SPY_FOUND_MAX)
            call->found[call->found_count++] = strtoull(line + 7, NULL, 16);
    } else {
        for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
            if (begins(line, plain[i]))
                return true;
        return false;
    }
    return true;
}

bool p11prof_spy_call_waits(const struct p11prof_spy_call *call)
{
    return call->function == P11PROF_C_WaitForSlotEvent && call->fact[0] != UINT64_MAX &&
           !(call->fact[0] & CKF_DONT_BLOCK);
}

static struct p11prof_record note_record(const struct p11prof_spy_call *call,
                                         enum p11prof_record_kind kind, unsigned depth,
                                         uint32_t flags)
{
    struct p11prof_record record = {.note = {0}};
    atomic_init(&record.head, p11prof_record_head(call->function, kind, depth, flags));
    return record;
}

static struct p11prof_record object_note(const struct p11prof_spy_call *call,
                                         enum p11prof_record_kind kind, uint64_t handle,
                                         const struct p11prof_spy_template *template,
                                         uint32_t flags)
{
    const struct p11prof_object_note note = {.handle = handle,
                                             .class = template->class,
                                             .key_type = template->key_type,
                                             .key_bits = template->key_bits,
                                             .source = call->fact[0]};
    struct p11prof_record record = note_record(call, kind, 0, template->known | flags);
    memcpy(record.note, &note, sizeof note);
    return record;
}

/* Type and size are those of the pair, whichever template has them. */
static struct p11prof_spy_template of_pair(const struct p11prof_spy_call *call, unsigned number)
{
    struct p11prof_spy_template out = call->templates[number];
    const struct p11prof_spy_template *other = &call->templates[!number];
    uint32_t more = other->known & ~out.known & ~(uint32_t)P11PROF_OBJECT_CLASS;
    if (more & P11PROF_OBJECT_KEY_TYPE)
        out.key_type = other->key_type;
    if (more & P11PROF_OBJECT_KEY_BITS)
        out.key_bits = other->key_bits;
    out.known |= more;
    if (!(out.known & P11PROF_OBJECT_CLASS))
        out.class = number ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY;
    out.known |= P11PROF_OBJECT_CLASS;
    return out;
}

static uint32_t notes_of_made(const struct p11prof_spy_call *call, struct p11prof_record *notes)
{
    uint32_t flags =
        P11PROF_OBJECT_MADE | (call->function == P11PROF_C_CopyObject ? P11PROF_OBJECT_COPY : 0);
    bool pair = call->function == P11PROF_C_GenerateKeyPair;
    for (uint32_t i = 0; i < call->made_count; i++) {
        struct p11prof_spy_template template = pair ? of_pair(call, i) : call->templates[0];
        notes[i] = object_note(call, P11PROF_RECORD_OBJECT, call->made[i], &template, flags);
    }
    return call->made_count;
}

static uint32_t notes_of_found(const struct p11prof_spy_call *call, struct p11prof_record *notes)
{
    uint32_t count = 0;
    for (uint32_t done = 0; done < call->found_count; count++) {
        uint32_t some = call->found_count - done < 7 ? call->found_count - done : 7;
        notes[count] = note_record(call, P11PROF_RECORD_HANDLES, some, 0);
        memcpy(notes[count].note, call->found + done, some * sizeof *call->found);
        done += some;
    }
    return count;
}

/* Results that still give the attributes that can be given. */
static bool answers_attributes(uint64_t rv)
{
    return rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
           rv == CKR_BUFFER_TOO_SMALL;
}

uint32_t p11prof_spy_call_notes(const struct p11prof_spy_call *call, uint64_t rv,
                                struct p11prof_record notes[P11PROF_SPY_NOTES_MAX])
{
    const struct p11prof_spy_template *template = &call->templates[0];
    switch (call->function) {
    case P11PROF_C_GetAttributeValue:
        if (!template->known || call->fact[0] == UINT64_MAX || !answers_attributes(rv))
            return 0;
        notes[0] = object_note(call, P11PROF_RECORD_OBJECT, call->fact[0], template, 0);
        return 1;
    case P11PROF_C_FindObjectsInit:
        if (!template->known || rv != CKR_OK)
            return 0;
        notes[0] = object_note(call, P11PROF_RECORD_TEMPLATE, 0, template, 0);
        return 1;
    case P11PROF_C_FindObjects:
        return rv == CKR_OK ? notes_of_found(call, notes) : 0;
    default:
        return rv == CKR_OK ? notes_of_made(call, notes) : 0;
    }
}
