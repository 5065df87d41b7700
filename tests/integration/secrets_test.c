/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is never recorded: sentinels are planted as PINs, keys, labels, plaintexts and seeds, and
 * searched for in the spool, the database, and everything that the commands print. And decryptions
 * answer no padding oracle. */
#include "driven.h"

#include "p11prof/pkcs11.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SO_PIN    "sentinel-so-pin-4711"
#define USER_PIN  "sentinel-user-pin-0815"
#define KEY_BYTES "sentinel-key-bytes-0123456789abc" /* 32 */
#define LABEL     "sentinel-object-label"
#define OBJECT_ID "sentinel-object-id"
#define PLAINTEXT "sentinel-plaintext-of-some-length"
#define SEED      "sentinel-seed-seed-seed"

static const char *const sentinels[] = {SO_PIN,    USER_PIN,  KEY_BYTES, LABEL,
                                        OBJECT_ID, PLAINTEXT, SEED};

static CK_FUNCTION_LIST *module;
static CK_SESSION_HANDLE session;

#define BYTES(text) ((CK_BYTE_PTR)(uintptr_t)(text)), sizeof(text) - 1

static void check(const char *what, CK_RV rv)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "%s: 0x%lx\n", what, rv);
    _exit(1);
}

static CK_OBJECT_HANDLE aes_key_import(void)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_BBOOL yes = CK_TRUE;
    CK_OBJECT_HANDLE key;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_ENCRYPT, &yes, sizeof yes},   {CKA_DECRYPT, &yes, sizeof yes},
        {CKA_LABEL, BYTES(LABEL)},         {CKA_ID, BYTES(OBJECT_ID)},
        {CKA_VALUE, BYTES(KEY_BYTES)}};
    check("C_CreateObject",
          module->C_CreateObject(session, template, sizeof template / sizeof *template, &key));
    return key;
}

/* One good and one damaged ciphertext through the same calls. */
static void decrypt_both(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE encrypt_key,
                         CK_OBJECT_HANDLE decrypt_key)
{
    CK_BYTE ciphertext[512], plaintext[512];
    CK_ULONG length = sizeof ciphertext, plain_length;
    check("C_EncryptInit", module->C_EncryptInit(session, mechanism, encrypt_key));
    check("C_Encrypt", module->C_Encrypt(session, BYTES(PLAINTEXT), ciphertext, &length));
    for (int damaged = 0; damaged < 2; damaged++) {
        plain_length = sizeof plaintext;
        ciphertext[length - 1] ^= (CK_BYTE)damaged;
        check("C_DecryptInit", module->C_DecryptInit(session, mechanism, decrypt_key));
        CK_RV rv = module->C_Decrypt(session, ciphertext, length, plaintext, &plain_length);
        if ((rv == CKR_OK) != !damaged)
            check("C_Decrypt", rv ? rv : CKR_GENERAL_ERROR);
    }
}

static void rsa_pair_make(CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_ULONG bits = 2048;
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE exponent[] = {1, 0, 1};
    CK_ATTRIBUTE public_template[] = {{CKA_MODULUS_BITS, &bits, sizeof bits},
                                      {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
                                      {CKA_ENCRYPT, &yes, sizeof yes}};
    CK_ATTRIBUTE private_template[] = {{CKA_DECRYPT, &yes, sizeof yes}, {CKA_LABEL, BYTES(LABEL)}};
    check("C_GenerateKeyPair",
          module->C_GenerateKeyPair(session, &mechanism, public_template, 3, private_template, 2,
                                    public_key, private_key));
}

/* A token is made, used with every kind of secret, and the process killed: its spool stays. */
static void application(const char *shim)
{
    CK_BYTE label[32], iv[16] = {0};
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    CK_OBJECT_HANDLE public_key, private_key;
    CK_MECHANISM padded = {CKM_AES_CBC_PAD, iv, sizeof iv}, pkcs = {CKM_RSA_PKCS, NULL, 0};
    void *handle = dlopen(shim, RTLD_NOW);
    CK_C_GetFunctionList get =
        handle ? (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList") : NULL;
    if (!get || get(&module) != CKR_OK)
        _exit(2);
    memset(label, ' ', sizeof label);
    check("C_Initialize", module->C_Initialize(NULL));
    check("C_GetSlotList", module->C_GetSlotList(CK_TRUE, slots, &count));
    check("C_InitToken", module->C_InitToken(slots[0], BYTES(SO_PIN), label));
    count = 8;
    check("C_GetSlotList", module->C_GetSlotList(CK_TRUE, slots, &count));
    check("C_OpenSession", module->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                                 NULL, NULL, &session));
    check("C_Login", module->C_Login(session, CKU_SO, BYTES(SO_PIN)));
    check("C_InitPIN", module->C_InitPIN(session, BYTES(USER_PIN)));
    check("C_Logout", module->C_Logout(session));
    check("C_Login", module->C_Login(session, CKU_USER, BYTES(USER_PIN)));
    check("C_SetPIN", module->C_SetPIN(session, BYTES(USER_PIN), BYTES(USER_PIN)));
    module->C_SeedRandom(session, BYTES(SEED));
    CK_OBJECT_HANDLE key = aes_key_import();
    decrypt_both(&padded, key, key);
    rsa_pair_make(&public_key, &private_key);
    decrypt_both(&pkcs, public_key, private_key);
    module->C_SetOperationState(session, BYTES(SO_PIN), 0, 0);
    kill(getpid(), SIGKILL);
}

/* --- searching --- */

static void assert_silent(const char *what, const char *bytes, size_t count)
{
    for (size_t i = 0; i < sizeof sentinels / sizeof *sentinels; i++) {
        char hex[128] = "";
        for (const char *c = sentinels[i]; *c; c++)
            snprintf(hex + strlen(hex), sizeof hex - strlen(hex), "%02x", (unsigned char)*c);
        if (memmem(bytes, count, sentinels[i], strlen(sentinels[i])) ||
            memmem(bytes, count, hex, strlen(hex)))
            fail_msg("%s holds \"%s\"", what, sentinels[i]);
    }
}

static void file_search(const char *path)
{
    struct stat facts;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &facts), 0);
    char *bytes = malloc((size_t)facts.st_size + 1);
    assert_int_equal(read(fd, bytes, (size_t)facts.st_size), facts.st_size);
    assert_silent(path, bytes, (size_t)facts.st_size);
    free(bytes);
    close(fd);
}

/* Every file of a folder whose name has `part` in it; returns how many. */
static int folder_search(const char *folder, const char *part)
{
    int count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type != DT_REG || !strstr(entry->d_name, part))
            continue;
        file_search(path);
        count++;
    }
    closedir(entries);
    return count;
}

static void output_search(struct driven *driven, const char *command)
{
    char line[1024];
    static char bytes[1 << 20];
    snprintf(line, sizeof line, "%s %s --db %s 2>&1", getenv("P11PROF_TEST_COMMAND"), command,
             driven->db);
    FILE *output = popen(line, "r");
    assert_non_null(output);
    size_t count = fread(bytes, 1, sizeof bytes, output);
    pclose(output);
    assert_true(count > 100);
    assert_silent(command, bytes, count);
}

/* A token store of its own; the driver's machinery is used for places and questions only. */
static void softhsm_set_up(struct driven *driven)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tokens", driven->folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/softhsm2.conf", driven->folder);
    FILE *conf = fopen(path, "w");
    assert_non_null(conf);
    fprintf(conf, "directories.tokendir = %s/tokens\nlog.level = ERROR\n", driven->folder);
    fclose(conf);
    setenv("SOFTHSM2_CONF", path, 1);
    setenv("P11PROF_MODULE", getenv("P11PROF_TEST_SOFTHSM"), 1);
    setenv("P11PROF_DB", driven->db, 1);
    setenv("P11PROF_SPOOL", driven->spool, 1);
    setenv("P11PROF_DEBUG", "1", 1);
    setenv("P11PROF_DRAIN", "external", 1);
}

static void application_run(struct driven *driven)
{
    char path[512];
    int status;
    pid_t child = fork();
    if (child == 0) {
        snprintf(path, sizeof path, "%s/output", driven->folder);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, STDERR_FILENO);
        application(getenv("P11PROF_TEST_SHIM"));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status))
        fail_msg("the application ended with %d: see %s/output", WEXITSTATUS(status),
                 driven->folder);
    driven->end = open("/dev/null", O_RDONLY);
}

static void assert_undisclosed(struct driven *driven, const char *mechanism)
{
    char query[512];
    snprintf(query, sizeof query,
             "SELECT count(*) FROM calls WHERE function = 'C_Decrypt' AND mechanism = '%s' AND "
             "rv = 'undisclosed' AND rv_code IS NULL AND out_bytes IS NULL",
             mechanism);
    assert_int_equal(driven_ask(driven, query), 2);
    snprintf(query, sizeof query,
             "SELECT count(*) FROM operations WHERE operation = 'decrypt' AND mechanism = '%s' AND "
             "rv = 'undisclosed' AND out_bytes IS NULL",
             mechanism);
    assert_int_equal(driven_ask(driven, query), 2);
}

static void test_secrets(void **state)
{
    static const char *const commands[] = {
        "report", "report --format json",      "report --format csv",           "runs",
        "doctor", "sql 'SELECT * FROM calls'", "sql 'SELECT * FROM operations'"};
    struct driven driven;
    (void)state;
    driven_set_up(&driven);
    softhsm_set_up(&driven);
    application_run(&driven);
    assert_int_equal(folder_search(driven.spool, ".spool"), 1);
    driven_collect(&driven);
    assert_true(driven_ask(&driven, "SELECT count(*) FROM calls") > 20);
    assert_true(folder_search(driven.folder, "test.db") > 0);
    assert_int_equal(folder_search(driven.folder, "output"), 1);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        output_search(&driven, commands[i]);
    assert_undisclosed(&driven, "CKM_AES_CBC_PAD");
    assert_undisclosed(&driven, "CKM_RSA_PKCS");
    assert_int_equal(driven_ask(&driven, "SELECT sum(in_bytes) FROM calls WHERE function IN "
                                         "('C_Login', 'C_InitPIN', 'C_SetPIN', 'C_InitToken')"),
                     0);
    driven_tear_down(&driven);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_secrets)};
    if (!getenv("P11PROF_TEST_SOFTHSM") || access(getenv("P11PROF_TEST_SOFTHSM"), R_OK) != 0)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
