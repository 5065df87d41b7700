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

#define SO_PIN   "0815-so"
#define USER_PIN "4711-user"
enum { FOUND_MOST = 4096 };

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST counting; /* SoftHSM does not tell how many sessions are open */
static CK_ULONG session_count;

static CK_RV counted_open(CK_SLOT_ID slot_id, CK_FLAGS flags, CK_VOID_PTR application,
                          CK_NOTIFY notify, CK_SESSION_HANDLE_PTR session)
{
    CK_RV rv = real->C_OpenSession(slot_id, flags, application, notify, session);
    session_count += rv == CKR_OK;
    return rv;
}

static CK_RV counted_close(CK_SESSION_HANDLE session)
{
    CK_RV rv = real->C_CloseSession(session);
    session_count -= rv == CKR_OK;
    return rv;
}

static void configure(struct bench_token *token)
{
    char path[300];
    /* In memory: SoftHSM syncs each object to the disk. */
    snprintf(token->folder, sizeof token->folder, "/dev/shm/test-p11prof-XXXXXX");
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
    assert_int_equal(real->C_InitPIN(session, (CK_UTF8CHAR_PTR)USER_PIN, strlen(USER_PIN)), CKR_OK);
    assert_int_equal(token->real->C_CloseSession(session), CKR_OK);
}

bool bench_token_set_up(struct bench_token *token)
{
    const char *own = getenv("P11PROF_TEST_TOKEN_MODULE");
    const char *path = own ? own : getenv("P11PROF_TEST_SOFTHSM");
    CK_RV (*get)(CK_FUNCTION_LIST **);
    *token = (struct bench_token){.pin = own ? "1234" : USER_PIN};
    if (!path || access(path, R_OK) != 0)
        return false;
    if (!own)
        configure(token);
    token->library = dlopen(path, RTLD_NOW | RTLD_NODELETE); /* a leak has its name */
    assert_non_null(token->library);
    *(void **)&get = dlsym(token->library, "C_GetFunctionList");
    assert_int_equal(get(&real), CKR_OK);
    counting = *real;
    counting.C_OpenSession = counted_open;
    counting.C_CloseSession = counted_close;
    token->real = &counting;
    assert_int_equal(real->C_Initialize(NULL), CKR_OK);
    if (!own)
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
    if (token->folder[0])
        nftw(token->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

CK_SESSION_HANDLE bench_token_session(const struct bench_token *token)
{
    CK_SESSION_HANDLE session;
    assert_int_equal(token->real->C_OpenSession(token->slot_id, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                                NULL, NULL, &session),
                     CKR_OK);
    return session;
}

void bench_token_login(const struct bench_token *token, CK_SESSION_HANDLE session)
{
    assert_int_equal(token->real->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)(uintptr_t)token->pin,
                                          strlen(token->pin)),
                     CKR_OK);
}

static int mechanisms_compare(const void *a, const void *b)
{
    const CK_MECHANISM_TYPE *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

struct p11prof_bench_token_facts bench_token_facts(const struct bench_token *token)
{
    CK_ULONG count = 0;
    assert_int_equal(real->C_GetMechanismList(token->slot_id, NULL, &count), CKR_OK);
    CK_MECHANISM_TYPE *mechanisms = calloc(count, sizeof *mechanisms);
    CK_MECHANISM_INFO *infos = calloc(count, sizeof *infos);
    assert_int_equal(real->C_GetMechanismList(token->slot_id, mechanisms, &count), CKR_OK);
    qsort(mechanisms, count, sizeof *mechanisms, mechanisms_compare);
    for (CK_ULONG i = 0; i < count; i++)
        real->C_GetMechanismInfo(token->slot_id, mechanisms[i], &infos[i]);
    return (struct p11prof_bench_token_facts){.mechanisms = mechanisms,
                                              .infos = infos,
                                              .mechanism_count = count,
                                              .logged_in = true,
                                              .login_required = true};
}

CK_ULONG bench_token_objects(const struct bench_token *token, CK_SESSION_HANDLE session)
{
    static CK_OBJECT_HANDLE found[FOUND_MOST];
    CK_ULONG count;
    assert_int_equal(token->real->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_int_equal(token->real->C_FindObjects(session, found, FOUND_MOST, &count), CKR_OK);
    assert_int_equal(token->real->C_FindObjectsFinal(session), CKR_OK);
    assert_true(count < FOUND_MOST);
    return count;
}

CK_ULONG bench_token_sessions(void)
{
    return session_count;
}
