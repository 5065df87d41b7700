/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "target_search.h"

#include "child.h"
#include "target_module.h"
#include "target_uri.h"
#include "token_list.h"

#include <errno.h>
#include <p11-kit/p11-kit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 32 };

struct seen {
    char module[P11PROF_PATH_BYTES]; /* as p11-kit has it: may be a shim */
    char real[P11PROF_PATH_BYTES];
    CK_SLOT_ID slot_id;
    CK_TOKEN_INFO token;
};

struct seen_list {
    unsigned count; /* may be more than there are entries */
    struct seen entries[SEEN_MAX];
};

/* Shared with the child. */
struct search {
    const struct p11prof_bench_target *target; /* NULL: only the file is looked for */
    const char *file_name;
    char at[P11PROF_PATH_BYTES]; /* the module whose code runs; "": that of any */
    char problem[256];           /* why no module could be loaded */
    struct seen_list hits, others;
};

static const char *file_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void add(struct search *search, struct seen_list *list, CK_SLOT_ID slot_id,
                const CK_TOKEN_INFO *token)
{
    if (list->count < SEEN_MAX) {
        struct seen *seen = &list->entries[list->count];
        memcpy(seen->module, search->at, sizeof seen->module);
        seen->slot_id = slot_id;
        seen->token = *token;
    }
    list->count++;
}

static void visit(void *payload, const struct p11prof_bench_token *token)
{
    struct search *search = payload;
    if (p11prof_bench_token_is_initialised(token))
        add(search, token->fits ? &search->hits : &search->others, token->slot_id, &token->info);
}

static void look_into(struct search *search, CK_FUNCTION_LIST *module)
{
    struct p11prof_error error;
    if (p11_kit_module_initialize(module) != CKR_OK)
        return;
    p11prof_bench_tokens_each(search->target, module, visit, search, &error);
    p11_kit_module_finalize(module);
}

/* module-name of RFC 7512: p11-kit's name of the module, or "NAME" of libNAME.so and NAME.so. */
static bool is_named(const char *wanted, CK_FUNCTION_LIST *module, const char *path)
{
    const char *file = file_part(path);
    size_t bytes = strlen(wanted);
    char *name = p11_kit_module_get_name(module);
    bool fits = name && strcmp(name, wanted) == 0;
    free(name);
    if (strncmp(file, "lib", 3) == 0 && strncmp(wanted, "lib", 3) != 0)
        file += 3;
    return fits || (strncmp(file, wanted, bytes) == 0 && (!file[bytes] || file[bytes] == '.'));
}

/* p11-kit's proxy shows the tokens of the others again; a trust module has none that works. */
static bool has_tokens(CK_FUNCTION_LIST *module, const char *path)
{
    char *trust = p11_kit_config_option(module, "trust-policy");
    bool is_trust = trust && strcmp(trust, "yes") == 0;
    free(trust);
    return !is_trust && strncmp(file_part(path), "p11-kit-proxy", 13) != 0;
}

static void consider(struct search *search, CK_FUNCTION_LIST *module)
{
    static const CK_TOKEN_INFO no_token;
    char *path = p11_kit_module_get_filename(module);
    if (!path || strlen(path) >= sizeof search->at)
        goto out;
    memcpy(search->at, path, strlen(path) + 1);
    if (!search->target) {
        if (strncmp(file_part(path), search->file_name, strlen(search->file_name)) == 0)
            add(search, &search->hits, 0, &no_token);
    } else if (has_tokens(module, path)) {
        const char *wanted = p11prof_bench_uri_module_name(search->target);
        if (!wanted || is_named(wanted, module, path))
            look_into(search, module);
    }
out:
    free(path);
}

/* In the child. */
static void search_configured(void *shared)
{
    struct search *search = shared;
    p11_kit_be_quiet();
    setenv("P11PROF_RECORD", "off", 1);
    CK_FUNCTION_LIST **modules = p11_kit_modules_load(NULL, P11_KIT_MODULE_UNMANAGED);
    const char *message = modules ? NULL : p11_kit_message();
    if (!modules)
        snprintf(search->problem, sizeof search->problem, "%s",
                 message ? message : "p11-kit's modules cannot be loaded");
    for (size_t i = 0; modules && modules[i]; i++)
        consider(search, modules[i]);
}

/* In the child. */
static void search_one(void *shared)
{
    struct search *search = shared;
    p11_kit_be_quiet();
    CK_FUNCTION_LIST *module =
        p11_kit_module_load(search->target->module, P11_KIT_MODULE_UNMANAGED);
    if (module)
        look_into(search, module);
}

static enum p11prof_status failure(const struct search *search, const char *problem,
                                   struct p11prof_error *error)
{
    if (search->at[0])
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "p11-kit's module %.300s %s while its tokens were looked up: name "
                                 "the token's module with --module",
                                 search->at, problem);
    return p11prof_error_set(error, P11PROF_FAILED,
                             "a module that p11-kit has configured %s while it was loaded: name "
                             "the token's module with --module",
                             problem);
}

/* False: it was there under another name, or it is a shim that would not find its module. */
static bool is_new(struct seen_list *list, unsigned index)
{
    struct p11prof_bench_target found;
    struct p11prof_error error;
    struct seen *seen = &list->entries[index];
    if (p11prof_bench_module_take(&found, seen->module, &error) != P11PROF_OK)
        return false;
    memcpy(seen->real, found.module, sizeof seen->real);
    for (unsigned i = 0; i < index; i++)
        if (strcmp(list->entries[i].real, seen->real) == 0 &&
            list->entries[i].slot_id == seen->slot_id)
            return false;
    return true;
}

/* Returns the last one. */
static const struct seen *list_tokens(struct seen_list *list, struct p11prof_bench_listing *listing)
{
    const struct seen *last = NULL;
    for (unsigned i = 0; i < list->count && i < SEEN_MAX; i++)
        if (is_new(list, i)) {
            last = &list->entries[i];
            p11prof_bench_listing_add(listing, last->real, last->slot_id, &last->token);
        }
    return last;
}

static enum p11prof_status choose(struct p11prof_bench_target *target, struct search *search,
                                  struct p11prof_error *error)
{
    struct p11prof_bench_listing hits = {.used = 0}, others = {.used = 0};
    const struct seen *hit = list_tokens(&search->hits, &hits);
    if (hits.count == 1)
        return p11prof_bench_module_take(target, hit->module, error);
    if (hits.count > 1)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%u tokens fit: choose one with --module or serial= in --uri: %s",
                                 hits.count, p11prof_bench_listing_text(&hits));
    list_tokens(&search->others, &others);
    return p11prof_error_set(
        error, P11PROF_BAD_INPUT,
        "no module that p11-kit has configured has this token: name its module "
        "with --module; there is %s",
        others.count ? p11prof_bench_listing_text(&others) : "no other one");
}

enum p11prof_status p11prof_bench_search(struct p11prof_bench_target *target,
                                         struct p11prof_error *error)
{
    enum p11prof_status status;
    char problem[128];
    struct search *search = p11prof_bench_shared_new(sizeof *search);
    if (!search)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory: %s", strerror(errno));
    search->target = target;
    if (!p11prof_bench_child_run(search_configured, search, P11PROF_BENCH_MODULE_MS, problem,
                                 sizeof problem))
        status = failure(search, problem, error);
    else if (search->problem[0])
        status = p11prof_error_set(error, P11PROF_FAILED,
                                   "p11-kit: %s: name a module with --module", search->problem);
    else
        status = choose(target, search, error);
    p11prof_bench_shared_free(search, sizeof *search);
    return status;
}

bool p11prof_bench_peek(const struct p11prof_bench_target *target, CK_TOKEN_INFO *token)
{
    char problem[128];
    struct search *search = p11prof_bench_shared_new(sizeof *search);
    if (!search)
        return false;
    search->target = target;
    bool found = p11prof_bench_child_run(search_one, search, P11PROF_BENCH_MODULE_MS, problem,
                                         sizeof problem) &&
                 search->hits.count == 1;
    if (found)
        *token = search->hits.entries[0].token;
    p11prof_bench_shared_free(search, sizeof *search);
    return found;
}

bool p11prof_bench_configured_module(const char *name, char path[P11PROF_PATH_BYTES])
{
    char problem[128];
    struct search *search = p11prof_bench_shared_new(sizeof *search);
    if (!search)
        return false;
    search->file_name = name;
    p11prof_bench_child_run(search_configured, search, P11PROF_BENCH_MODULE_MS, problem,
                            sizeof problem);
    bool found = search->hits.count > 0;
    if (found)
        memcpy(path, search->hits.entries[0].module, P11PROF_PATH_BYTES);
    p11prof_bench_shared_free(search, sizeof *search);
    return found;
}
