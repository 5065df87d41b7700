/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The statistics of bench --vs on windows that tests/bench/compare measured: SoftHSM against
 * itself, against 10 % and against 3 % longer calls. What the benchmark asks for is asked for here.
 */
#include "report/paired.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAIRS_MOST = 240 };

/* How the comparisons of one kind end. */
struct tally {
    unsigned comparisons, verdicts[P11PROF_PAIRED_VERDICTS];
};

static void judge(struct tally *tally, const struct p11prof_pair *pairs, size_t count,
                  double threshold)
{
    struct p11prof_paired_test test = {.pairs = pairs, .pair_count = count};
    if (count == 0)
        return;
    p11prof_paired_compare(&test, 1, threshold);
    tally->comparisons++;
    tally->verdicts[test.verdict]++;
}

/* All comparisons called `what`, in the order of the file. */
static struct tally judge_all(const char *what, double threshold)
{
    struct p11prof_pair pairs[PAIRS_MOST], pair;
    struct tally tally = {.comparisons = 0};
    size_t count = 0;
    unsigned comparison, last = 0;
    char line[160], name[16];
    FILE *file = fopen(P11PROF_TEST_DATA "/paired-windows.csv", "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file)) {
        assert_int_equal(sscanf(line, "%15[^,],%u,%lu,%lu,%lu,%lu", name, &comparison,
                                &pair.base_count, &pair.base_ns, &pair.current_count,
                                &pair.current_ns),
                         6);
        if (strcmp(name, what) != 0)
            continue;
        if (comparison != last) {
            judge(&tally, pairs, count, threshold);
            count = 0;
        }
        last = comparison;
        assert_true(count < PAIRS_MOST);
        pairs[count++] = pair;
    }
    fclose(file);
    judge(&tally, pairs, count, threshold);
    print_message("%s: %u comparisons: %u regressed, %u improved, %u same, %u unclear\n", what,
                  tally.comparisons, tally.verdicts[P11PROF_PAIRED_REGRESSED],
                  tally.verdicts[P11PROF_PAIRED_IMPROVED], tally.verdicts[P11PROF_PAIRED_SAME],
                  tally.verdicts[P11PROF_PAIRED_UNCLEAR]);
    return tally;
}

static void equal_sides_are_seldom_told_apart(void **state)
{
    (void)state;
    struct tally tally = judge_all("same", 0);
    assert_int_equal(tally.comparisons, 50);
    assert_true(
        tally.verdicts[P11PROF_PAIRED_REGRESSED] + tally.verdicts[P11PROF_PAIRED_IMPROVED] <= 7);
}

static void ten_percent_are_found(void **state)
{
    (void)state;
    struct tally tally = judge_all("slow", 0.05);
    assert_int_equal(tally.comparisons, 50);
    assert_true(tally.verdicts[P11PROF_PAIRED_REGRESSED] >= 47);
}

static void three_percent_are_found_with_more_pairs(void **state)
{
    (void)state;
    struct tally tally = judge_all("close", 0.01);
    assert_int_equal(tally.comparisons, 20);
    assert_true(tally.verdicts[P11PROF_PAIRED_REGRESSED] >= 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_sides_are_seldom_told_apart),
        cmocka_unit_test(ten_percent_are_found),
        cmocka_unit_test(three_percent_are_found_with_more_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
