/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "target.h"

#include "login.h"
#include "pin.h"
#include "target_module.h"
#include "target_search.h"
#include "target_uri.h"
#include "throw_away.h"

#include <errno.h>
#include <string.h>

static enum p11prof_status nothing_named(struct p11prof_bench_target *target,
                                         const struct p11prof_bench_target_options *options,
                                         struct p11prof_error *error)
{
    if (options->has_slot || options->has_slot_index)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "a slot is of a module: name it with --module");
    if (options->pin || options->pin_source)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "a PIN is given, but no token: name it with --module, "
                                 "--token-label or --uri");
    return p11prof_bench_throw_away_make(target, error);
}

/* Takes --module or the module-path of a URI. */
static enum p11prof_status take_named(struct p11prof_bench_target *target, const char *option,
                                      const char *of_uri, struct p11prof_error *error)
{
    char named[P11PROF_PATH_BYTES];
    enum p11prof_status status = p11prof_bench_module_take(target, option ? option : of_uri, error);
    if (status != P11PROF_OK || !option || !of_uri)
        return status;
    memcpy(named, target->module, sizeof named);
    status = p11prof_bench_module_take(target, of_uri, error);
    if (status == P11PROF_OK && strcmp(named, target->module) != 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--module and the module-path of the URI are different modules: "
                                 "%.180s and %.180s",
                                 named, target->module);
    return status == P11PROF_OK ? p11prof_bench_module_take(target, option, error) : status;
}

static enum p11prof_status find_module(struct p11prof_bench_target *target,
                                       const struct p11prof_bench_target_options *options,
                                       struct p11prof_error *error)
{
    const char *of_uri = p11prof_bench_uri_module_path(target);
    if (!options->module && !of_uri)
        return p11prof_bench_search(target, error);
    return take_named(target, options->module, of_uri, error);
}

/* A token that is not there is described later, by who needs it. */
static enum p11prof_status ask_for_pin(struct p11prof_bench_target *target,
                                       struct p11prof_error *error)
{
    CK_TOKEN_INFO token;
    if (target->has_pin || !p11prof_bench_can_prompt() || !p11prof_bench_peek(target, &token))
        return P11PROF_OK;
    return p11prof_bench_pin_ask(target, &token, error);
}

static void take_key(struct p11prof_bench_target *target,
                     const struct p11prof_bench_target_options *options)
{
    const struct p11prof_bench_target *of = options->key_of;
    if (!of || options->key_uri)
        return;
    memcpy(target->key_label, of->key_label, sizeof target->key_label);
    memcpy(target->key_id, of->key_id, sizeof target->key_id);
    target->key_id_bytes = of->key_id_bytes;
}

static enum p11prof_status find(struct p11prof_bench_target *target,
                                const struct p11prof_bench_target_options *options,
                                struct p11prof_error *error)
{
    target->login_gate = p11prof_bench_login_gate_new();
    if (!target->login_gate)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory: %s", strerror(errno));
    take_key(target, options);
    enum p11prof_status status = p11prof_bench_uri_read(target, options, error);
    if (status == P11PROF_OK && !options->module && !target->uri)
        return nothing_named(target, options, error);
    if (status == P11PROF_OK)
        status = p11prof_bench_pin_take(target, options, error);
    if (status == P11PROF_OK)
        status = find_module(target, options, error);
    return status == P11PROF_OK ? ask_for_pin(target, error) : status;
}

enum p11prof_status p11prof_bench_target_find(struct p11prof_bench_target *out,
                                              const struct p11prof_bench_target_options *options,
                                              struct p11prof_error *error)
{
    *out = (struct p11prof_bench_target){.has_slot = options->has_slot,
                                         .slot = options->slot,
                                         .has_slot_index = options->has_slot_index,
                                         .slot_index = options->slot_index,
                                         .vs = options->vs};
    enum p11prof_status status = find(out, options, error);
    if (status != P11PROF_OK)
        p11prof_bench_target_clear(out);
    return status;
}

void p11prof_bench_target_clear(struct p11prof_bench_target *target)
{
    p11prof_bench_throw_away_remove(target);
    p11prof_bench_uri_free(target);
    p11prof_bench_login_gate_free(target->login_gate);
    explicit_bzero(target, sizeof *target);
}
