/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which module a bench takes: --module, a shim's, or a configured one with the named token. */
#include "bench_fixture.h"

#include <time.h>

#define SHIM FOLDER "/shim.so"

/* p11-kit's configuration: one module of that name. */
static void configure(const char *name, const char *module, const char *more)
{
    char path[512], text[1024];
    snprintf(path, sizeof path, MODULES "/%s.module", name);
    snprintf(text, sizeof text, "module: %s\n%s", module, more);
    put(path, text);
}

/* A SoftHSM of two tokens, "one" and "two". */
static void make_tokens(void)
{
    need_softhsm();
    put(FOLDER "/softhsm2.conf", "directories.tokendir = " FOLDER "/tokens\n"
                                 "objectstore.backend = file\nlog.level = ERROR\n");
    setenv("SOFTHSM2_CONF", FOLDER "/softhsm2.conf", 1);
    run("mkdir " FOLDER "/tokens");
    for (int i = 0; i < 2; i++)
        run("softhsm2-util --init-token --free --label %s --so-pin 12345678 --pin 1234 >/dev/null",
            i ? "two" : "one");
}

static void a_named_module_is_taken(void **state)
{
    (void)state;
    finds(OPTIONS(.module = P11PROF_TEST_NULL), P11PROF_TEST_NULL);
    assert_string_equal(target.shim, "");
    assert_false(target.throw_away);
    put(FOLDER "/text.so", "no module\n");
    fails(OPTIONS(.module = FOLDER "/text.so"), P11PROF_BAD_INPUT, "no shared library");
    fails(OPTIONS(.module = "missing.so"), P11PROF_MISSING, "module missing.so: No such file");
    finds(OPTIONS(.uri = "pkcs11:?module-path=" P11PROF_TEST_NULL), P11PROF_TEST_NULL);
    fails(OPTIONS(.uri = "pkcs11:?module-path=" P11PROF_TEST_NULL, .module = P11PROF_TEST_SHIM),
          P11PROF_BAD_INPUT, "p11prof's shim");
    fails(OPTIONS(.uri = "pkcs11:?module-path=" P11PROF_TEST_NULL, .module = P11PROF_TEST_FAILS),
          P11PROF_BAD_INPUT, "different modules");
}

static void a_shim_gives_its_module(void **state)
{
    (void)state;
    run("cp %s " SHIM, P11PROF_TEST_SHIM);
    fails(OPTIONS(.module = SHIM), P11PROF_BAD_INPUT, "name no module");
    put(FOLDER "/shim.conf", "module = " P11PROF_TEST_NULL "\n");
    finds(OPTIONS(.module = SHIM), P11PROF_TEST_NULL);
    assert_string_equal(target.shim, SHIM);
    put(FOLDER "/shim.conf", "module = " SHIM "\n");
    fails(OPTIONS(.module = SHIM), P11PROF_BAD_INPUT, "and so is the module");
    put(FOLDER "/shim.conf", "module = /missing.so\n");
    fails(OPTIONS(.module = SHIM), P11PROF_MISSING, "module /missing.so");
}

static void a_label_or_uri_finds_the_module(void **state)
{
    (void)state;
    make_tokens();
    configure("a", SOFTHSM, "");
    configure("b", P11PROF_TEST_NULL, "");
    configure("c", P11PROF_TEST_FAILS, "critical: no\n");
    configure("d", "/missing.so", "critical: no\n");
    setenv("TEST_PIN", "1234", 1);
    finds(OPTIONS(.token_label = "two", .pin_source = "env:TEST_PIN"), SOFTHSM);
    works_with("two ");
    finds(OPTIONS(.key_uri = "pkcs11:token=one;object=a?pin-source=env:TEST_PIN"), SOFTHSM);
    works_with("one ");
    finds(OPTIONS(.uri = "pkcs11:model=null"), P11PROF_TEST_NULL);
    finds(OPTIONS(.uri = "pkcs11:?module-name=null"), P11PROF_TEST_NULL);
    finds(OPTIONS(.token_label = "one", .uri = "pkcs11:?module-name=softhsm2"), SOFTHSM);
    fails(OPTIONS(.token_label = "three"), P11PROF_BAD_INPUT, "\"test token\" (serial 1) in ");
    fails(OPTIONS(.uri = "pkcs11:model=SoftHSM%20v2"), P11PROF_BAD_INPUT, "2 tokens fit");
    assert_non_null(strstr(error.text, "\"one\" (serial "));
    assert_non_null(strstr(error.text, "\"two\" (serial "));
    assert_non_null(strstr(error.text, "/libsofthsm2.so"));
    fails(OPTIONS(.uri = "pkcs11:model=null", .token_label = "one"), P11PROF_BAD_INPUT,
          "no module that p11-kit has configured");
}

static void a_shim_and_its_module_are_one(void **state)
{
    (void)state;
    run("cp %s " SHIM, P11PROF_TEST_SHIM);
    put(FOLDER "/shim.conf", "module = " P11PROF_TEST_NULL "\n");
    configure("a", SHIM, "");
    configure("b", P11PROF_TEST_NULL, "");
    finds(OPTIONS(.token_label = "test token"), P11PROF_TEST_NULL);
    run("rmdir " FOLDER "/spool && ! test -e " FOLDER "/db"); /* the search is not recorded */
}

static void a_trust_module_is_passed_over(void **state)
{
    (void)state;
    configure("a", P11PROF_TEST_NULL, "trust-policy: yes\n");
    fails(OPTIONS(.token_label = "test token"), P11PROF_BAD_INPUT, "there is no other one");
}

static void a_crash_is_named(void **state)
{
    (void)state;
    configure("a", P11PROF_TEST_CRASHES, "");
    configure("b", P11PROF_TEST_NULL, "");
    fails(OPTIONS(.token_label = "test token"), P11PROF_FAILED, P11PROF_TEST_CRASHES " crashed (");
    configure("a", P11PROF_TEST_ENDS, "");
    fails(OPTIONS(.token_label = "test token"), P11PROF_FAILED,
          P11PROF_TEST_ENDS " ended its process");
    configure("a", "/missing.so", "critical: yes\n");
    fails(OPTIONS(.token_label = "test token"), P11PROF_FAILED, "p11-kit: ");
    finds(OPTIONS(.module = P11PROF_TEST_CRASHES), P11PROF_TEST_CRASHES); /* not loaded here */
}

static void what_a_module_forks_is_not_awaited(void **state)
{
    (void)state;
    time_t start_s = time(NULL);
    configure("a", P11PROF_TEST_FORKS, "");
    configure("b", P11PROF_TEST_NULL, "");
    finds(OPTIONS(.token_label = "test token"), P11PROF_TEST_NULL);
    assert_true(time(NULL) - start_s < 10);
}

static void bad_options_are_named(void **state)
{
    (void)state;
    fails(OPTIONS(.uri = "pkcs12:token=a"), P11PROF_BAD_INPUT, "--uri is no URI of RFC 7512");
    fails(OPTIONS(.uri = "pkcs11:token=%zz?pin-value=7777"), P11PROF_BAD_INPUT, "encoding");
    assert_null(strstr(error.text, "7777"));
    fails(OPTIONS(.key_uri = "pkcs11:tok en"), P11PROF_BAD_INPUT, "--key-uri is no URI");
    fails(OPTIONS(.uri = "pkcs11:colour=red"), P11PROF_BAD_INPUT, "attribute");
    fails(OPTIONS(.key_uri = "pkcs11:token=a"), P11PROF_BAD_INPUT, "object=LABEL");
    fails(OPTIONS(.key_uri = "pkcs11:object=a;type=cert"), P11PROF_BAD_INPUT, "secret-key");
    fails(OPTIONS(.uri = "pkcs11:token=a", .key_uri = "pkcs11:token=b;object=c"), P11PROF_BAD_INPUT,
          "different tokens");
    fails(OPTIONS(.uri = "pkcs11:token=a", .token_label = "b"), P11PROF_BAD_INPUT,
          "different tokens");
    fails(OPTIONS(.token_label = "a label of more than 32 bytes, which none is"), P11PROF_BAD_INPUT,
          "at most 32 bytes");
    fails(OPTIONS(.has_slot = true), P11PROF_BAD_INPUT, "--module");
    fails(OPTIONS(.pin = "1234"), P11PROF_BAD_INPUT, "--module");
}

static void a_key_uri_names_the_key(void **state)
{
    (void)state;
    finds(OPTIONS(.module = P11PROF_TEST_NULL,
                  .key_uri = "pkcs11:object=my%20key;id=%01%ab;type=private"),
          P11PROF_TEST_NULL);
    assert_string_equal(target.key_label, "my key");
    assert_int_equal(target.key_id_bytes, 2);
    assert_memory_equal(target.key_id, "\001\253", 2);
    finds(OPTIONS(.module = P11PROF_TEST_NULL, .key_uri = "pkcs11:id=%02"), P11PROF_TEST_NULL);
    assert_string_equal(target.key_label, "");
    assert_int_equal(target.key_id_bytes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_named_module_is_taken),
        TEST(a_shim_gives_its_module),
        TEST(a_label_or_uri_finds_the_module),
        TEST(a_shim_and_its_module_are_one),
        TEST(a_trust_module_is_passed_over),
        TEST(a_crash_is_named),
        TEST(what_a_module_forks_is_not_awaited),
        TEST(bad_options_are_named),
        TEST(a_key_uri_names_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
