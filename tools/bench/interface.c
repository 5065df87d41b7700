/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "interface.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

typedef CK_RV (*get_function)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS);

static const char standard_name[] = "PKCS 11";

/* --- functions that are not there --- */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define CALL(number, name, since, operation, role, parameters, ...)                                \
    static CK_RV unsupported_##name parameters                                                     \
    {                                                                                              \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                         \
    }
#include "p11prof/calls.def"
#undef CALL
#pragma GCC diagnostic pop

static const struct p11prof_function_list unsupported = {
#define CALL(number, name, ...) .name = unsupported_##name,
#include "p11prof/calls.def"
#undef CALL
};

/* --- asking --- */

/* dlsym() also finds what libraries export that the module links to. */
static get_function own_get(void *handle)
{
    struct link_map *own, *found;
    Dl_info info;
    get_function get;
    void *symbol = dlsym(handle, "C_GetInterface");
    if (!symbol || dlinfo(handle, RTLD_DI_LINKMAP, &own) != 0 ||
        dladdr1(symbol, &info, (void **)&found, RTLD_DL_LINKMAP) == 0 || own != found)
        return NULL;
    memcpy(&get, &symbol, sizeof get);
    return get;
}

/* Copies memory of this process that need not be there; a sandbox that forbids to ask is no reason
 * to have no interface. */
static bool copy(void *to, const void *from, size_t bytes)
{
    struct iovec local = {to, bytes}, remote = {(void *)(uintptr_t)from, bytes};
    ssize_t count = from ? process_vm_readv(getpid(), &local, 1, &remote, 1, 0) : 0;
    if (count >= 0 || errno == EFAULT)
        return count == (ssize_t)bytes;
    memcpy(to, from, bytes);
    return true;
}

static unsigned since_of(CK_VERSION version)
{
    if (version.major < 3)
        return 0;
    return version.major == 3 && version.minor < 2 ? 300 : 302;
}

/* The list up to that version; what it leaves out is unsupported. */
static bool list_take(struct interface *out, const void *list, unsigned since)
{
    void *slots[1 + P11PROF_CALLS] = {0};
    size_t count = 1 + (since >= 302 ? P11PROF_CALLS_3_2 : P11PROF_CALLS_3_0);
    if (!copy(slots, list, count * sizeof *slots))
        return false;
    out->since = since;
    out->functions = unsupported;
    for (size_t i = 1; i < count; i++)
        if (slots[i])
            memcpy((char *)&out->functions + i * sizeof *slots, &slots[i], sizeof *slots);
    return true;
}

static bool interface_take(struct interface *out, const CK_INTERFACE *answer)
{
    CK_INTERFACE interface;
    CK_VERSION version;
    char name[sizeof standard_name];
    if (!copy(&interface, answer, sizeof interface) ||
        !copy(name, interface.pInterfaceName, sizeof name) ||
        memcmp(name, standard_name, sizeof name) != 0 ||
        !copy(&version, interface.pFunctionList, sizeof version) || since_of(version) == 0)
        return false;
    return list_take(out, interface.pFunctionList, since_of(version)) ||
           list_take(out, interface.pFunctionList, 300);
}

static bool ask(struct interface *out, get_function get, CK_VERSION wanted)
{
    CK_INTERFACE *answer = NULL;
    CK_UTF8CHAR name[sizeof standard_name];
    memcpy(name, standard_name, sizeof name);
    out->wanted = wanted;
    return get(name, wanted.major ? &wanted : NULL, &answer, 0) == CKR_OK &&
           interface_take(out, answer);
}

void interface_get(struct interface *out, void *handle, const struct interface *like)
{
    static const CK_VERSION versions[] = {{3, 2}, {3, 1}, {3, 0}, {0, 0}};
    get_function get = own_get(handle);
    *out = (struct interface){.functions = unsupported};
    if (!get || (like && like->since == 0))
        return;
    if (like) {
        ask(out, get, like->wanted);
        return;
    }
    for (unsigned i = 0; i < sizeof versions / sizeof *versions; i++)
        if (ask(out, get, versions[i]))
            return;
}
