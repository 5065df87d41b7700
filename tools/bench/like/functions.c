/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "functions.h"

#include "../attach.h"
#include "p11prof/load.h"

#include <dlfcn.h>
#include <string.h>

/* ISO C has no conversion between the pointers of objects and functions. */
static bool symbol_get(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void *slot_of(struct p11prof_function_list *list, unsigned number)
{
    return (char *)list + number * sizeof(void *);
}

like_function like_function_get(const struct p11prof_function_list *list, unsigned number)
{
    like_function function;
    memcpy(&function, (const char *)list + number * sizeof(void *), sizeof function);
    return function;
}

static unsigned known_count(const CK_VERSION *version)
{
    if (version->major < 3)
        return version->major == 2 && version->minor == 0 ? P11PROF_CALLS_2_00 : P11PROF_CALLS_2_40;
    return version->major == 3 && version->minor < 2 ? P11PROF_CALLS_3_0 : P11PROF_CALLS_3_2;
}

/* Interfaces of 3.0 and later have functions that the list of C_GetFunctionList has not. */
static void interface_add(struct p11prof_function_list *out, void *handle)
{
    CK_RV (*get)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS);
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_INTERFACE *interface = NULL;
    CK_VERSION version;
    if (!symbol_get(handle, "C_GetInterface", &get) || get(name, NULL, &interface, 0) != CKR_OK ||
        !interface || !interface->pFunctionList)
        return;
    memcpy(&version, interface->pFunctionList, sizeof version);
    for (unsigned number = P11PROF_CALLS_2_40 + 1; number <= known_count(&version); number++)
        memcpy(slot_of(out, number),
               (const char *)interface->pFunctionList + number * sizeof(void *), sizeof(void *));
}

enum p11prof_status like_module_load(struct p11prof_function_list *out, const char *path,
                                     struct p11prof_error *error)
{
    struct attachment attachment;
    enum p11prof_status status = attach(&attachment, NULL, path, error);
    *out = (struct p11prof_function_list){.version = {2, 40}};
    if (status != P11PROF_OK)
        return status;
    unsigned count = known_count(&attachment.raw->version);
    memcpy(out, attachment.raw,
           (1 + (count < P11PROF_CALLS_2_40 ? count : P11PROF_CALLS_2_40)) * sizeof(void *));
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle)
        interface_add(out, handle);
    return P11PROF_OK;
}

enum p11prof_status like_shim_load(struct p11prof_function_list *out, uint64_t (**room)(void),
                                   const char *path, struct p11prof_error *error)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *out = (struct p11prof_function_list){.version = {2, 40}};
    if (!handle)
        return p11prof_error_set(error, P11PROF_FAILED, "cannot load the shim: %s", dlerror());
    for (unsigned number = 1; number <= P11PROF_CALLS; number++)
        symbol_get(handle, p11prof_calls[number].name, slot_of(out, number));
    if (symbol_get(handle, P11PROF_LOAD_ROOM_NAME, room))
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED,
                             "%s is a shim of another version: install p11prof again", path);
}
