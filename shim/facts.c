/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "facts.h"

#include "spool.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    TEMPLATE_MAX = 4096,      /* attributes looked at */
    TEMPLATE_ORDINARY = 64,   /* more of them are read with care */
    HANDLES_MAX = 256,        /* kept of one search */
    HANDLES_A_NOTE = 7,       /* of them in one record */
    EC_PARAMETERS_BYTES = 32, /* names of curves are shorter */
};

/* rt_sigprocmask() with an operation that does not exist reads its set and does nothing: every
 * sandbox allows it, unlike process_vm_readv(). */
static bool page_readable(uintptr_t address)
{
    return syscall(SYS_rt_sigprocmask, -1, address & ~(uintptr_t)7, NULL, 8) != -1 ||
           errno != EFAULT;
}

bool p11prof_readable(const void *p, size_t bytes)
{
    uintptr_t start = (uintptr_t)p;
    if (start < 4096 || start >= P11PROF_ADDRESS_END || bytes > P11PROF_ADDRESS_END - start)
        return false;
    int saved_errno = errno;
    bool readable = bytes == 0 || page_readable(start);
    for (uintptr_t page = (start | 4095) + 1; readable && page < start + bytes; page += 4096)
        readable = page_readable(page);
    errno = saved_errno;
    return readable;
}

unsigned p11prof_function_at(const CK_UTF8CHAR *name)
{
    char copy[40] = "";
    for (size_t i = 0; i < sizeof copy - 1; i++) {
        bool new_page = i == 0 || ((uintptr_t)(name + i) & 4095) == 0;
        if (new_page && !p11prof_readable(name + i, 1))
            return 0;
        copy[i] = (char)name[i];
        if (!copy[i])
            return p11prof_function_named(copy);
    }
    return 0;
}

/* --- templates --- */

/* A template that can be read. */
struct template
{
    const CK_ATTRIBUTE *attributes; /* NULL: it cannot */
    size_t count;
    bool doubtful; /* its values must be tested */
};

static struct template template_open(const struct p11prof_frame *frame, CK_RV rv,
                                     const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct template template = {attributes, count < TEMPLATE_MAX ? count : TEMPLATE_MAX,
                                p11prof_doubtful(frame, rv) || count > TEMPLATE_ORDINARY};
    if (!p11prof_plausible(attributes, sizeof *attributes) ||
        (template.doubtful && !p11prof_readable(attributes, template.count * sizeof *attributes)))
        template.attributes = NULL;
    return template;
}

static CK_ATTRIBUTE template_get(const struct template *template, size_t i)
{
    CK_ATTRIBUTE attribute; /* the caller's may be unaligned */
    memcpy(&attribute, (const char *)template->attributes + i * sizeof attribute, sizeof attribute);
    return attribute;
}

static bool value_readable(const struct template *template, const CK_ATTRIBUTE *attribute,
                           size_t bytes)
{
    return p11prof_plausible(attribute->pValue, bytes) &&
           (!template->doubtful || p11prof_readable(attribute->pValue, bytes));
}

static bool value_number(const struct template *template, const CK_ATTRIBUTE *attribute,
                         uint64_t *number)
{
    CK_ULONG value;
    if (attribute->ulValueLen != sizeof value || !value_readable(template, attribute, sizeof value))
        return false;
    memcpy(&value, attribute->pValue, sizeof value);
    *number = value;
    return true;
}

static uint64_t value_curve_bits(const struct template *template, const CK_ATTRIBUTE *attribute)
{
    uint8_t parameters[EC_PARAMETERS_BYTES];
    size_t bytes = attribute->ulValueLen;
    if (bytes > sizeof parameters || !value_readable(template, attribute, bytes))
        return 0;
    memcpy(parameters, attribute->pValue, bytes);
    return p11prof_curve_bits(parameters, bytes);
}

/* Bits of a big number of that many bytes, which may begin with a zero byte for its sign. */
static uint64_t number_bits(uint64_t bytes)
{
    return (bytes % 8 == 1 ? bytes - 1 : bytes) * 8;
}

/* --- what templates and answers tell of an object --- */

struct learned {
    struct p11prof_object_note note;
    uint32_t known;
    uint64_t value_bytes; /* length of CKA_VALUE: that of a secret key, if it is one */
};

static void learn_bits(struct learned *learned, uint64_t bits)
{
    if (bits && bits <= UINT32_MAX) {
        learned->note.key_bits = bits;
        learned->known |= P11PROF_OBJECT_KEY_BITS;
    }
}

static void learn_attribute(struct learned *learned, const struct template *template,
                            const CK_ATTRIBUTE *attribute)
{
    uint64_t number = 0;
    bool has_number = value_number(template, attribute, &number);
    switch (attribute->type) {
    case CKA_CLASS:
        learned->note.class = number;
        learned->known |= has_number ? P11PROF_OBJECT_CLASS : 0;
        break;
    case CKA_KEY_TYPE:
        learned->note.key_type = number;
        learned->known |= has_number ? P11PROF_OBJECT_KEY_TYPE : 0;
        break;
    case CKA_MODULUS_BITS:
    case CKA_PRIME_BITS:
    case CKA_PARAMETER_SET:
        learn_bits(learned, number);
        break;
    case CKA_VALUE_LEN:
        learn_bits(learned, number * 8);
        break;
    case CKA_MODULUS:
    case CKA_PRIME:
        learn_bits(learned, number_bits(attribute->ulValueLen));
        break;
    case CKA_EC_PARAMS:
        learn_bits(learned, value_curve_bits(template, attribute));
        break;
    case CKA_VALUE:
        learned->value_bytes = attribute->ulValueLen;
        break;
    default:
        break;
    }
}

static void learn_template(struct learned *learned, const struct template *template)
{
    for (size_t i = 0; template->attributes && i < template->count; i++) {
        CK_ATTRIBUTE attribute = template_get(template, i);
        if (attribute.ulValueLen != CK_UNAVAILABLE_INFORMATION)
            learn_attribute(learned, template, &attribute);
    }
    bool secret = (learned->known & P11PROF_OBJECT_CLASS) && learned->note.class == CKO_SECRET_KEY;
    if (secret && !(learned->known & P11PROF_OBJECT_KEY_BITS))
        learn_bits(learned, learned->value_bytes * 8);
}

static void note_append(struct p11prof_frame *frame, unsigned kind, const struct learned *learned)
{
    uint64_t note[7];
    memcpy(note, &learned->note, sizeof note);
    p11prof_frame_note(frame, kind, 0, learned->known, note);
}

bool p11prof_asks_lengths(const struct p11prof_frame *frame, CK_RV rv,
                          const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct template template = template_open(frame, rv, attributes, count);
    bool all_empty = template.attributes && count > 0;
    for (size_t i = 0; all_empty && i < template.count; i++)
        all_empty = !template_get(&template, i).pValue;
    return all_empty;
}

uint64_t p11prof_first_attribute(const struct p11prof_frame *frame, CK_RV rv,
                                 const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct template template = template_open(frame, rv, attributes, count);
    if (!template.attributes || count == 0)
        return P11PROF_UNKNOWN_VALUE;
    return P11PROF_TYPES_KNOWN | template_get(&template, 0).type;
}

static uint64_t template_type(CK_ATTRIBUTE_TYPE type)
{
    switch (type) {
    case CKA_CLASS:
        return P11PROF_TEMPLATE_CLASS;
    case CKA_KEY_TYPE:
        return P11PROF_TEMPLATE_KEY_TYPE;
    case CKA_LABEL:
        return P11PROF_TEMPLATE_LABEL;
    case CKA_ID:
        return P11PROF_TEMPLATE_ID;
    case CKA_TOKEN:
        return P11PROF_TEMPLATE_TOKEN;
    case CKA_PRIVATE:
        return P11PROF_TEMPLATE_PRIVATE;
    default:
        return P11PROF_TEMPLATE_OTHER;
    }
}

uint64_t p11prof_template_types(const struct p11prof_frame *frame, CK_RV rv,
                                const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    uint64_t types = P11PROF_TYPES_KNOWN;
    struct template template = template_open(frame, rv, attributes, count);
    if (!template.attributes && count > 0)
        return P11PROF_UNKNOWN_VALUE;
    for (size_t i = 0; i < template.count; i++)
        types |= template_type(template_get(&template, i).type);
    return types;
}

/* --- notes --- */

void p11prof_note_made(struct p11prof_frame *frame, CK_RV rv, uint64_t handle,
                       const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct learned learned = {.note.handle = handle, .known = P11PROF_OBJECT_MADE};
    if (!p11prof_hides_outcome(frame->function) && rv != CKR_OK)
        return;
    struct template template = template_open(frame, rv, attributes, count);
    learn_template(&learned, &template);
    note_append(frame, P11PROF_RECORD_OBJECT, &learned);
}

/* The size stands in the public template and holds for both. */
void p11prof_note_pair_made(struct p11prof_frame *frame, CK_RV rv, uint64_t public_handle,
                            const CK_ATTRIBUTE *public_template, CK_ULONG public_count,
                            uint64_t private_handle, const CK_ATTRIBUTE *private_template,
                            CK_ULONG private_count)
{
    struct learned public = {.note.handle = public_handle, .known = P11PROF_OBJECT_MADE};
    struct learned private = {.note.handle = private_handle, .known = P11PROF_OBJECT_MADE};
    if (rv != CKR_OK)
        return;
    struct template template = template_open(frame, rv, public_template, public_count);
    learn_template(&public, &template);
    private.note.key_bits = public.note.key_bits;
    private.known |= public.known & P11PROF_OBJECT_KEY_BITS;
    template = template_open(frame, rv, private_template, private_count);
    learn_template(&private, &template);
    note_append(frame, P11PROF_RECORD_OBJECT, &public);
    note_append(frame, P11PROF_RECORD_OBJECT, &private);
}

void p11prof_note_copied(struct p11prof_frame *frame, CK_RV rv, uint64_t handle, uint64_t source,
                         const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct learned learned = {.note = {.handle = handle, .source = source},
                              .known = P11PROF_OBJECT_MADE | P11PROF_OBJECT_COPY};
    if (rv != CKR_OK)
        return;
    struct template template = template_open(frame, rv, attributes, count);
    learn_template(&learned, &template);
    note_append(frame, P11PROF_RECORD_OBJECT, &learned);
}

void p11prof_note_template(struct p11prof_frame *frame, CK_RV rv, const CK_ATTRIBUTE *attributes,
                           CK_ULONG count)
{
    struct learned learned = {0};
    if (rv != CKR_OK)
        return;
    struct template template = template_open(frame, rv, attributes, count);
    learn_template(&learned, &template);
    if (learned.known)
        note_append(frame, P11PROF_RECORD_TEMPLATE, &learned);
}

void p11prof_note_found(struct p11prof_frame *frame, CK_RV rv, const CK_OBJECT_HANDLE *handles,
                        uint64_t returned, CK_ULONG max)
{
    if (rv != CKR_OK || returned > max)
        return;
    uint64_t count = returned < HANDLES_MAX ? returned : HANDLES_MAX;
    if (!p11prof_plausible(handles, count * sizeof *handles))
        return;
    for (uint64_t first = 0; first < count; first += HANDLES_A_NOTE) {
        uint64_t note[HANDLES_A_NOTE] = {0};
        unsigned here = count - first < HANDLES_A_NOTE ? (unsigned)(count - first) : HANDLES_A_NOTE;
        memcpy(note, (const char *)handles + first * sizeof *handles, here * sizeof *handles);
        p11prof_frame_note(frame, P11PROF_RECORD_HANDLES, here, 0, note);
    }
}

void p11prof_note_read(struct p11prof_frame *frame, CK_RV rv, CK_OBJECT_HANDLE object,
                       const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct learned learned = {.note.handle = object};
    if (rv != CKR_OK && rv != CKR_ATTRIBUTE_SENSITIVE && rv != CKR_ATTRIBUTE_TYPE_INVALID &&
        rv != CKR_BUFFER_TOO_SMALL)
        return;
    struct template template = template_open(frame, rv, attributes, count);
    learn_template(&learned, &template);
    if (learned.known)
        note_append(frame, P11PROF_RECORD_OBJECT, &learned);
}
