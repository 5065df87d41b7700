/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the audit library makes of tables of symbols that the dynamic loader takes. */
#include "audit/exports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* A library of two symbols, f and g, with both tables; "h" is of the bucket that they are in. */
struct library {
    ElfW(Dyn) dynamic[5];
    ElfW(Sym) symbols[3];
    char names[8];
    struct {
        uint32_t bucket_count, symbol_count, buckets[1], chains[3];
    } hash;
    struct {
        uint32_t bucket_count, first, bloom_words, shift;
        ElfW(Addr) bloom[1];
        uint32_t buckets[1], chains[2];
    } gnu_hash;
};

static uint32_t gnu_hash_of(char letter)
{
    return 5381 * 33 + (unsigned char)letter;
}

/* base: what is taken off the addresses, for the loader to put on again. */
static void library_make(struct library *out, ElfW(Sxword) tag, ElfW(Addr) base)
{
    const void *table = tag == DT_HASH ? (const void *)&out->hash : &out->gnu_hash;
    *out = (struct library){
        .dynamic = {{DT_SYMTAB, {(ElfW(Addr))out->symbols - base}},
                    {DT_STRTAB, {(ElfW(Addr))out->names - base}},
                    {tag, {(ElfW(Addr))table - base}},
                    {DT_NULL, {0}}},
        .symbols = {{.st_name = 0}, {.st_name = 1, .st_shndx = 1}, {.st_name = 3, .st_shndx = 1}},
        .names = "\0f\0g",
        .hash = {1, 3, {1}, {0, 2, 0}},
        .gnu_hash = {
            1, 1, 1, 6, {~(ElfW(Addr))0}, {1}, {gnu_hash_of('f') & ~1U, gnu_hash_of('g') | 1}}};
}

static void expect_f_and_g(const struct library *library, ElfW(Addr) load_address)
{
    const struct link_map map = {.l_addr = load_address, .l_ld = (ElfW(Dyn) *)library->dynamic};
    assert_true(p11prof_exports(&map, "f"));
    assert_true(p11prof_exports(&map, "g"));
    assert_false(p11prof_exports(&map, "h"));
}

static void is_found_wherever_it_was_loaded(void **state)
{
    (void)state;
    static struct library library;
    static const ElfW(Sxword) tags[] = {DT_HASH, DT_GNU_HASH};
    for (size_t i = 0; i < 2; i++) {
        ElfW(Addr) here = (ElfW(Addr)) & library;
        library_make(&library, tags[i], 0);
        expect_f_and_g(&library, here);
        expect_f_and_g(&library, 0);
        expect_f_and_g(&library, here - ((ElfW(Addr))0xFFFF << 8 * (sizeof(ElfW(Addr)) - 3)));
        library_make(&library, tags[i], here); /* its tables were left as they are in the file */
        expect_f_and_g(&library, here);
    }
}

static void the_number_of_symbols_may_be_anything(void **state)
{
    (void)state;
    static struct library library;
    library_make(&library, DT_HASH, 0);
    library.hash.symbol_count = UINT32_MAX;
    expect_f_and_g(&library, 0);
    library.hash.symbol_count = 0;
    expect_f_and_g(&library, 0);
}

static void tables_may_be_empty(void **state)
{
    (void)state;
    static struct library library;
    const struct link_map map = {.l_ld = library.dynamic};
    library_make(&library, DT_HASH, 0);
    library.hash.bucket_count = 0;
    assert_false(p11prof_exports(&map, "f"));
    library_make(&library, DT_GNU_HASH, 0);
    library.gnu_hash.bucket_count = 0;
    assert_false(p11prof_exports(&map, "f"));
}

/* Its chain has no end. */
static void what_the_filter_refuses_is_not_looked_for(void **state)
{
    (void)state;
    static struct library library;
    const struct link_map map = {.l_ld = library.dynamic};
    library_make(&library, DT_GNU_HASH, 0);
    library.gnu_hash.bloom[0] = 0;
    library.gnu_hash.buckets[0] = UINT32_MAX;
    assert_false(p11prof_exports(&map, "f"));
}

static void a_library_without_a_table_exports_nothing(void **state)
{
    (void)state;
    static struct library library;
    const struct link_map map = {.l_ld = library.dynamic}, none = {.l_ld = NULL};
    library_make(&library, DT_NULL, 0);
    assert_false(p11prof_exports(&map, "f"));
    assert_false(p11prof_exports(&none, "f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_found_wherever_it_was_loaded),
        cmocka_unit_test(the_number_of_symbols_may_be_anything),
        cmocka_unit_test(tables_may_be_empty),
        cmocka_unit_test(what_the_filter_refuses_is_not_looked_for),
        cmocka_unit_test(a_library_without_a_table_exports_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
