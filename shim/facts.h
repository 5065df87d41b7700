/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The value, flag and note columns of calls.def, as a wrapper evaluates them after the real call
 * returned.
 *
 * Every pointer may be NULL or nonsense: it is read only if it can be an address of this process at
 * all, and no answer of a call that failed is kept. A module that says CKR_OK has used its
 * pointers; after any other answer they are read only once the kernel has said that they can be.
 * Nothing here branches on the result of a decryption: a failed one's answers are masked.
 *
 * The macros use the wrapper's `frame` and `rv`. errno is not touched. */
#ifndef P11PROF_SHIM_FACTS_H
#define P11PROF_SHIM_FACTS_H

#include "frame.h"
#include "p11prof/curves.h"

#include <string.h>

#define P11PROF_UNKNOWN_VALUE (~UINT64_C(0))

#if defined(__x86_64__)
#define P11PROF_ADDRESS_END UINT64_C(0x7ffffffff000)
#else
#define P11PROF_ADDRESS_END (UINT64_C(1) << 48)
#endif

/* Whether `bytes` (less than a page) at p can be memory of this process at all: no system call. */
static inline bool p11prof_plausible(const void *p, size_t bytes)
{
    return (uint64_t)(uintptr_t)p - 4096 < P11PROF_ADDRESS_END - 4096 - bytes;
}

/* Whether `bytes` at p can be read: asks the kernel, once per page. */
bool p11prof_readable(const void *p, size_t bytes);

/* All ones if value is 0, else 0: without a branch, and the compiler cannot make one of it. */
static inline uint64_t p11prof_mask_of_zero(uint64_t value)
{
    uint64_t mask = ((value | (0 - value)) >> 63) - 1;
    __asm__("" : "+r"(mask));
    return mask;
}

/* The word at p if mask is all ones, else 0. Reads a word of our own where it must not read p. */
static inline uint64_t p11prof_masked_word(const void *p, uint64_t mask)
{
    static const uint64_t zero;
    uint64_t address = (uint64_t)(uintptr_t)p, own = (uint64_t)(uintptr_t)&zero, word;
    mask &= 0 - (uint64_t)p11prof_plausible(p, sizeof zero);
    /* The compiler must know neither: it would branch on the mask, and gcc 12 crashes on the bits
     * of a constant address. */
    __asm__("" : "+r"(mask), "+r"(own));
    address = (address & mask) | (own & ~mask);
    memcpy(&word, (const void *)(uintptr_t)address, sizeof word);
    return (word & mask) | (~mask & P11PROF_UNKNOWN_VALUE);
}

/* The value that a call answered in *p; P11PROF_UNKNOWN_VALUE unless it answered one. */
static inline uint64_t p11prof_length(const CK_ULONG *p, CK_RV rv)
{
    return p11prof_masked_word(p, p11prof_mask_of_zero(rv) |
                                      p11prof_mask_of_zero(rv ^ CKR_BUFFER_TOO_SMALL));
}

static inline uint64_t p11prof_slot_id(const CK_SLOT_ID *p, CK_RV rv)
{
    return p11prof_masked_word(p, p11prof_mask_of_zero(rv));
}

/* The handle that a call answered in *p; 0 unless it did. */
static inline uint64_t p11prof_handle(const CK_ULONG *p, CK_RV rv)
{
    uint64_t mask = p11prof_mask_of_zero(rv);
    uint64_t handle = p11prof_masked_word(p, mask);
    return handle & mask & ~p11prof_mask_of_zero(~handle);
}

/* Whether the answer of this function may tell of a plaintext: then nothing depends on it. */
static inline bool p11prof_hides_outcome(unsigned function)
{
    return function == P11PROF_C_UnwrapKey || function == P11PROF_C_UnwrapKeyAuthenticated ||
           function == P11PROF_C_DecapsulateKey;
}

/* Whether pointers must be tested before they are read. */
static inline bool p11prof_doubtful(const struct p11prof_frame *frame, CK_RV rv)
{
    return p11prof_hides_outcome(frame->function) || rv != CKR_OK;
}

static inline uint64_t p11prof_mechanism_of(const struct p11prof_frame *frame, CK_RV rv,
                                            const CK_MECHANISM *mechanism)
{
    CK_MECHANISM_TYPE type = P11PROF_UNKNOWN_VALUE;
    if (!p11prof_plausible(mechanism, sizeof *mechanism))
        return type;
    if (P11PROF_UNLIKELY(p11prof_doubtful(frame, rv)) && !p11prof_readable(mechanism, sizeof type))
        return type;
    memcpy(&type, mechanism, sizeof type);
    return type;
}

static inline uint32_t p11prof_flag_if(bool condition, uint32_t flag)
{
    return condition ? flag : 0;
}

/* Whether a template asks for lengths only. */
bool p11prof_asks_lengths(const struct p11prof_frame *frame, CK_RV rv, const CK_ATTRIBUTE *template,
                          CK_ULONG count);

/* P11PROF_TYPES_KNOWN with the type of a template's first attribute, or with what it is about (enum
 * p11prof_template_type); P11PROF_UNKNOWN_VALUE where it cannot be read. */
uint64_t p11prof_first_attribute(const struct p11prof_frame *frame, CK_RV rv,
                                 const CK_ATTRIBUTE *template, CK_ULONG count);
uint64_t p11prof_template_types(const struct p11prof_frame *frame, CK_RV rv,
                                const CK_ATTRIBUTE *template, CK_ULONG count);

/* Number of the function of that name, 0 if it is none or cannot be read. */
unsigned p11prof_function_at(const CK_UTF8CHAR *name);

/* Notes: each appends what it learned, or nothing. */
void p11prof_note_made(struct p11prof_frame *frame, CK_RV rv, uint64_t handle,
                       const CK_ATTRIBUTE *template, CK_ULONG count);
void p11prof_note_pair_made(struct p11prof_frame *frame, CK_RV rv, uint64_t public_handle,
                            const CK_ATTRIBUTE *public_template, CK_ULONG public_count,
                            uint64_t private_handle, const CK_ATTRIBUTE *private_template,
                            CK_ULONG private_count);
void p11prof_note_copied(struct p11prof_frame *frame, CK_RV rv, uint64_t handle, uint64_t source,
                         const CK_ATTRIBUTE *template, CK_ULONG count);
void p11prof_note_template(struct p11prof_frame *frame, CK_RV rv, const CK_ATTRIBUTE *template,
                           CK_ULONG count);
void p11prof_note_found(struct p11prof_frame *frame, CK_RV rv, const CK_OBJECT_HANDLE *handles,
                        uint64_t returned, CK_ULONG max);
void p11prof_note_read(struct p11prof_frame *frame, CK_RV rv, CK_OBJECT_HANDLE object,
                       const CK_ATTRIBUTE *template, CK_ULONG count);

/* The texts of tokens and of the library go to the spool's header. */
void p11prof_keep_token(CK_RV rv, CK_SLOT_ID slot_id, const CK_TOKEN_INFO *info);
void p11prof_keep_library(CK_RV rv, const CK_INFO *info);

/* Session and fact columns. */
#define NO_SESSION                       P11PROF_NO_SESSION
#define LENGTH(p)                        p11prof_length(p, rv)
#define HANDLE(p)                        p11prof_handle(p, rv)
#define SLOT_ID(p)                       p11prof_slot_id(p, rv)
#define MECHANISM_OF(p)                  p11prof_mechanism_of(&frame, rv, p)
#define FUNCTION_NAMED(name)             p11prof_function_at(name)
#define FIRST_ATTRIBUTE(template, count) p11prof_first_attribute(&frame, rv, template, count)
#define TEMPLATE_TYPES(template, count)  p11prof_template_types(&frame, rv, template, count)

/* Flag column. */
#define QUERY(buffer, length) p11prof_flag_if(!(buffer) && (length), P11PROF_RECORD_NO_BUFFER)
#define QUERY_ATTRIBUTES(template, count)                                                          \
    p11prof_flag_if(p11prof_asks_lengths(&frame, rv, template, count), P11PROF_RECORD_NO_BUFFER)
#define CANCELS(mechanism) p11prof_flag_if(!(mechanism), P11PROF_RECORD_NO_MECHANISM)
#define INTERACTIVE(pin)   p11prof_flag_if(!(pin), P11PROF_RECORD_BLOCKING)
#define WAITS(flags)       p11prof_flag_if(!((flags)&CKF_DONT_BLOCK), P11PROF_RECORD_BLOCKING)
#define LAST(condition)    p11prof_flag_if(condition, P11PROF_RECORD_LAST)

/* Note column. */
#define NO_NOTES                             (void)0
#define OBJECT_MADE(handle, template, count) p11prof_note_made(&frame, rv, handle, template, count)
#define OBJECT_COPIED(handle, source, template, count)                                             \
    p11prof_note_copied(&frame, rv, handle, source, template, count)
#define KEY_PAIR_MADE(public, public_template, public_count, private, private_template,            \
                      private_count)                                                               \
    p11prof_note_pair_made(&frame, rv, public, public_template, public_count, private,             \
                           private_template, private_count)
#define FIND_TEMPLATE(template, count)        p11prof_note_template(&frame, rv, template, count)
#define OBJECTS_FOUND(handles, returned, max) p11prof_note_found(&frame, rv, handles, returned, max)
#define ATTRIBUTES_READ(object, template, count)                                                   \
    p11prof_note_read(&frame, rv, object, template, count)
#define TOKEN(slot_id, info) p11prof_keep_token(rv, slot_id, info)
#define LIBRARY(info)        p11prof_keep_library(rv, info)

#endif
