/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "templates.h"

#include <stdio.h>
#include <string.h>

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE public_exponent[] = {1, 0, 1};

/* DER of the curves' object identifiers, or of a PrintableString. */
static const struct curve {
    enum p11prof_bench_key_kind kind;
    uint32_t bits;
    unsigned attempt;
    CK_BYTE bytes;
    CK_BYTE der[16];
} curves[] = {
    {P11PROF_BENCH_KEY_EC, 256, 0, 10, {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}},
    {P11PROF_BENCH_KEY_EC, 384, 0, 7, {6, 5, 0x2b, 0x81, 4, 0, 0x22}},
    {P11PROF_BENCH_KEY_EC, 521, 0, 7, {6, 5, 0x2b, 0x81, 4, 0, 0x23}},
    {P11PROF_BENCH_KEY_EDWARDS, 255, 0, 5, {6, 3, 0x2b, 0x65, 0x70}},
    {P11PROF_BENCH_KEY_EDWARDS, 255, 1, 14,
     "\x13\x0c"
     "edwards25519"},
    {P11PROF_BENCH_KEY_EDWARDS, 448, 0, 5, {6, 3, 0x2b, 0x65, 0x71}},
    {P11PROF_BENCH_KEY_EDWARDS, 448, 1, 12,
     "\x13\x0a"
     "edwards448"},
    {P11PROF_BENCH_KEY_MONTGOMERY, 255, 0, 5, {6, 3, 0x2b, 0x65, 0x6e}},
    {P11PROF_BENCH_KEY_MONTGOMERY, 255, 1, 12,
     "\x13\x0a"
     "curve25519"},
    {P11PROF_BENCH_KEY_MONTGOMERY, 448, 0, 5, {6, 3, 0x2b, 0x65, 0x6f}},
    {P11PROF_BENCH_KEY_MONTGOMERY, 448, 1, 10,
     "\x13\x08"
     "curve448"},
};

/* Which attributes let a key do an operation or its opposite. */
static const struct usage {
    unsigned operation;
    CK_ATTRIBUTE_TYPE public_use, private_use;
} usages[] = {
    {P11PROF_OPERATION_SIGN, CKA_VERIFY, CKA_SIGN},
    {P11PROF_OPERATION_VERIFY, CKA_VERIFY, CKA_SIGN},
    {P11PROF_OPERATION_ENCRYPT, CKA_ENCRYPT, CKA_DECRYPT},
    {P11PROF_OPERATION_DECRYPT, CKA_ENCRYPT, CKA_DECRYPT},
    {P11PROF_OPERATION_WRAP, CKA_WRAP, CKA_UNWRAP},
    {P11PROF_OPERATION_UNWRAP, CKA_WRAP, CKA_UNWRAP},
    {P11PROF_OPERATION_DERIVE, CKA_DERIVE, CKA_DERIVE},
    {P11PROF_OPERATION_MESSAGE_ENCRYPT, CKA_ENCRYPT, CKA_DECRYPT},
    {P11PROF_OPERATION_MESSAGE_DECRYPT, CKA_ENCRYPT, CKA_DECRYPT},
    {P11PROF_OPERATION_MESSAGE_SIGN, CKA_VERIFY, CKA_SIGN},
    {P11PROF_OPERATION_MESSAGE_VERIFY, CKA_VERIFY, CKA_SIGN},
    {P11PROF_OPERATION_ENCAPSULATE, CKA_ENCAPSULATE, CKA_DECAPSULATE},
    {P11PROF_OPERATION_DECAPSULATE, CKA_ENCAPSULATE, CKA_DECAPSULATE},
    {P11PROF_OPERATION_GENERATE_KEY_PAIR, CKA_VERIFY, CKA_SIGN},
    /* Of what no test does anything with: keys to find, to look at, to make. */
    {P11PROF_OPERATION_NONE, CKA_ENCRYPT, CKA_DECRYPT},
};

static const struct generator {
    CK_MECHANISM_TYPE mechanism;
    bool pair;
} generators[] = {
    [P11PROF_BENCH_KEY_NONE] = {CK_UNAVAILABLE_INFORMATION, false},
    [P11PROF_BENCH_KEY_RSA] = {CKM_RSA_PKCS_KEY_PAIR_GEN, true},
    [P11PROF_BENCH_KEY_EC] = {CKM_EC_KEY_PAIR_GEN, true},
    [P11PROF_BENCH_KEY_EDWARDS] = {CKM_EC_EDWARDS_KEY_PAIR_GEN, true},
    [P11PROF_BENCH_KEY_MONTGOMERY] = {CKM_EC_MONTGOMERY_KEY_PAIR_GEN, true},
    [P11PROF_BENCH_KEY_AES] = {CKM_AES_KEY_GEN, false},
    [P11PROF_BENCH_KEY_DES3] = {CKM_DES3_KEY_GEN, false},
    [P11PROF_BENCH_KEY_GENERIC] = {CKM_GENERIC_SECRET_KEY_GEN, false},
    [P11PROF_BENCH_KEY_ML_DSA] = {CKM_ML_DSA_KEY_PAIR_GEN, true},
    [P11PROF_BENCH_KEY_ML_KEM] = {CKM_ML_KEM_KEY_PAIR_GEN, true},
    [P11PROF_BENCH_KEY_SLH_DSA] = {CKM_SLH_DSA_KEY_PAIR_GEN, true},
};

CK_MECHANISM_TYPE p11prof_bench_generator(enum p11prof_bench_key_kind kind)
{
    return generators[kind].mechanism;
}

const struct p11prof_parameter_set *p11prof_bench_parameter_set(enum p11prof_bench_key_kind kind,
                                                                uint32_t bits)
{
    switch (kind) {
    case P11PROF_BENCH_KEY_ML_DSA:
        return p11prof_parameter_set_of_number(CKK_ML_DSA, bits);
    case P11PROF_BENCH_KEY_ML_KEM:
        return p11prof_parameter_set_of_number(CKK_ML_KEM, bits);
    case P11PROF_BENCH_KEY_SLH_DSA:
        return p11prof_parameter_set_of_number(CKK_SLH_DSA, bits);
    default:
        return NULL;
    }
}

bool p11prof_bench_key_needed(const struct p11prof_bench_test *test)
{
    return test->key_kind != P11PROF_BENCH_KEY_NONE &&
           test->operation != P11PROF_OPERATION_GENERATE_KEY &&
           test->operation != P11PROF_OPERATION_GENERATE_KEY_PAIR;
}

static void add(CK_ATTRIBUTE *part, CK_ULONG *count, CK_ATTRIBUTE_TYPE type, const void *value,
                CK_ULONG bytes)
{
    part[(*count)++] = (CK_ATTRIBUTE){type, (void *)(uintptr_t)value, bytes};
}

static void public_add(struct p11prof_bench_template *out, CK_ATTRIBUTE_TYPE type,
                       const void *value, CK_ULONG bytes)
{
    add(out->public_part, &out->public_count, type, value, bytes);
}

static void private_add(struct p11prof_bench_template *out, CK_ATTRIBUTE_TYPE type,
                        const void *value, CK_ULONG bytes)
{
    add(out->private_part, &out->private_count, type, value, bytes);
}

static const struct usage *usage_of(const struct p11prof_bench_key_wish *wish)
{
    unsigned operation = wish->operation;
    const struct usage *usage = usages;
    if (wish->kind == P11PROF_BENCH_KEY_ML_KEM) /* nothing else can be done with one */
        operation = P11PROF_OPERATION_ENCAPSULATE;
    while (usage->operation != operation && usage->operation != P11PROF_OPERATION_NONE)
        usage++;
    return usage;
}

/* Nothing that the test does not do: strict tokens refuse keys that can sign and decrypt. */
static void uses_add(struct p11prof_bench_template *out, const struct usage *usage)
{
    private_add(out, usage->private_use, &yes, sizeof yes);
    if (!out->pair && usage->public_use != usage->private_use)
        private_add(out, usage->public_use, &yes, sizeof yes);
    if (out->pair && usage->public_use != CKA_DERIVE)
        public_add(out, usage->public_use, &yes, sizeof yes);
}

static void places_add(struct p11prof_bench_template *out)
{
    private_add(out, CKA_TOKEN, &out->token_object, sizeof out->token_object);
    private_add(out, CKA_PRIVATE, &out->private_object, sizeof out->private_object);
    private_add(out, CKA_LABEL, out->label, strlen(out->label));
    private_add(out, CKA_ID, out->id, strlen((char *)out->id));
    public_add(out, CKA_TOKEN, &out->token_object, sizeof out->token_object);
    public_add(out, CKA_PRIVATE, &no, sizeof no);
    public_add(out, CKA_LABEL, out->label, strlen(out->label));
    public_add(out, CKA_ID, out->id, strlen((char *)out->id));
}

static bool curve_add(struct p11prof_bench_template *out, const struct p11prof_bench_key_wish *wish,
                      unsigned attempt)
{
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        const struct curve *curve = &curves[i];
        if (curve->kind != wish->kind || curve->bits != wish->bits || curve->attempt != attempt)
            continue;
        public_add(out, CKA_EC_PARAMS, curve->der, curve->bytes);
        return true;
    }
    return false;
}

static bool set_add(struct p11prof_bench_template *out, const struct p11prof_bench_key_wish *wish)
{
    const struct p11prof_parameter_set *set = p11prof_bench_parameter_set(wish->kind, wish->bits);
    if (!set)
        return false;
    out->parameter_set = set->value;
    public_add(out, CKA_PARAMETER_SET, &out->parameter_set, sizeof out->parameter_set);
    return true;
}

static bool size_add(struct p11prof_bench_template *out, const struct p11prof_bench_key_wish *wish,
                     unsigned attempt)
{
    switch (wish->kind) {
    case P11PROF_BENCH_KEY_NONE:
        return false;
    case P11PROF_BENCH_KEY_RSA:
        public_add(out, CKA_MODULUS_BITS, &out->bits, sizeof out->bits);
        public_add(out, CKA_PUBLIC_EXPONENT, public_exponent, sizeof public_exponent);
        break;
    case P11PROF_BENCH_KEY_EC:
    case P11PROF_BENCH_KEY_EDWARDS:
    case P11PROF_BENCH_KEY_MONTGOMERY:
        return curve_add(out, wish, attempt);
    case P11PROF_BENCH_KEY_DES3: /* of one size */
        break;
    case P11PROF_BENCH_KEY_AES:
    case P11PROF_BENCH_KEY_GENERIC:
        private_add(out, CKA_VALUE_LEN, &out->value_bytes, sizeof out->value_bytes);
        break;
    case P11PROF_BENCH_KEY_ML_DSA:
    case P11PROF_BENCH_KEY_ML_KEM:
    case P11PROF_BENCH_KEY_SLH_DSA:
        return attempt == 0 && set_add(out, wish);
    }
    return attempt == 0;
}

bool p11prof_bench_template_make(struct p11prof_bench_template *out,
                                 const struct p11prof_bench_key_wish *wish, unsigned attempt)
{
    memset(out, 0, sizeof *out);
    out->mechanism.mechanism = generators[wish->kind].mechanism;
    out->pair = generators[wish->kind].pair;
    out->bits = wish->bits;
    out->value_bytes = wish->bits / 8;
    out->token_object = wish->token_object;
    out->private_object = wish->private_object;
    snprintf(out->label, sizeof out->label, "%s", wish->label);
    snprintf((char *)out->id, sizeof out->id, "p11prof-bench");
    places_add(out);
    uses_add(out, usage_of(wish));
    private_add(out, CKA_SENSITIVE, wish->extractable ? &no : &yes, sizeof yes);
    private_add(out, CKA_EXTRACTABLE, wish->extractable ? &yes : &no, sizeof yes);
    return size_add(out, wish, attempt);
}

CK_RV p11prof_bench_template_generate(struct p11prof_bench_template *template,
                                      CK_FUNCTION_LIST *list, CK_SESSION_HANDLE session,
                                      CK_OBJECT_HANDLE handles[2])
{
    if (template->pair)
        return list->C_GenerateKeyPair(session, &template->mechanism, template->public_part,
                                       template->public_count, template->private_part,
                                       template->private_count, &handles[1], &handles[0]);
    return list->C_GenerateKey(session, &template->mechanism, template->private_part,
                               template->private_count, &handles[0]);
}

CK_RV p11prof_bench_wish_generate(const struct p11prof_bench_key_wish *wish, CK_FUNCTION_LIST *list,
                                  CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handles[2],
                                  const char **function, unsigned *attempt)
{
    struct p11prof_bench_template template;
    CK_RV first = CKR_MECHANISM_INVALID;
    *function = generators[wish->kind].pair ? "C_GenerateKeyPair" : "C_GenerateKey";
    for (*attempt = 0; p11prof_bench_template_make(&template, wish, *attempt); ++*attempt) {
        handles[0] = handles[1] = CK_INVALID_HANDLE;
        CK_RV rv = p11prof_bench_template_generate(&template, list, session, handles);
        if (rv == CKR_OK)
            return rv;
        if (*attempt == 0)
            first = rv;
    }
    handles[0] = handles[1] = CK_INVALID_HANDLE;
    return first;
}
