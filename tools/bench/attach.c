/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "attach.h"

#include <dlfcn.h>
#include <string.h>

enum p11prof_status attach_failed(struct p11prof_error *error, const char *function, CK_RV rv,
                                  const char *advice)
{
    char text[32];
    return p11prof_error_set(error, P11PROF_FAILED, "%s answered %s: %s", function,
                             p11prof_rv_text(rv, text), advice);
}

/* ISO C has no conversion between the pointers of objects and functions. */
static bool symbol_get(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* The list of a module that knows interfaces only begins as every list does. */
static CK_RV list_of_interface(void *handle, CK_FUNCTION_LIST **list)
{
    CK_RV (*get)(CK_UTF8CHAR *, CK_VERSION *, CK_INTERFACE **, CK_FLAGS);
    CK_INTERFACE *interface = NULL;
    CK_UTF8CHAR name[] = "PKCS 11";
    if (!symbol_get(handle, "C_GetInterface", &get))
        return CKR_FUNCTION_NOT_SUPPORTED;
    CK_RV rv = get(name, NULL, &interface, 0);
    if (rv == CKR_OK)
        *list = interface ? interface->pFunctionList : NULL;
    return rv;
}

static enum p11prof_status list_get(const char *path, void **handle, CK_FUNCTION_LIST **list,
                                    struct p11prof_error *error)
{
    CK_RV (*get)(CK_FUNCTION_LIST **);
    *list = NULL;
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!*handle)
        return p11prof_error_set(error, P11PROF_FAILED, "cannot load the module: %s", dlerror());
    bool has_list = symbol_get(*handle, "C_GetFunctionList", &get);
    CK_RV rv = has_list ? get(list) : list_of_interface(*handle, list);
    if (rv == CKR_OK && *list)
        return P11PROF_OK;
    if (rv == CKR_FUNCTION_NOT_SUPPORTED && !has_list)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%s is no PKCS#11 module: it exports neither C_GetFunctionList "
                                 "nor C_GetInterface",
                                 path);
    return attach_failed(error, has_list ? "C_GetFunctionList" : "C_GetInterface",
                         rv == CKR_OK ? CKR_GENERAL_ERROR : rv, path);
}

/* A list that the shim passes on as it is cannot be recorded. */
static void interfaces_match(struct attachment *out)
{
    bool recorded =
        out->timed_3.functions.C_EncryptMessage != out->raw_3.functions.C_EncryptMessage;
    unsigned since = out->timed_3.since < out->raw_3.since ? out->timed_3.since : out->raw_3.since;
    out->timed_3.since = out->raw_3.since = recorded ? since : 0;
}

enum p11prof_status attach(struct attachment *out, const char *shim, const char *module,
                           struct p11prof_error *error)
{
    void *handle;
    *out = (struct attachment){0};
    enum p11prof_status status = list_get(module, &handle, &out->raw, error);
    out->timed = out->raw;
    if (status != P11PROF_OK)
        return status;
    interface_get(&out->raw_3, handle, NULL);
    out->timed_3 = out->raw_3;
    if (!shim)
        return status;
    status = list_get(shim, &handle, &out->timed, error);
    if (status != P11PROF_OK)
        return status;
    interface_get(&out->timed_3, handle, &out->raw_3);
    interfaces_match(out);
    if (symbol_get(handle, P11PROF_LOAD_MARK_NAME, &out->recorder.mark) &&
        symbol_get(handle, P11PROF_LOAD_ROOM_NAME, &out->recorder.room) &&
        symbol_get(handle, P11PROF_LOAD_SUMMARY_NAME, &out->recorder.summary))
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED,
                             "%s is a shim of another version: install p11prof again", shim);
}
