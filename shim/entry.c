/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The five functions written by hand: those that start and end the module, and those that hand out
 * lists, which get the module's answer with our tables in it. A result goes through a pointer of
 * our own: the caller's is never read, the module's memory never written. */
#include "facts.h"
#include "say.h"
#include "upstream.h"

#include <sched.h>

/* What a result pointer of ours holds until the module writes it. */
static char untouched;

static const char standard_name[] = "PKCS 11";

/* --- circles --- */

/* Modules that lead back to us, through another shim for one: what a thread is nested in. */
enum { NESTED_MOST = 32 };
static __thread struct {
    uintptr_t outermost; /* on the stack */
    unsigned count;
} nested __attribute__((tls_model("initial-exec")));

/* False: this call is one too many. A frame above the outermost: that one was left by longjmp. */
static bool nest(const struct p11prof_frame *frame)
{
    static _Atomic(bool) said;
    if ((uintptr_t)frame >= nested.outermost)
        nested.count = 0;
    if (nested.count == 0)
        nested.outermost = (uintptr_t)frame;
    if (nested.count++ < NESTED_MOST)
        return true;
    nested.count--;
    if (!atomic_exchange(&said, true))
        p11prof_say(LOG_ERR, "the real module leads back to this shim: its calls never end");
    return false;
}

static void unnest(void)
{
    if (nested.count > 0)
        nested.count--;
}

/* --- starting and ending --- */

CK_RV p11prof_entry_C_Initialize(unsigned set, void *caller, CK_VOID_PTR pInitArgs)
{
    p11prof_shim_load();
    struct p11prof_frame frame;
    if (!nest(&frame))
        return CKR_GENERAL_ERROR;
    p11prof_frame_begin(&frame, P11PROF_C_Initialize, caller);
    CK_RV rv = p11prof_upstream[set].C_Initialize(pInitArgs);
    unnest();
    if (p11prof_frame_end(&frame))
        p11prof_frame_record(&frame, rv, P11PROF_NO_SESSION, 0, 0, 0, 0);
    bool readable = p11prof_readable(pInitArgs, sizeof(CK_C_INITIALIZE_ARGS));
    p11prof_process_initialized(readable ? pInitArgs : NULL, rv);
    return rv;
}

CK_RV p11prof_entry_C_Finalize(unsigned set, void *caller, CK_VOID_PTR pReserved)
{
    p11prof_shim_load();
    struct p11prof_frame frame;
    if (!nest(&frame))
        return CKR_GENERAL_ERROR;
    p11prof_frame_begin(&frame, P11PROF_C_Finalize, caller);
    CK_RV rv = p11prof_upstream[set].C_Finalize(pReserved);
    unnest();
    if (p11prof_frame_end(&frame))
        p11prof_frame_record(&frame, rv, P11PROF_NO_SESSION, 0, 0, 0, 0);
    p11prof_process_finalized(rv);
    return rv;
}

/* --- interfaces --- */

/* Ours that were handed out: they live as long as the process. Never changed once they are ready.
 */
enum { INTERFACES = 16, FREE = 0, FILLING, READY };
static CK_INTERFACE interfaces[INTERFACES];
static _Atomic(int) interface_states[INTERFACES];

static bool interface_claim(unsigned i, const CK_INTERFACE *wanted)
{
    int state = FREE;
    if (atomic_compare_exchange_strong(&interface_states[i], &state, FILLING)) {
        interfaces[i] = *wanted;
        atomic_store(&interface_states[i], READY);
        return true;
    }
    for (int round = 0; round < 1000 && atomic_load(&interface_states[i]) == FILLING; round++)
        sched_yield();
    return atomic_load(&interface_states[i]) == READY &&
           interfaces[i].pInterfaceName == wanted->pInterfaceName &&
           interfaces[i].pFunctionList == wanted->pFunctionList &&
           interfaces[i].flags == wanted->flags;
}

/* NULL if there is no room. A module may answer with the caller's own name, each time another one:
 * half of the room is for interfaces under the name that we have of them, "PKCS 11". */
static CK_INTERFACE_PTR interface_keep(const CK_INTERFACE *wanted)
{
    CK_INTERFACE own = *wanted;
    for (unsigned i = 0; i < INTERFACES; i++) {
        if (i == INTERFACES / 2)
            own.pInterfaceName = (CK_UTF8CHAR *)standard_name;
        if (interface_claim(i, &own))
            return &interfaces[i];
    }
    return NULL;
}

static bool is_standard_name(const CK_UTF8CHAR *name)
{
    return p11prof_readable(name, sizeof standard_name) &&
           memcmp(name, standard_name, sizeof standard_name) == 0;
}

/* The list to hand out with an interface: ours where it is a standard one. */
static void *interface_list(const CK_INTERFACE *interface)
{
    CK_VERSION version;
    if (!is_standard_name(interface->pInterfaceName) ||
        !p11prof_readable(interface->pFunctionList, sizeof version))
        return interface->pFunctionList;
    memcpy(&version, interface->pFunctionList, sizeof version);
    return p11prof_upstream_wrap(interface->pFunctionList,
                                 p11prof_upstream_interface_calls(version));
}

static CK_INTERFACE_PTR interface_wrap(CK_INTERFACE_PTR real)
{
    CK_INTERFACE own;
    if (!p11prof_readable(real, sizeof own))
        return real;
    memcpy(&own, real, sizeof own);
    void *list = interface_list(&own);
    if (list == own.pFunctionList)
        return real;
    own.pFunctionList = list;
    CK_INTERFACE_PTR kept = interface_keep(&own);
    return kept ? kept : real;
}

/* --- lists, asked of the module without being asked to --- */

static void *list_wrap(void *list)
{
    CK_VERSION version;
    if (!p11prof_readable(list, sizeof version))
        return list;
    memcpy(&version, list, sizeof version);
    return p11prof_upstream_wrap(list, p11prof_upstream_list_calls(version));
}

/* Our table for the list of C_GetFunctionList; NULL: it has none. */
static CK_FUNCTION_LIST_PTR module_list(unsigned set)
{
    CK_FUNCTION_LIST_PTR list = NULL;
    CK_RV rv = p11prof_upstream[set].C_GetFunctionList(&list);
    return rv == CKR_OK && list ? list_wrap(list) : NULL;
}

/* Our table for the list of its default standard interface; NULL: it has none. */
static CK_FUNCTION_LIST_PTR module_interface_list(unsigned set)
{
    CK_INTERFACE_PTR interface = NULL;
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_RV rv = p11prof_upstream[set].C_GetInterface(name, NULL, &interface, 0);
    if (rv != CKR_OK || !p11prof_readable(interface, sizeof *interface))
        return NULL;
    return interface_list(interface);
}

const struct p11prof_function_list *p11prof_upstream_late(unsigned since)
{
    static _Atomic(const struct p11prof_function_list *) found[2];
    bool needs_3_0 = since >= 300;
    const struct p11prof_function_list *functions = atomic_load(&found[needs_3_0]);
    if (functions)
        return functions;
    const void *table = needs_3_0 ? NULL : module_list(P11PROF_SET_PLAIN);
    if (!table)
        table = module_interface_list(P11PROF_SET_PLAIN);
    for (unsigned set = 0; set < P11PROF_SETS; set++)
        if (table == &p11prof_tables[set])
            functions = &p11prof_upstream[set];
    atomic_store(&found[needs_3_0], functions);
    return functions ? functions : &p11prof_unsupported;
}

/* Over a module that knows no interfaces: its list, as the one interface "PKCS 11". */
static CK_INTERFACE_PTR interface_made_up(unsigned set)
{
    CK_INTERFACE own = {.pInterfaceName = (CK_UTF8CHAR *)standard_name};
    own.pFunctionList = module_list(set);
    return own.pFunctionList ? interface_keep(&own) : NULL;
}

static bool interface_matches(const CK_INTERFACE *interface, const CK_UTF8CHAR *name,
                              const CK_VERSION *version, CK_FLAGS flags)
{
    if (flags || (name && !is_standard_name(name)))
        return false;
    return !version || (p11prof_readable(version, sizeof *version) &&
                        memcmp(version, interface->pFunctionList, sizeof *version) == 0);
}

/* --- entry points --- */

static bool has_list(unsigned set)
{
    return p11prof_upstream[set].C_GetFunctionList != p11prof_unsupported.C_GetFunctionList;
}

static bool has_interfaces(unsigned set)
{
    return p11prof_upstream[set].C_GetInterface != p11prof_unsupported.C_GetInterface;
}

/* C_GetFunctionList over a module that has interfaces only: every list begins as a 2.x list. */
static CK_RV list_made_up(unsigned set, CK_FUNCTION_LIST_PTR *list)
{
    CK_FUNCTION_LIST_PTR own = list ? module_interface_list(set) : NULL;
    if (!own)
        return list ? CKR_FUNCTION_NOT_SUPPORTED : CKR_ARGUMENTS_BAD;
    *list = own;
    return CKR_OK;
}

CK_RV p11prof_entry_C_GetFunctionList(unsigned set, void *caller,
                                      CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
    p11prof_shim_load();
    struct p11prof_frame frame;
    CK_FUNCTION_LIST_PTR list = (void *)&untouched;
    if (!nest(&frame))
        return CKR_GENERAL_ERROR;
    p11prof_frame_begin(&frame, P11PROF_C_GetFunctionList, caller);
    CK_RV rv = p11prof_upstream[set].C_GetFunctionList(ppFunctionList ? &list : NULL);
    unnest();
    bool record = p11prof_frame_end(&frame);
    if (rv == CKR_FUNCTION_NOT_SUPPORTED && !has_list(set))
        rv = list_made_up(set, ppFunctionList ? &list : NULL);
    else if (rv == CKR_OK && (void *)list != &untouched)
        list = list_wrap(list);
    if ((void *)list != &untouched)
        *ppFunctionList = list;
    if (record)
        p11prof_frame_record(&frame, rv, P11PROF_NO_SESSION, 0, 0, 0, 0);
    return rv;
}

/* The answer of a module that knows interfaces, or made up for one that does not. */
static CK_RV interface_answer(unsigned set, CK_RV rv, CK_UTF8CHAR_PTR name, CK_VERSION_PTR version,
                              CK_FLAGS flags, CK_INTERFACE_PTR *result)
{
    bool none = (void *)*result == &untouched || !*result;
    if (rv == CKR_OK && !none)
        *result = interface_wrap(*result);
    if (rv != CKR_FUNCTION_NOT_SUPPORTED && (rv != CKR_OK || !none))
        return rv;
    CK_INTERFACE_PTR own = interface_made_up(set);
    if (!own)
        return rv;
    /* Applications know CKR_FUNCTION_NOT_SUPPORTED as "ask C_GetFunctionList": it stays. */
    if (!interface_matches(own, name, version, flags))
        return rv != CKR_OK && has_interfaces(set) ? rv : CKR_ARGUMENTS_BAD;
    *result = own;
    return CKR_OK;
}

CK_RV p11prof_entry_C_GetInterface(unsigned set, void *caller, CK_UTF8CHAR_PTR pInterfaceName,
                                   CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface,
                                   CK_FLAGS flags)
{
    p11prof_shim_load();
    struct p11prof_frame frame;
    CK_INTERFACE_PTR result = (void *)&untouched;
    if (!nest(&frame))
        return CKR_GENERAL_ERROR;
    p11prof_frame_begin(&frame, P11PROF_C_GetInterface, caller);
    CK_RV rv = p11prof_upstream[set].C_GetInterface(pInterfaceName, pVersion,
                                                    ppInterface ? &result : NULL, flags);
    unnest();
    bool record = p11prof_frame_end(&frame);
    if (ppInterface)
        rv = interface_answer(set, rv, pInterfaceName, pVersion, flags, &result);
    else if (rv == CKR_FUNCTION_NOT_SUPPORTED && !has_interfaces(set))
        rv = CKR_ARGUMENTS_BAD;
    if ((void *)result != &untouched)
        *ppInterface = result;
    if (record)
        p11prof_frame_record(&frame, rv, P11PROF_NO_SESSION, flags, 0, 0, 0);
    return rv;
}

/* C_GetInterfaceList over a module that knows no interfaces. */
static CK_RV interfaces_made_up(unsigned set, CK_INTERFACE_PTR list, CK_ULONG_PTR count)
{
    CK_INTERFACE_PTR own = count ? interface_made_up(set) : NULL;
    if (!own)
        return count ? CKR_FUNCTION_NOT_SUPPORTED : CKR_ARGUMENTS_BAD;
    CK_ULONG room = list ? *count : 1;
    *count = 1;
    if (room < 1)
        return CKR_BUFFER_TOO_SMALL;
    if (list)
        *list = *own;
    return CKR_OK;
}

/* In the caller's own array, which the module has just filled. */
static void interfaces_replace(CK_INTERFACE_PTR list, uint64_t count)
{
    if (count > 4096 || !p11prof_readable(list, count * sizeof *list))
        return;
    for (uint64_t i = 0; i < count; i++) {
        void *own = interface_list(&list[i]);
        if (own != list[i].pFunctionList)
            list[i].pFunctionList = own;
    }
}

CK_RV p11prof_entry_C_GetInterfaceList(unsigned set, void *caller, CK_INTERFACE_PTR pInterfacesList,
                                       CK_ULONG_PTR pulCount)
{
    p11prof_shim_load();
    struct p11prof_frame frame;
    if (!nest(&frame))
        return CKR_GENERAL_ERROR;
    p11prof_frame_begin(&frame, P11PROF_C_GetInterfaceList, caller);
    CK_RV rv = p11prof_upstream[set].C_GetInterfaceList(pInterfacesList, pulCount);
    unnest();
    bool record = p11prof_frame_end(&frame);
    if (rv == CKR_FUNCTION_NOT_SUPPORTED)
        rv = interfaces_made_up(set, pInterfacesList, pulCount);
    else if (rv == CKR_OK && pInterfacesList)
        interfaces_replace(pInterfacesList, LENGTH(pulCount));
    if (record)
        p11prof_frame_record(&frame, rv, P11PROF_NO_SESSION, LENGTH(pulCount), 0, 0,
                             QUERY(pInterfacesList, pulCount));
    return rv;
}
