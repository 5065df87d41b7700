/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_token.h"

#include <dlfcn.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SO_PIN "0815-so"

struct bench_fault bench_fault;
static CK_FUNCTION_LIST *real;

/* --- the token --- */

static void configure(struct bench_token *token)
{
    const char *temporary = getenv("TMPDIR");
    char path[300];
    snprintf(token->folder, sizeof token->folder, "%s/p11prof-test-XXXXXX",
             temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(token->folder));
    snprintf(path, sizeof path, "%s/softhsm2.conf", token->folder);
    FILE *conf = fopen(path, "w");
    assert_non_null(conf);
    fprintf(conf, "directories.tokendir = %s\nlog.level = ERROR\n", token->folder);
    fclose(conf);
    setenv("SOFTHSM2_CONF", path, 1);
}

static void token_make(struct bench_token *token)
{
    CK_UTF8CHAR label[32];
    CK_ULONG count = 1;
    CK_SESSION_HANDLE session;
    memset(label, ' ', sizeof label);
    assert_int_equal(real->C_GetSlotList(CK_TRUE, &token->slot_id, &count), CKR_OK);
    assert_int_equal(
        real->C_InitToken(token->slot_id, (CK_UTF8CHAR_PTR)SO_PIN, strlen(SO_PIN), label), CKR_OK);
    count = 1; /* it has a new number, and a next one waits for its initialisation */
    real->C_GetSlotList(CK_TRUE, &token->slot_id, &count);
    session = bench_token_session(token);
    assert_int_equal(real->C_Login(session, CKU_SO, (CK_UTF8CHAR_PTR)SO_PIN, strlen(SO_PIN)),
                     CKR_OK);
    assert_int_equal(
        real->C_InitPIN(session, (CK_UTF8CHAR_PTR)BENCH_TOKEN_PIN, strlen(BENCH_TOKEN_PIN)),
        CKR_OK);
    assert_int_equal(real->C_CloseAllSessions(token->slot_id), CKR_OK);
}

bool bench_token_set_up(struct bench_token *token)
{
    const char *path = getenv("P11PROF_TEST_SOFTHSM");
    CK_RV (*get)(CK_FUNCTION_LIST **);
    memset(token, 0, sizeof *token);
    if (!path || access(path, R_OK) != 0)
        return false;
    configure(token);
    token->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(token->library);
    *(void **)&get = dlsym(token->library, "C_GetFunctionList");
    assert_int_equal(get(&token->real), CKR_OK);
    real = token->real;
    assert_int_equal(real->C_Initialize(NULL), CKR_OK);
    token_make(token);
    return true;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts, (void)kind, (void)place;
    return remove(path);
}

void bench_token_tear_down(struct bench_token *token)
{
    token->real->C_Finalize(NULL);
    dlclose(token->library);
    nftw(token->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

CK_SESSION_HANDLE bench_token_session(const struct bench_token *token)
{
    CK_SESSION_HANDLE session;
    assert_int_equal(real->C_OpenSession(token->slot_id, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                                         NULL, &session),
                     CKR_OK);
    return session;
}

void bench_token_login(const struct bench_token *token, CK_SESSION_HANDLE session)
{
    assert_int_equal(token->real->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)BENCH_TOKEN_PIN,
                                          strlen(BENCH_TOKEN_PIN)),
                     CKR_OK);
}

CK_ULONG bench_token_objects(const struct bench_token *token, CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE found[256];
    CK_ULONG count;
    assert_int_equal(token->real->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_int_equal(token->real->C_FindObjects(session, found, 256, &count), CKR_OK);
    assert_int_equal(token->real->C_FindObjectsFinal(session), CKR_OK);
    return count;
}

CK_ULONG bench_token_sessions(const struct bench_token *token)
{
    CK_TOKEN_INFO info;
    assert_int_equal(token->real->C_GetTokenInfo(token->slot_id, &info), CKR_OK);
    return info.ulSessionCount;
}

/* --- the faulty list: all functions fail, some lie --- */

static CK_RV fault_next(void)
{
    if (++bench_fault.calls != bench_fault.fail_at)
        return CKR_OK;
    return bench_fault.too_small ? CKR_BUFFER_TOO_SMALL : CKR_DEVICE_ERROR;
}

#define FAULTY(name, parameters, arguments)                                                        \
    static CK_RV faulty_##name parameters                                                          \
    {                                                                                              \
        CK_RV rv = fault_next();                                                                   \
        return rv == CKR_OK ? real->name arguments : rv;                                           \
    }
#define FAULTY_200 FAULTY
#define FAULTY_201 FAULTY
#define FAULTY_300(...)
#define FAULTY_302(...)
#define CALL(number, name, since, operation, role, parameters, arguments, ...)                     \
    FAULTY_##since(name, parameters, arguments)
#include "p11prof/calls.def"
#undef CALL

static void flip(CK_BYTE *bytes, CK_RV rv)
{
    if (rv == CKR_OK && bench_fault.wrong && bytes)
        bytes[0] ^= 1;
}

#define WRONG_OUTPUT(name)                                                                         \
    static CK_RV wrong_##name(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_bytes,        \
                              CK_BYTE_PTR out, CK_ULONG_PTR out_bytes)                             \
    {                                                                                              \
        CK_RV rv = faulty_##name(session, in, in_bytes, out, out_bytes);                           \
        flip(out, rv);                                                                             \
        return rv;                                                                                 \
    }
WRONG_OUTPUT(C_Sign)
WRONG_OUTPUT(C_Encrypt)
WRONG_OUTPUT(C_Decrypt)
WRONG_OUTPUT(C_Digest)

static CK_RV wrong_C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR out, CK_ULONG_PTR bytes)
{
    CK_RV rv = faulty_C_DigestFinal(session, out, bytes);
    flip(out, rv);
    return rv;
}

static CK_RV wrong_C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR out, CK_ULONG bytes)
{
    CK_RV rv = faulty_C_GenerateRandom(session, out, bytes);
    if (rv == CKR_OK && bench_fault.wrong)
        memset(out, 0x5a, bytes);
    return rv;
}

static CK_RV wrong_C_Verify(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_bytes,
                            CK_BYTE_PTR signature, CK_ULONG signature_bytes)
{
    CK_RV rv = faulty_C_Verify(session, in, in_bytes, signature, signature_bytes);
    return bench_fault.verify_all ? CKR_OK : rv;
}

static CK_RV wrong_C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                       CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    CK_RV rv = faulty_C_GetAttributeValue(session, object, template, count);
    flip(template[count - 1].pValue, rv);
    return rv;
}

static CK_RV wrong_C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR found,
                                 CK_ULONG max, CK_ULONG_PTR count)
{
    CK_RV rv = faulty_C_FindObjects(session, found, max, count);
    if (rv == CKR_OK && bench_fault.wrong && *count > 0)
        found[0]++;
    return rv;
}

static CK_RV wrong_C_Logout(CK_SESSION_HANDLE session)
{
    return bench_fault.wrong ? CKR_OK : faulty_C_Logout(session);
}

/* A key like the one that was asked for, and another one. */
static CK_RV wrong_C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                               CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped, CK_ULONG bytes,
                               CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR made)
{
    CK_MECHANISM generate = {CKM_AES_KEY_GEN, NULL, 0};
    CK_ULONG value_bytes = 32;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE other[] = {{CKA_VALUE_LEN, &value_bytes, sizeof value_bytes},
                            {CKA_ENCRYPT, &yes, sizeof yes}};
    if (bench_fault.wrong)
        return real->C_GenerateKey(session, &generate, other, 2, made);
    return faulty_C_UnwrapKey(session, mechanism, key, wrapped, bytes, template, count, made);
}

static CK_RV wrong_C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                             CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE target, CK_BYTE_PTR out,
                             CK_ULONG_PTR bytes)
{
    CK_RV rv = faulty_C_WrapKey(session, mechanism, key, target, out, bytes);
    if (rv == CKR_OK && bench_fault.wrong)
        out[*bytes - 1] ^= 1;
    return rv;
}

/* A secret of the right length that nothing was agreed on. */
static CK_RV wrong_C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                               CK_OBJECT_HANDLE key, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                               CK_OBJECT_HANDLE_PTR made)
{
    CK_MECHANISM generate = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
    if (!bench_fault.wrong)
        return faulty_C_DeriveKey(session, mechanism, key, template, count, made);
    return real->C_GenerateKey(session, &generate, template, count, made);
}

/* Halves that do not belong together. */
static CK_RV wrong_C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                                     CK_ATTRIBUTE_PTR public_part, CK_ULONG public_count,
                                     CK_ATTRIBUTE_PTR private_part, CK_ULONG private_count,
                                     CK_OBJECT_HANDLE_PTR public_key,
                                     CK_OBJECT_HANDLE_PTR private_key)
{
    CK_OBJECT_HANDLE other;
    CK_RV rv = faulty_C_GenerateKeyPair(session, mechanism, public_part, public_count, private_part,
                                        private_count, public_key, private_key);
    if (rv != CKR_OK || !bench_fault.wrong)
        return rv;
    real->C_DestroyObject(session, *private_key);
    rv = real->C_GenerateKeyPair(session, mechanism, public_part, public_count, private_part,
                                 private_count, &other, private_key);
    real->C_DestroyObject(session, other);
    return rv;
}

/* A key that is shorter. */
static CK_RV wrong_C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                                 CK_ATTRIBUTE_PTR template, CK_ULONG count,
                                 CK_OBJECT_HANDLE_PTR made)
{
    CK_ATTRIBUTE changed[16];
    CK_ULONG value_bytes = 24;
    memcpy(changed, template, count * sizeof *template);
    for (CK_ULONG i = 0; i < count && bench_fault.wrong; i++)
        if (changed[i].type == CKA_VALUE_LEN)
            changed[i].pValue = &value_bytes;
    return faulty_C_GenerateKey(session, mechanism, changed, count, made);
}

CK_FUNCTION_LIST *bench_token_faulty(const struct bench_token *token)
{
    static CK_FUNCTION_LIST list;
    list = *token->real;
#define LISTED(name) list.name = faulty_##name;
#define LISTED_200   LISTED
#define LISTED_201   LISTED
#define LISTED_300(...)
#define LISTED_302(...)
#define CALL(number, name, since, ...) LISTED_##since(name)
#include "p11prof/calls.def"
#undef CALL
#define LYING(name) list.name = wrong_##name;
    LYING(C_Sign)
    LYING(C_Encrypt) LYING(C_Decrypt) LYING(C_Digest) LYING(C_DigestFinal) LYING(C_GenerateRandom)
        LYING(C_Verify) LYING(C_GetAttributeValue) LYING(C_FindObjects) LYING(C_Logout)
            LYING(C_UnwrapKey) LYING(C_WrapKey) LYING(C_DeriveKey) LYING(C_GenerateKeyPair)
                LYING(C_GenerateKey) return &list;
}
