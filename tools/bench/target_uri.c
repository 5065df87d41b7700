/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "target_uri.h"

#include "message.h"

#include <p11-kit/uri.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TOKEN_FIELD(name)                                                                          \
    {                                                                                              \
        offsetof(CK_TOKEN_INFO, name), sizeof((CK_TOKEN_INFO *)NULL)->name                         \
    }

/* The texts of a token that a URI can ask for; in a URI that does not, the first byte is 0. */
static const struct {
    size_t offset, bytes;
} token_fields[] = {TOKEN_FIELD(label), TOKEN_FIELD(manufacturerID), TOKEN_FIELD(model),
                    TOKEN_FIELD(serialNumber)};

static enum p11prof_status contradiction(struct p11prof_error *error)
{
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "--token-label, --uri and --key-uri name different tokens or modules");
}

/* p11-kit's parser tells nothing of the PIN that may stand in the text, and neither do we. */
static enum p11prof_status parse(P11KitUri **uri, const char *option, const char *text,
                                 struct p11prof_error *error)
{
    *uri = p11_kit_uri_new();
    int result = *uri ? p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, *uri) : P11_KIT_URI_UNEXPECTED;
    if (result != P11_KIT_URI_OK)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%s is no URI of RFC 7512 (pkcs11:token=NAME;object=NAME): %s",
                                 option, p11_kit_uri_message(result));
    if (p11_kit_uri_any_unrecognized(*uri))
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%s has an attribute that is not known: none would fit it",
                                 option);
    if (p11_kit_uri_get_pin_value(*uri) && p11_kit_uri_get_pin_source(*uri))
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%s has both pin-value and pin-source: RFC 7512 wants one",
                                 option);
    return P11PROF_OK;
}

/* Takes a text over; false if there is another one. */
static bool join_text(P11KitUri *to, const char *had, const char *more,
                      void (*set)(P11KitUri *uri, const char *text))
{
    if (more && !had)
        set(to, more);
    return !more || !had || strcmp(had, more) == 0;
}

static bool join_token(CK_TOKEN_INFO *to, const CK_TOKEN_INFO *from)
{
    for (size_t i = 0; i < sizeof token_fields / sizeof *token_fields; i++) {
        char *had = (char *)to + token_fields[i].offset;
        const char *more = (const char *)from + token_fields[i].offset;
        if (*more && *had && memcmp(had, more, token_fields[i].bytes) != 0)
            return false;
        if (*more)
            memcpy(had, more, token_fields[i].bytes);
    }
    return true;
}

/* What is asked of the slot and the library: whole, from whichever URI asks for some. */
static bool join_place(P11KitUri *to, P11KitUri *from)
{
    CK_SLOT_ID had = p11_kit_uri_get_slot_id(to), more = p11_kit_uri_get_slot_id(from);
    CK_INFO *library = p11_kit_uri_get_module_info(from);
    CK_SLOT_INFO *slot = p11_kit_uri_get_slot_info(from);
    if (library->manufacturerID[0] || library->libraryDescription[0] ||
        library->libraryVersion.major != 0xFF)
        *p11_kit_uri_get_module_info(to) = *library;
    if (slot->slotDescription[0] || slot->manufacturerID[0])
        *p11_kit_uri_get_slot_info(to) = *slot;
    if (more != (CK_SLOT_ID)-1)
        p11_kit_uri_set_slot_id(to, more);
    return more == (CK_SLOT_ID)-1 || had == (CK_SLOT_ID)-1 || had == more;
}

/* Adds to a target what another URI says, its attributes of an object left out. */
static enum p11prof_status join(P11KitUri *to, P11KitUri *from, struct p11prof_error *error)
{
    bool agree = join_token(p11_kit_uri_get_token_info(to), p11_kit_uri_get_token_info(from)) &&
                 join_place(to, from) &&
                 join_text(to, p11_kit_uri_get_module_path(to), p11_kit_uri_get_module_path(from),
                           p11_kit_uri_set_module_path) &&
                 join_text(to, p11_kit_uri_get_module_name(to), p11_kit_uri_get_module_name(from),
                           p11_kit_uri_set_module_name);
    bool has_pin = p11_kit_uri_get_pin_value(to) || p11_kit_uri_get_pin_source(to);
    if (!has_pin && p11_kit_uri_get_pin_value(from))
        p11_kit_uri_set_pin_value(to, p11_kit_uri_get_pin_value(from));
    if (!has_pin && p11_kit_uri_get_pin_source(from))
        p11_kit_uri_set_pin_source(to, p11_kit_uri_get_pin_source(from));
    return agree ? P11PROF_OK : contradiction(error);
}

static void forget_pin(P11KitUri *uri)
{
    const char *pin = p11_kit_uri_get_pin_value(uri);
    if (!pin)
        return;
    explicit_bzero((char *)(uintptr_t)pin, strlen(pin)); /* allocated for this URI alone */
    p11_kit_uri_set_pin_value(uri, NULL);
}

static enum p11prof_status read_key(struct p11prof_bench_target *target, P11KitUri *uri,
                                    struct p11prof_error *error)
{
    const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);
    const CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri, CKA_ID);
    const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);
    CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
    if (class && class->ulValueLen == sizeof kind)
        memcpy(&kind, class->pValue, sizeof kind);
    if ((!label || !label->ulValueLen) && (!id || !id->ulValueLen))
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--key-uri names no key: add object=LABEL or id=%%01");
    if (kind != CKO_PRIVATE_KEY && kind != CKO_PUBLIC_KEY && kind != CKO_SECRET_KEY)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--key-uri names no key: its type is private, public or "
                                 "secret-key");
    if ((label && (label->ulValueLen >= sizeof target->key_label ||
                   memchr(label->pValue, '\0', label->ulValueLen))) ||
        (id && id->ulValueLen > sizeof target->key_id))
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--key-uri: a label or id of more than 255 bytes");
    if (label)
        memcpy(target->key_label, label->pValue, label->ulValueLen);
    if (id)
        memcpy(target->key_id, id->pValue, id->ulValueLen);
    target->key_id_bytes = id ? id->ulValueLen : 0;
    return P11PROF_OK;
}

static enum p11prof_status read_one(struct p11prof_bench_target *target, const char *option,
                                    const char *text, bool of_key, struct p11prof_error *error)
{
    P11KitUri *uri = NULL;
    CK_ULONG attribute_count = 0;
    if (!text)
        return P11PROF_OK;
    enum p11prof_status status = parse(&uri, option, text, error);
    if (status == P11PROF_OK)
        status = join(target->uri, uri, error);
    if (status == P11PROF_OK && of_key)
        status = read_key(target, uri, error);
    else if (status == P11PROF_OK && p11_kit_uri_get_attributes(uri, &attribute_count) &&
             attribute_count > 0)
        p11prof_warn("%s names an object, which is not looked at: a key is named by --key-uri",
                     option);
    if (uri)
        forget_pin(uri);
    p11_kit_uri_free(uri);
    return status;
}

static enum p11prof_status read_label(P11KitUri *uri, const char *label,
                                      struct p11prof_error *error)
{
    CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(uri);
    if (!label)
        return P11PROF_OK;
    if (strlen(label) > sizeof token->label)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--token-label %.100s: a token's label has at most %zu bytes",
                                 label, sizeof token->label);
    memset(token->label, ' ', sizeof token->label);
    memcpy(token->label, label, strlen(label));
    return P11PROF_OK;
}

enum p11prof_status p11prof_bench_uri_read(struct p11prof_bench_target *target,
                                           const struct p11prof_bench_target_options *options,
                                           struct p11prof_error *error)
{
    if (!options->token_label && !options->uri && !options->key_uri)
        return P11PROF_OK;
    target->uri = p11_kit_uri_new();
    if (!target->uri)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory");
    enum p11prof_status status = read_label(target->uri, options->token_label, error);
    if (status == P11PROF_OK)
        status = read_one(target, "--uri", options->uri, false, error);
    if (status == P11PROF_OK)
        status = read_one(target, "--key-uri", options->key_uri, true, error);
    return status;
}

const char *p11prof_bench_uri_module_path(const struct p11prof_bench_target *target)
{
    return target->uri ? p11_kit_uri_get_module_path(target->uri) : NULL;
}

const char *p11prof_bench_uri_module_name(const struct p11prof_bench_target *target)
{
    return target->uri ? p11_kit_uri_get_module_name(target->uri) : NULL;
}

const char *p11prof_bench_uri_pin_value(const struct p11prof_bench_target *target)
{
    return target->uri ? p11_kit_uri_get_pin_value(target->uri) : NULL;
}

const char *p11prof_bench_uri_pin_source(const struct p11prof_bench_target *target)
{
    return target->uri ? p11_kit_uri_get_pin_source(target->uri) : NULL;
}

void p11prof_bench_uri_forget_pin(struct p11prof_bench_target *target)
{
    if (target->uri)
        forget_pin(target->uri);
}

void p11prof_bench_uri_free(struct p11prof_bench_target *target)
{
    p11prof_bench_uri_forget_pin(target);
    p11_kit_uri_free(target->uri);
    target->uri = NULL;
}
