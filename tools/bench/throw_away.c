/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "throw_away.h"

#include "child.h"
#include "p11prof/calls.h"
#include "target_module.h"
#include "target_search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <p11-kit/p11-kit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_BYTES = 16, PIN_DIGITS = 2 * RANDOM_BYTES, DEPTH_MAX = 8 };

/* Debian and Alpine, its multi-arch folders, Fedora, older ones, openSUSE, Arch, built ones. */
static const char *const places[] = {
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",
    "/usr/lib/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/softhsm2/lib/softhsm/libsofthsm2.so",
};

/* Shared with the child that initialises the token. */
struct making {
    char module[P11PROF_PATH_BYTES];
    char so_pin[PIN_DIGITS + 1], pin[PIN_DIGITS + 1];
    const char *function; /* that failed, NULL: none did */
    CK_RV rv;
};

static enum p11prof_status softhsm_find(struct p11prof_bench_target *target,
                                        struct p11prof_error *error)
{
    char path[P11PROF_PATH_BYTES];
    const char *named = secure_getenv("P11PROF_SOFTHSM");
    if (named && *named)
        return p11prof_bench_module_take(target, named, error);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0 &&
            p11prof_bench_module_take(target, places[i], error) == P11PROF_OK)
            return P11PROF_OK;
    if (p11prof_bench_configured_module("libsofthsm2", path))
        return p11prof_bench_module_take(target, path, error);
    return p11prof_error_set(error, P11PROF_MISSING,
                             "no module is named, and SoftHSM, which would give a throw-away "
                             "token, is not installed: name one with --module, or `apt-get install "
                             "softhsm2`");
}

static enum p11prof_status conf_write(const struct p11prof_bench_target *target, const char *path,
                                      struct p11prof_error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = file >= 0 && dprintf(file,
                                        "directories.tokendir = %s/tokens\n"
                                        "objectstore.backend = file\nlog.level = ERROR\n",
                                        target->folder) > 0;
    if (file >= 0 && close(file) == 0 && written)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "cannot write %.300s: %s", path,
                             strerror(errno));
}

static enum p11prof_status folder_make(struct p11prof_bench_target *target,
                                       struct p11prof_error *error)
{
    char path[P11PROF_PATH_BYTES + 32];
    const char *parent = secure_getenv("TMPDIR");
    if (!parent || parent[0] != '/' || strpbrk(parent, "\r\n"))
        parent = "/tmp";
    int needed =
        snprintf(target->folder, sizeof target->folder, "%s/p11prof.softhsm.XXXXXX", parent);
    if (needed >= (int)sizeof target->folder || !mkdtemp(target->folder)) {
        target->folder[0] = '\0';
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "cannot make a folder for a throw-away token in %.200s: %s: set "
                                 "TMPDIR, or name a module with --module",
                                 parent, strerror(errno));
    }
    target->throw_away = true;
    snprintf(path, sizeof path, "%s/tokens", target->folder);
    if (mkdir(path, 0700) != 0)
        return p11prof_error_set(error, P11PROF_FAILED, "cannot make %.300s: %s", path,
                                 strerror(errno));
    snprintf(path, sizeof path, "%s/softhsm2.conf", target->folder);
    enum p11prof_status status = conf_write(target, path, error);
    if (status == P11PROF_OK && setenv("SOFTHSM2_CONF", path, 1) != 0)
        status = p11prof_error_set(error, P11PROF_FAILED, "SOFTHSM2_CONF: %s", strerror(errno));
    return status;
}

/* Notes a call that failed. */
static bool worked(struct making *making, const char *function, CK_RV rv)
{
    if (rv != CKR_OK) {
        making->function = function;
        making->rv = rv;
    }
    return rv == CKR_OK;
}

static void set_pins(struct making *making, CK_FUNCTION_LIST *module, CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session;
    CK_UTF8CHAR label[32], *so_pin = (CK_UTF8CHAR *)making->so_pin;
    memset(label, ' ', sizeof label);
    memcpy(label, P11PROF_BENCH_THROW_AWAY_LABEL, strlen(P11PROF_BENCH_THROW_AWAY_LABEL));
    if (worked(making, "C_InitToken", module->C_InitToken(slot, so_pin, PIN_DIGITS, label)) &&
        worked(making, "C_OpenSession",
               module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                     &session)) &&
        worked(making, "C_Login", module->C_Login(session, CKU_SO, so_pin, PIN_DIGITS)) &&
        worked(making, "C_InitPIN",
               module->C_InitPIN(session, (CK_UTF8CHAR *)making->pin, PIN_DIGITS)))
        worked(making, "C_CloseSession", module->C_CloseSession(session));
}

/* In the child. */
static void token_make(void *shared)
{
    struct making *making = shared;
    CK_SLOT_ID slot;
    CK_ULONG count = 1;
    p11_kit_be_quiet();
    CK_FUNCTION_LIST *module = p11_kit_module_load(making->module, P11_KIT_MODULE_UNMANAGED);
    if (!worked(making, "loading it", module ? CKR_OK : CKR_GENERAL_ERROR) ||
        !worked(making, "C_Initialize", module->C_Initialize(NULL)))
        return;
    if (worked(making, "C_GetSlotList", module->C_GetSlotList(CK_TRUE, &slot, &count)))
        set_pins(making, module, slot);
    module->C_Finalize(NULL);
}

static bool random_pin(char *pin)
{
    unsigned char bytes[RANDOM_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(pin + 2 * i, 3, "%02x", bytes[i]);
    explicit_bzero(bytes, sizeof bytes);
    return true;
}

static enum p11prof_status token_initialise(struct p11prof_bench_target *target,
                                            struct making *making, struct p11prof_error *error)
{
    char problem[128], unknown[19];
    memcpy(making->module, target->module, sizeof making->module);
    if (!random_pin(making->pin) || !random_pin(making->so_pin))
        return p11prof_error_set(error, P11PROF_FAILED, "no random numbers: %s", strerror(errno));
    if (!p11prof_bench_child_run(token_make, making, P11PROF_BENCH_MODULE_MS, problem,
                                 sizeof problem))
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "%.300s %s while a throw-away token was made", target->module,
                                 problem);
    if (making->function)
        return p11prof_error_set(
            error, P11PROF_FAILED, "%.200s: no throw-away token in %.200s: %s: %s", target->module,
            target->folder, making->function, p11prof_rv_text(making->rv, unknown));
    memcpy(target->pin, making->pin, PIN_DIGITS);
    target->pin_bytes = PIN_DIGITS;
    target->has_pin = true;
    return P11PROF_OK;
}

/* Until somebody takes them: what they end leaves its folder behind. */
static void signals_block(void)
{
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigprocmask(SIG_BLOCK, &ending, NULL);
}

enum p11prof_status p11prof_bench_throw_away_make(struct p11prof_bench_target *target,
                                                  struct p11prof_error *error)
{
    struct making *making = NULL;
    enum p11prof_status status = softhsm_find(target, error);
    signals_block();
    if (status == P11PROF_OK)
        status = folder_make(target, error);
    if (status != P11PROF_OK)
        return status;
    making = p11prof_bench_shared_new(sizeof *making);
    if (!making)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory: %s", strerror(errno));
    status = token_initialise(target, making, error);
    explicit_bzero(making, sizeof *making);
    p11prof_bench_shared_free(making, sizeof *making);
    return status;
}

/* Empties the folder behind the descriptor, which it closes. */
static void empty(int folder, int depth)
{
    DIR *entries = fdopendir(folder);
    if (!entries) {
        close(folder);
        return;
    }
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            unlinkat(folder, entry->d_name, 0) == 0)
            continue;
        int below = openat(folder, entry->d_name,
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (below >= 0 && depth < DEPTH_MAX)
            empty(below, depth + 1);
        else if (below >= 0)
            close(below);
        unlinkat(folder, entry->d_name, AT_REMOVEDIR);
    }
    closedir(entries);
}

void p11prof_bench_throw_away_remove(struct p11prof_bench_target *target)
{
    if (!target->throw_away)
        return;
    int folder = open(target->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0)
        empty(folder, 0);
    rmdir(target->folder);
    unsetenv("SOFTHSM2_CONF");
    target->throw_away = false;
    target->folder[0] = '\0';
}
