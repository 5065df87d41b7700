/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Loops over the arguments of a call, for test modules. */
#ifndef P11PROF_TESTS_WORDS_H
#define P11PROF_TESTS_WORDS_H

#define EACH_1(do_it, x)                                   do_it(x)
#define EACH_2(do_it, x, ...)                              do_it(x), EACH_1(do_it, __VA_ARGS__)
#define EACH_3(do_it, x, ...)                              do_it(x), EACH_2(do_it, __VA_ARGS__)
#define EACH_4(do_it, x, ...)                              do_it(x), EACH_3(do_it, __VA_ARGS__)
#define EACH_5(do_it, x, ...)                              do_it(x), EACH_4(do_it, __VA_ARGS__)
#define EACH_6(do_it, x, ...)                              do_it(x), EACH_5(do_it, __VA_ARGS__)
#define EACH_7(do_it, x, ...)                              do_it(x), EACH_6(do_it, __VA_ARGS__)
#define EACH_8(do_it, x, ...)                              do_it(x), EACH_7(do_it, __VA_ARGS__)
#define EACH_9(do_it, x, ...)                              do_it(x), EACH_8(do_it, __VA_ARGS__)
#define EACH_10(do_it, x, ...)                             do_it(x), EACH_9(do_it, __VA_ARGS__)
#define EACH_PICK(a, b, c, d, e, f, g, h, i, j, each, ...) each
/* do_it(x) for each of up to ten, with commas between. */
#define EACH(do_it, ...)                                                                           \
    EACH_PICK(__VA_ARGS__, EACH_10, EACH_9, EACH_8, EACH_7, EACH_6, EACH_5, EACH_4, EACH_3,        \
              EACH_2, EACH_1, )                                                                    \
    (do_it, __VA_ARGS__)

#define UNPACK(...) __VA_ARGS__

#endif
