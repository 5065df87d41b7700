/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "upstream.h"

#include "facts.h"
#include "say.h"

#include <dlfcn.h>
#include <link.h>
#include <sched.h>
#include <string.h>

/* Where a loaded object lies. */
struct image {
    uintptr_t start, end;
};

static struct image own_image;    /* this shim */
static struct image module_image; /* the real module, without what it links to */
static void *module_handle;

static const char *const names[P11PROF_CALLS + 1] = {
#define CALL(number, name, ...) [number] = #name,
#include "p11prof/calls.def"
#undef CALL
};

static bool image_holds(const struct image *image, const void *address)
{
    return (uintptr_t)address >= image->start && (uintptr_t)address < image->end;
}

struct image_search {
    const void *address;
    struct image found;
};

static int image_visit(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    struct image_search *search = data;
    struct image image = {UINTPTR_MAX, 0};
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD)
            continue;
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (start < image.start)
            image.start = start;
        if (start + header->p_memsz > image.end)
            image.end = start + header->p_memsz;
    }
    if (!image_holds(&image, search->address))
        return 0;
    search->found = image;
    return 1;
}

static struct image image_of(const void *address)
{
    struct image_search search = {.address = address};
    dl_iterate_phdr(image_visit, &search);
    return search.found;
}

/* --- slots of a list, by their number --- */

static void *slot_get(const void *list, unsigned number)
{
    void *function;
    memcpy(&function, (const char *)list + number * sizeof function, sizeof function);
    return function;
}

static void slot_set(struct p11prof_function_list *list, unsigned number, void *function)
{
    memcpy((char *)list + number * sizeof function, &function, sizeof function);
}

/* --- loading --- */

/* The function that the module itself exports by that name; NULL if it has none. dlsym() also finds
 * those of the libraries it links to, and dladdr() tells which. */
static void *own_symbol(const char *name, const char **elsewhere)
{
    void *symbol = dlsym(module_handle, name);
    if (!symbol || image_holds(&module_image, symbol))
        return symbol;
    Dl_info info;
    if (elsewhere)
        *elsewhere = dladdr(symbol, &info) ? info.dli_fname : "an unknown place";
    return NULL;
}

static bool entry_point(unsigned number)
{
    return number == P11PROF_C_GetFunctionList || number == P11PROF_C_GetInterfaceList ||
           number == P11PROF_C_GetInterface;
}

static void plain_names_fill(void)
{
    struct p11prof_function_list *plain = &p11prof_upstream[P11PROF_SET_PLAIN];
    for (unsigned number = 1; number <= P11PROF_CALLS; number++) {
        void *function = own_symbol(names[number], NULL);
        if (!function)
            function = slot_get(entry_point(number) ? &p11prof_unsupported : &p11prof_late, number);
        slot_set(plain, number, function);
    }
}

static enum p11prof_status module_check(const char *path, struct p11prof_error *error)
{
    const char *elsewhere = NULL;
    if (module_image.start == own_image.start)
        return p11prof_error_set(error, P11PROF_REFUSED,
                                 "module %s is p11prof's own shim: set P11PROF_MODULE to the real "
                                 "module",
                                 path);
    if (own_symbol("C_GetFunctionList", &elsewhere) || own_symbol("C_GetInterface", &elsewhere))
        return P11PROF_OK;
    if (elsewhere)
        return p11prof_error_set(error, P11PROF_REFUSED,
                                 "%s is no PKCS#11 module: its C_GetFunctionList is that of %s, "
                                 "which it links to",
                                 path, elsewhere);
    return p11prof_error_set(error, P11PROF_REFUSED,
                             "%s is no PKCS#11 module: it exports neither C_GetFunctionList nor "
                             "C_GetInterface",
                             path);
}

enum p11prof_status p11prof_upstream_load(const char *module_path, struct p11prof_error *error)
{
    struct link_map *map;
    if (!module_path[0])
        return p11prof_error_set(error, P11PROF_MISSING,
                                 "no real module is configured: set P11PROF_MODULE to its absolute "
                                 "path");
    if (module_path[0] != '/')
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "module %s is no absolute path: set P11PROF_MODULE to one",
                                 module_path);
    own_image = image_of(&own_image);
    void *handle = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
        return p11prof_error_set(error, P11PROF_FAILED, "cannot load the real module: %s",
                                 dlerror());
    module_handle = handle;
    module_image = image_of(map->l_ld);
    enum p11prof_status status = module_check(module_path, error);
    if (status == P11PROF_OK)
        plain_names_fill();
    dlerror(); /* names that were not found are not the application's business */
    return status;
}

/* --- lists --- */

unsigned p11prof_upstream_list_calls(CK_VERSION version)
{
    bool short_list = version.major < 2 || (version.major == 2 && version.minor < 1);
    return short_list ? P11PROF_CALLS_2_00 : P11PROF_CALLS_2_40;
}

unsigned p11prof_upstream_interface_calls(CK_VERSION version)
{
    if (version.major < 3)
        return p11prof_upstream_list_calls(version);
    return version.major == 3 && version.minor < 2 ? P11PROF_CALLS_3_0 : P11PROF_CALLS_3_2;
}

/* A module whose references to its own C_* were bound to our exported ones: the one it means. */
static void *repaired(unsigned number, void *function)
{
    if (!image_holds(&own_image, function))
        return function;
    void *own = own_symbol(names[number], NULL);
    if (own)
        return own;
    p11prof_say(LOG_ERR, "the module's %s leads back into p11prof and it exports none",
                names[number]);
    return slot_get(&p11prof_unsupported, number);
}

/* What of a list is kept: its version and functions, stubs where it has none. */
static void content_take(struct p11prof_function_list *content, const void *list,
                         unsigned call_count)
{
    memcpy(content, &p11prof_unsupported, sizeof *content);
    memcpy(&content->version, list, sizeof content->version);
    for (unsigned number = 1; number <= call_count; number++) {
        void *function = slot_get(list, number);
        if (function)
            slot_set(content, number, repaired(number, function));
    }
}

enum { SET_FREE, SET_FILLING, SET_READY };
static _Atomic(int) set_states[P11PROF_SETS];

/* Whether this set now is the content's. A set that another thread is filling is waited for, but
 * not for ever: that thread may be the one that our signal handler interrupted. */
static bool set_claim(unsigned set, const struct p11prof_function_list *content)
{
    int state = SET_FREE;
    if (atomic_compare_exchange_strong(&set_states[set], &state, SET_FILLING)) {
        memcpy(&p11prof_upstream[set], content, sizeof *content);
        p11prof_tables[set].version = content->version;
        atomic_store(&set_states[set], SET_READY);
        return true;
    }
    for (int i = 0; i < 1000 && atomic_load(&set_states[set]) == SET_FILLING; i++)
        sched_yield();
    return atomic_load(&set_states[set]) == SET_READY &&
           memcmp(&p11prof_upstream[set], content, sizeof *content) == 0;
}

void *p11prof_upstream_wrap(void *list, unsigned call_count)
{
    static _Atomic(bool) said;
    struct p11prof_function_list content;
    if (image_holds(&own_image, list) || !p11prof_readable(list, (1 + call_count) * sizeof(void *)))
        return list;
    content_take(&content, list, call_count);
    for (unsigned set = P11PROF_SET_PLAIN + 1; set < P11PROF_SETS; set++)
        if (set_claim(set, &content))
            return &p11prof_tables[set];
    if (!atomic_exchange(&said, true))
        p11prof_say(LOG_WARNING,
                    "the module has more than %d function lists: the others are not recorded",
                    P11PROF_SETS - 1);
    return list;
}
