/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* C11 atomics, told to helgrind, which takes them for plain reads and writes. Included before every
 * source of the build `races` (P11PROF_HELGRIND), in no other.
 *
 * An atomic object is not checked itself: no order of accesses to it is a race. What is checked is
 * everything else, with the order that the memory model gives and no more: a release is ordered
 * before each acquire of the same object, relaxed accesses order nothing. So a field that is
 * published by a store that should have been a release is reported. */
#ifndef P11PROF_TESTS_HELGRIND_ATOMICS_H
#define P11PROF_TESTS_HELGRIND_ATOMICS_H

#ifndef __cplusplus
#include <stdatomic.h>
#include <valgrind/helgrind.h>

#pragma GCC diagnostic ignored "-Wshadow" /* one access in the arguments of another */

#define HG_VALUE(object)   __typeof__((void)0, *(object))
#define HG_ACQUIRES(order) ((order) != __ATOMIC_RELAXED && (order) != __ATOMIC_RELEASE)
#define HG_RELEASES(order) ((order) == __ATOMIC_RELEASE || (order) >= __ATOMIC_ACQ_REL)

/* Before and after an access; `object` is a pointer that was evaluated once. */
#define HG_BEFORE(object, order)                                                                   \
    do {                                                                                           \
        VALGRIND_HG_DISABLE_CHECKING((object), sizeof *(object));                                  \
        if (HG_RELEASES(order))                                                                    \
            ANNOTATE_HAPPENS_BEFORE(object);                                                       \
    } while (0)
#define HG_AFTER(object, order)                                                                    \
    do {                                                                                           \
        if (HG_ACQUIRES(order))                                                                    \
            ANNOTATE_HAPPENS_AFTER(object);                                                        \
    } while (0)

#define HG_LOAD(pointer, order)                                                                    \
    __extension__({                                                                                \
        __auto_type hg_object = (pointer);                                                         \
        HG_BEFORE(hg_object, __ATOMIC_RELAXED);                                                    \
        HG_VALUE(hg_object) hg_value;                                                              \
        __atomic_load(hg_object, &hg_value, (order));                                              \
        HG_AFTER(hg_object, (order));                                                              \
        hg_value;                                                                                  \
    })
#define HG_STORE(pointer, value, order)                                                            \
    __extension__({                                                                                \
        __auto_type hg_object = (pointer);                                                         \
        HG_VALUE(hg_object) hg_value = (value);                                                    \
        HG_BEFORE(hg_object, (order));                                                             \
        __atomic_store(hg_object, &hg_value, (order));                                             \
    })
#define HG_CHANGE(change, pointer, value, order)                                                   \
    __extension__({                                                                                \
        __auto_type hg_object = (pointer);                                                         \
        HG_BEFORE(hg_object, (order));                                                             \
        HG_VALUE(hg_object) hg_value = change(hg_object, (value), (order));                        \
        HG_AFTER(hg_object, (order));                                                              \
        hg_value;                                                                                  \
    })
/* One that fails releases nothing; telling so too early orders less strictly than is true only for
 * what was written before it, which a later release of the same thread orders as well. */
#define HG_COMPARE(weak, pointer, expected, value, order, fail_order)                              \
    __extension__({                                                                                \
        __auto_type hg_object = (pointer);                                                         \
        HG_VALUE(hg_object) hg_value = (value);                                                    \
        HG_BEFORE(hg_object, (order));                                                             \
        bool hg_same = __atomic_compare_exchange(hg_object, (expected), &hg_value, (weak),         \
                                                 (order), (fail_order));                           \
        if (hg_same)                                                                               \
            HG_AFTER(hg_object, (order));                                                          \
        else                                                                                       \
            HG_AFTER(hg_object, (fail_order));                                                     \
        hg_same;                                                                                   \
    })

#include <stdbool.h>

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#define atomic_load(object)                         HG_LOAD(object, __ATOMIC_SEQ_CST)
#define atomic_load_explicit(object, order)         HG_LOAD(object, order)
#define atomic_store(object, value)                 HG_STORE(object, value, __ATOMIC_SEQ_CST)
#define atomic_store_explicit(object, value, order) HG_STORE(object, value, order)
#define atomic_exchange(object, value)                                                             \
    HG_CHANGE(__atomic_exchange_n, object, value, __ATOMIC_SEQ_CST)
#define atomic_exchange_explicit(object, value, order)                                             \
    HG_CHANGE(__atomic_exchange_n, object, value, order)
#define atomic_fetch_add(object, value)                                                            \
    HG_CHANGE(__atomic_fetch_add, object, value, __ATOMIC_SEQ_CST)
#define atomic_fetch_add_explicit(object, value, order)                                            \
    HG_CHANGE(__atomic_fetch_add, object, value, order)
#define atomic_fetch_sub(object, value)                                                            \
    HG_CHANGE(__atomic_fetch_sub, object, value, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub_explicit(object, value, order)                                            \
    HG_CHANGE(__atomic_fetch_sub, object, value, order)
#define atomic_compare_exchange_strong(object, expected, value)                                    \
    HG_COMPARE(0, object, expected, value, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_strong_explicit(object, expected, value, order, fail_order)        \
    HG_COMPARE(0, object, expected, value, order, fail_order)
#define atomic_compare_exchange_weak(object, expected, value)                                      \
    HG_COMPARE(1, object, expected, value, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#endif

#endif
