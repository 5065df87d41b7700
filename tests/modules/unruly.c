/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Modules that nobody should load into a process of his own. UNRULY is what C_Initialize does:
 * crashes, fails, leaves a process behind, or ends the process. There are no slots. */
#include "p11prof/pkcs11.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define crashes (raise(SIGSEGV), CKR_OK)
#define fails   CKR_DEVICE_ERROR
#define forks   (fork() == 0 ? (CK_RV)(sleep(20), _exit(0), 0) : CKR_OK)
#define ends    (exit(0), CKR_OK)

static CK_RV initialize(void *args)
{
    (void)args;
    return UNRULY;
}

static CK_RV finalize(void *reserved)
{
    (void)reserved;
    return CKR_OK;
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    (void)present, (void)slots;
    *count = 0;
    return CKR_OK;
}

static CK_FUNCTION_LIST list = {
    .version = {2, 40},
    .C_Initialize = initialize,
    .C_Finalize = finalize,
    .C_GetSlotList = get_slot_list,
};

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    *out = &list;
    return CKR_OK;
}
