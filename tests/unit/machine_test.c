/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a machine says of itself, in folders that are made up. */
#include "store_fixture.h"

#include "bench/machine_readings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char hwmon[] = "sys/class/hwmon/hwmon", zone[] = "sys/class/thermal/thermal_zone",
                  cpu[] = "sys/devices/system/cpu/cpu";

/* A file below the test's folder, and the folders that it needs. */
static void put(const char *before, const char *after, const void *text, size_t bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", fixture_folder, before, after);
    for (char *slash = path + strlen(fixture_folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    fclose(file);
}

static void say(const char *before, const char *after, const char *text)
{
    put(before, after, text, strlen(text));
}

static void expect_celsius(double celsius)
{
    double found = machine_temperature_celsius(fixture_folder);
    if (fabs(found - celsius) > 1e-9 || isnan(found)) {
        fail_msg("%f, not %f", found, celsius);
    }
}

static void nothing_is_unknown(void **state)
{
    (void)state;
    assert_true(isnan(machine_temperature_celsius(fixture_folder)));
    assert_int_equal(machine_frequency_hz(fixture_folder), -1);
    assert_int_equal(machine_rss_bytes(fixture_folder, 1), -1);
    assert_int_equal(machine_cpu_read(fixture_folder).all, 0);
}

static void the_hottest_sensor_counts(void **state)
{
    (void)state;
    say(zone, "0/temp", "-12500\n");
    expect_celsius(-12.5);
    say(hwmon, "0/temp1_input", "-5000");
    expect_celsius(-5);
    say(zone, "1/temp", "41000\n");
    say(hwmon, "3/temp12_input", "61500\n");
    say(hwmon, "3/temp12_crit", "99000\n");
    say(hwmon, "3/fan1_input", "99000\n");
    expect_celsius(61.5);
}

static void garbage_is_no_temperature(void **state)
{
    (void)state;
    char zeros[4096] = {0};
    say(hwmon, "0/temp1_input", "");
    say(hwmon, "0/temp2_input", "hot\n");
    say(hwmon, "0/temp3_input", "50000 or so\n");
    say(hwmon, "0/temp4_input", "-273150\n");
    say(hwmon, "0/temp5_input", "255000\n");
    say(hwmon, "0/temp6_input", "99999999999999999999999999999999999999\n");
    say(hwmon, "0/temp7_input", "\x1B[31m61000\n");
    put(hwmon, "0/temp8_input", zeros, sizeof zeros);
    mkdir(fixture_path("sys/class/hwmon/hwmon0/temp9_input"), 0700);
    assert_int_equal(symlink("nowhere", fixture_path("sys/class/hwmon/hwmon0/temp10_input")), 0);
    assert_true(isnan(machine_temperature_celsius(fixture_folder)));
    say(hwmon, "1/temp1_input", "30000\n");
    expect_celsius(30);
}

static void frequencies_are_averaged(void **state)
{
    (void)state;
    say(cpu, "0/cpufreq/scaling_cur_freq", "1000000\n");
    say(cpu, "1/cpufreq/scaling_cur_freq", "3000000\n");
    say(cpu, "2/cpufreq/scaling_cur_freq", "<unknown>\n");
    say(cpu, "3/cpufreq/scaling_cur_freq", "0\n");
    say(cpu, "10/cpufreq/scaling_cur_freq", "-1\n");
    assert_int_equal(machine_frequency_hz(fixture_folder), 2000000000);
}

static struct machine_cpu cpu_of(const char *line)
{
    say("proc/stat", "", line);
    return machine_cpu_read(fixture_folder);
}

static void processors_are_busy(void **state)
{
    (void)state;
    struct machine_cpu first = cpu_of("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n");
    struct machine_cpu last = cpu_of("cpu  130 5 60 840 60 2 3 50 30 0\ncpu0 1 2 3\n");
    struct machine_cpu_shares shares = machine_cpu_between(&first, &last);
    assert_true(fabs(shares.busy - 50.0 / 150) < 1e-12);
    assert_true(fabs(shares.steal - 50.0 / 150) < 1e-12);
    shares = machine_cpu_between(&first, &first);
    assert_true(shares.busy < 0 && shares.steal < 0);
    shares = machine_cpu_between(&last, &first);
    assert_true(shares.busy < 0 && shares.steal < 0);
    last = cpu_of("cpu  90 0 50 900 50 0 0 0 0 0\n"); /* a counter that goes back */
    shares = machine_cpu_between(&first, &last);
    assert_true(shares.busy == 0 && shares.steal == 0);
    last = cpu_of("cpu  100 0 50\n");
    assert_int_equal(last.all, 0);
    shares = machine_cpu_between(&first, &last);
    assert_true(shares.busy < 0);
    assert_int_equal(cpu_of("intr 1 2 3 4 5 6 7 8 9\n").all, 0);
}

static void shared_memory_is_left_out(void **state)
{
    (void)state;
    say("proc/7", "/status",
        "Name:\tVmRSS: 5 kB\nVmHWM:\t  9000 kB\nVmRSS:\t    5000 kB\nRssAnon:\t 3000 kB\n"
        "RssFile:\t 1000 kB\nRssShmem:\t    1000 kB\n");
    assert_int_equal(machine_rss_bytes(fixture_folder, 7), 4000 * 1024);
    say("proc/8", "/status", "VmRSS:\t    5000 kB\n");
    assert_int_equal(machine_rss_bytes(fixture_folder, 8), 5000 * 1024);
    say("proc/9", "/status", "Name:\tkthreadd\n");
    assert_int_equal(machine_rss_bytes(fixture_folder, 9), -1);
    say("proc/10", "/status", "VmRSS:\tmuch\nRssShmem:\t-3 kB\n");
    assert_int_equal(machine_rss_bytes(fixture_folder, 10), -1);
    say("proc/11", "/status", "VmRSS:\t10 kB\nRssShmem:\t30 kB\n");
    assert_int_equal(machine_rss_bytes(fixture_folder, 11), 0);
}

static void this_machine_has_some(void **state)
{
    (void)state;
    assert_true(machine_cpu_read("").all > 0);
    assert_true(machine_rss_bytes("", getpid()) > 100000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_unknown),        TEST(the_hottest_sensor_counts),
        TEST(garbage_is_no_temperature), TEST(frequencies_are_averaged),
        TEST(processors_are_busy),       TEST(shared_memory_is_left_out),
        TEST(this_machine_has_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
