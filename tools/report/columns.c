/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "columns.h"

#include <string.h>

#define TEXT(name, heading, meaning)                                                               \
    {                                                                                              \
        name, heading, P11PROF_UNIT_NONE, P11PROF_TYPE_TEXT, meaning                               \
    }
#define ID(name, heading, meaning)                                                                 \
    {                                                                                              \
        name, heading, P11PROF_UNIT_NUMBER, P11PROF_TYPE_INTEGER, meaning                          \
    }
#define COUNT(name, heading, meaning)                                                              \
    {                                                                                              \
        name, heading, P11PROF_UNIT_COUNT, P11PROF_TYPE_INTEGER, meaning                           \
    }
#define NS(name, heading, meaning)                                                                 \
    {                                                                                              \
        name, heading, P11PROF_UNIT_NS, P11PROF_TYPE_INTEGER, meaning                              \
    }
#define MOMENT(name, heading, meaning)                                                             \
    {                                                                                              \
        name, heading, P11PROF_UNIT_MOMENT, P11PROF_TYPE_INTEGER, meaning                          \
    }
#define SHARE(name, heading, meaning)                                                              \
    {                                                                                              \
        name, heading, P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL, meaning                              \
    }
#define BYTES(name, heading, meaning)                                                              \
    {                                                                                              \
        name, heading, P11PROF_UNIT_BYTES, P11PROF_TYPE_INTEGER, meaning                           \
    }

static const struct p11prof_column columns[] = {
    /* runs and processes */
    ID("run_id", "RUN", "number of the run in this database"),
    TEXT("uuid", "UUID", "identity of the run across databases"),
    TEXT("kind", "KIND",
         "of a run: profile, bench; of a call: call, size-query, too-small, blocking"),
    TEXT("name", "NAME", "given by P11PROF_NAME, --name or a test"),
    TEXT("state", "STATE", "running, finished, interrupted, failed or recovered"),
    TEXT("started_at", "STARTED", "UTC"),
    NS("duration_ns", "DURATION", "from start to end"),
    TEXT("host", "HOST", "host name"),
    TEXT("user", "USER", "who ran it"),
    TEXT("program", "PROGRAM", "file name of the program"),
    TEXT("library", "LIBRARY", "the module's CK_INFO"),
    TEXT("cryptoki_version", "CRYPTOKI", "version of PKCS#11 that the module gave"),
    TEXT("token_label", "TOKEN", "label of the most used token"),
    TEXT("token_model", "MODEL", "its model"),
    TEXT("token_serial", "SERIAL", "its serial number"),
    TEXT("token_firmware", "FIRMWARE", "its firmware version"),
    TEXT("os", "OS", "operating system"),
    TEXT("kernel", "KERNEL", "its kernel"),
    TEXT("cpu", "CPU", "processor"),
    COUNT("cpu_count", "CPUS", "processors"),
    BYTES("memory_bytes", "MEMORY", "of the host"),
    TEXT("governor", "GOVERNOR", "of the processor's frequency"),
    TEXT("clock", "CLOCK", "tsc or monotonic"),
    TEXT("tool_version", "P11PROF", "version that recorded it"),
    {"options", "OPTIONS", P11PROF_UNIT_NONE, P11PROF_TYPE_JSON, "of the command that started it"},
    COUNT("process_count", "PROCESSES", "processes of the run"),
    COUNT("call_count", "CALLS", "calls, kept or lost"),
    COUNT("lost_count", "LOST", "calls that were counted only"),
    ID("process_id", "PROCESS", "number of the process in this database"),
    ID("parent_process_id", "PARENT", "the process that forked it"),
    ID("pid", "PID", "process id of the system"),
    TEXT("module_path", "MODULE", "the real module"),
    NS("overhead_ns", "OVERHEAD", "part of each duration that is the measuring itself"),

    /* what rows are grouped by */
    TEXT("function", "FUNCTION", "the C_* function"),
    TEXT("operation", "OPERATION", "what an Init…Final or a one-shot call does"),
    TEXT("mechanism", "MECHANISM", "of the operation the call belongs to"),
    TEXT("key_type", "KEY TYPE", "of the key in use"),
    ID("key_bits", "BITS",
       "its size; of ML-DSA and ML-KEM the parameter set (65, 768), of SLH-DSA its CKP_ number"),
    ID("key_id", "KEY", "our number of the key in its process"),
    TEXT("minute", "MINUTE", "of the start, UTC"),
    TEXT("hour", "HOUR", "of the start, UTC"),
    TEXT("day", "DAY", "of the start, UTC"),
    TEXT("caller", "CALLER", "where the call came from: file:function+offset, file+offset or file"),
    TEXT("caller_file", "LIBRARY", "file that the call came from"),
    ID("thread_id", "THREAD", "kernel thread id"),
    ID("session", "SESSION", "session handle"),
    ID("slot_id", "SLOT", "slot"),
    TEXT("rv", "RESULT", "CK_RV"),
    ID("rv_code", "CODE", "CK_RV as a number"),

    /* statistics */
    COUNT("count", "COUNT", "completed"),
    COUNT("error_count", "ERRORS", "those of them that failed"),
    COUNT("undisclosed_count", "HIDDEN", "those of them whose result is not kept"),
    {"share", "SHARE", P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL, "of all time in the module"},
    NS("total_ns", "TOTAL", "time in the module, failed calls too"),
    NS("mean_ns", "MEAN", "of those that did not fail, as all below"),
    NS("stddev_ns", "STDDEV", "standard deviation"),
    NS("min_ns", "MIN", "shortest"),
    NS("p50_ns", "P50", "median"),
    NS("p90_ns", "P90", "90 % take no longer"),
    NS("p95_ns", "P95", "95 % take no longer"),
    NS("p99_ns", "P99", "99 % take no longer"),
    NS("p999_ns", "P99.9", "99.9 % take no longer"),
    NS("max_ns", "MAX", "longest"),
    BYTES("in_bytes", "IN", "data given to the module"),
    BYTES("out_bytes", "OUT", "data that it gave"),
    TEXT("percentiles", "PERCENTILES", "exact or histogram (within 0.5 %)"),
    {"unsupported", "UNSUPPORTED", P11PROF_UNIT_NONE, P11PROF_TYPE_LIST,
     "percentiles with fewer than 10 durations beyond them"},

    /* a script, recorded and played */
    COUNT("recorded_count", "RECORDED", "calls of the recorded run"),
    COUNT("played_count", "PLAYED", "calls of the run that is like it"),
    COUNT("recorded_error_count", "REC. ERRORS", "recorded calls that failed"),
    COUNT("played_error_count", "ERRORS", "played calls that failed"),
    NS("recorded_mean_ns", "REC. MEAN", "of recorded calls that did not fail"),
    NS("played_mean_ns", "MEAN", "of played calls that did not fail"),
    NS("recorded_p99_ns", "REC. P99", "99 % of the recorded ones take no longer"),
    NS("played_p99_ns", "P99", "99 % of the played ones take no longer"),
    ID("object", "OBJECT", "number of an object of a script"),
    TEXT("object_class", "CLASS", "of an object"),

    /* bins of a histogram, steps of a timeline */
    NS("low_ns", "FROM", "shortest duration of a bin"),
    NS("high_ns", "BELOW", "of a bin: durations in it are shorter"),
    COUNT("cumulative_count", "SO FAR", "of this bin and all shorter ones"),
    {"in_flight", "IN FLIGHT", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL,
     "calls in the module at a time, on average"},
    ID("first_operation", "FIRST", "number of a step's first operation in its load"),

    /* concurrency: docs/statistics.md */
    TEXT("scope", "OF", "calls of the module, the token, a kind, a session, or several sessions"),
    ID("most_in_flight", "MOST", "in flight at once"),
    {"speed_up", "SPEED-UP", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL,
     "times as fast as one after another, while two or more are in flight"},
    {"speed_up_low", "FROM", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL,
     "lower end of its 95 % interval"},
    {"speed_up_high", "TO", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL, "its upper end"},
    {"parallel", "PARALLEL", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL, "calls served at a time"},
    {"parallel_low", "FROM", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL,
     "lower end of its 95 % interval"},
    {"parallel_high", "TO", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL, "its upper end"},
    COUNT("alone_count", "ALONE", "calls that began with none of them in flight"),
    NS("overlapped_ns", "OVERLAPPED", "time with two or more in flight"),
    NS("busy_ns", "BUSY", "time with one or more in flight"),
    ID("level", "IN FLIGHT", "calls in flight"),
    NS("time_ns", "TIME", "that long"),
    COUNT("overlap_count", "OVERLAPPED", "calls that began with another one in flight"),
    COUNT("expected_count", "BY CHANCE", "that would, if threads took no notice of each other"),
    NS("alone_ns", "ONE IN FLIGHT", "time with exactly one in flight"),
    NS("waited_ns", "OTHERS WAIT", "of that time, while another thread waited"),
    SHARE("waited_share", "WAITED", "that, of the time with exactly one in flight"),
    COUNT("handover_count", "HAND-OVERS", "calls whose thread is not that of the call before"),
    COUNT("quick_count", "AT ONCE", "of these, begun right after it"),
    COUNT("overlapped_count", "OVERLAPPED",
          "calls that overlapped with another one of the session"),
    {"in_flight_expected", "RATE x MEAN", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL,
     "calls in a second by their mean duration, with those that were lost"},
    {"deviation", "DEVIATION", P11PROF_UNIT_CHANGE, P11PROF_TYPE_REAL,
     "of what was in flight from that"},

    /* results of tests and operations */
    TEXT("test", "TEST", "id of the test"),
    BYTES("data_bytes", "DATA", "size of the data of one operation"),
    COUNT("threads", "THREADS", "threads"),
    COUNT("processes", "PROCESSES", "processes"),
    {"ops_per_s", "OPS/S", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL, "successes in a second"},
    {"histogram", "HISTOGRAM", P11PROF_UNIT_NONE, P11PROF_TYPE_JSON,
     "[low_ns, high_ns, count] of each bucket that is not empty; high_ns is exclusive"},
    {"bytes_per_s", "MB/S", P11PROF_UNIT_BYTES_PER_S, P11PROF_TYPE_REAL, "data in a second"},
    {"windows", "WINDOWS", P11PROF_UNIT_NONE, P11PROF_TYPE_JSON, "its slices, each with counts"},
    {"per_thread", "PER THREAD", P11PROF_UNIT_NONE, P11PROF_TYPE_JSON, "what each thread did"},
    ID("load", "LOAD", "number of the load in its run"),
    ID("step", "STEP", "number of the load among those of its test, or in that of a suite"),
    COUNT("wrong_count", "WRONG", "results that were wrong; error_count has them too"),
    ID("unchecked", "UNCHECKED", "1: its results could not be verified"),
    {"contention", "CONTENTION", P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL,
     "fastest less slowest thread, of the mean of their rates"},
    {"efficiency", "EFFICIENCY", P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL,
     "rate, of as many times that of one thread"},
    {"cooldown_change", "COOL-DOWN", P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL,
     "mean of the cool-down against the mean, 0: equal"},
    ID("mix", "MIX", "number of the mix in its run, of loads that took turns; unknown: alone"),
    {"weight", "WEIGHT", P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL,
     "part of the mix's operations that was asked for"},
    {"count_share", "HAD", P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL,
     "part of the mix's operations that it had"},
    {"time_share", "TIME", P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL,
     "part of the mix's time in the module"},
    TEXT("suite", "SUITE", "test of a suite that the load is a step of"),
    {"rate", "WANTED/S", P11PROF_UNIT_WANTED_PER_S, P11PROF_TYPE_REAL,
     "operations that a schedule starts in a second; unknown: as many as go"},
    TEXT("arrivals", "ARRIVALS", "how they come: constant or poisson"),
    COUNT("missed_count", "MISSED", "operations that were due and never began"),
    NS("service_mean_ns", "SERVICE MEAN", "of the time in the module, without waiting for a start"),
    NS("service_p50_ns", "SERVICE P50", "median of that time"),
    NS("service_p99_ns", "SERVICE P99", "99 % of these times are no longer"),
    NS("think_time_ns", "THINK", "time that a thread waits after each operation"),
    ID("ramp", "RAMP", "number of the load in its ramp"),
    {"ops_per_s_low", "FROM", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL,
     "lower end of the 95 % interval of the rate"},
    {"ops_per_s_high", "TO", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL, "its upper end"},
    ID("thread", "THREAD", "number of the thread in its load"),
    TEXT("reason", "REASON", "why a test was left out, or too little is known"),

    /* single calls, errors */
    TEXT("relation", "IS", "to the call that the list is about: before, at, after …"),
    ID("call_id", "CALL", "number of the call in this database"),
    MOMENT("start_ns", "SINCE START", "when it began, since the run's start"),
    NS("gap_ns", "GAP", "since the thread's previous call ended"),
    ID("nested", "NESTED", "1: made inside another call"),
    ID("overlapped", "OVERLAPPED", "1: with another call of its session"),
    TEXT("class", "CLASS", "benign, application, token, authentication, vendor or undisclosed"),
    MOMENT("first_ns", "FIRST", "when the first of them began, since the run's start"),
    MOMENT("last_ns", "LAST", "when the last of them began, since the run's start"),
    TEXT("meaning", "MEANING", "what the result says"),
    /* two sides that took turns */
    TEXT("current_test", "CURRENT TEST", "of the current side, where its key makes it another one"),
    COUNT("pair_count", "PAIRS", "pairs of slices in which operations succeeded on both sides"),
    COUNT("base_count", "BASE COUNT", "operations that succeeded on the base side"),
    COUNT("current_count", "CURRENT COUNT", "operations that succeeded on the current side"),
    COUNT("base_error_count", "BASE ERRORS", "operations that failed on the base side"),
    COUNT("current_error_count", "CURRENT ERRORS", "operations that failed on the current side"),
    {"base_ops_per_s", "BASE OPS/S", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL, "its rate"},
    {"current_ops_per_s", "CURRENT OPS/S", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL, "its rate"},
    {"effect", "SLOWDOWN", P11PROF_UNIT_CHANGE, P11PROF_TYPE_REAL,
     "time of an operation, current by base less 1: 0.1 is 10 % slower"},
    {"effect_low", "FROM", P11PROF_UNIT_CHANGE, P11PROF_TYPE_REAL,
     "lower end of its interval: all tests together hold with 95 %"},
    {"effect_high", "TO", P11PROF_UNIT_CHANGE, P11PROF_TYPE_REAL, "its upper end"},
    {"p_value", "P", P11PROF_UNIT_NONE, P11PROF_TYPE_REAL,
     "of no effect; not corrected for the number of tests"},
    TEXT("arrow", "RATE", "which way the rate went, where that is sure"),
    {"pairs", "PAIRS", P11PROF_UNIT_NONE, P11PROF_TYPE_JSON,
     "[base_count, base_ns, current_count, current_ns] of each pair"},

    /* intervals of a stress run, and what was found in them */
    ID("interval", "INTERVAL", "number of the interval in its load"),
    NS("until_ns", "TIME", "its end, since the first measured operation"),
    NS("measured_ns", "MEASURED", "time of its slices"),
    SHARE("cpu_share", "CPU", "of the machine's processors that were busy"),
    SHARE("steal_share", "STOLEN", "of their time, that a hypervisor kept"),
    {"temperature_celsius", "°C", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL,
     "of the hottest sensor, at its end"},
    ID("frequency_hz", "HZ", "mean of the processors, at its end"),
    BYTES("rss_bytes", "RSS", "resident memory of the workers but for shared memory, at its end"),
    COUNT("session_count", "SESSIONS", "open ones, at its end"),
    {"first_ops_per_s", "FIRST OPS/S", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL,
     "rate of the first tenth of the slices"},
    {"last_ops_per_s", "LAST OPS/S", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL,
     "rate of the last tenth"},
    {"temperature_change_celsius", "HOTTER", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL,
     "last tenth of the intervals less the first"},
    {"frequency_change", "FREQUENCY", P11PROF_UNIT_CHANGE, P11PROF_TYPE_REAL,
     "last tenth of the intervals by the first, less 1"},
    BYTES("rss_growth_bytes", "GREW", "of memory that grew all the time"),

    /* verdict of a ramp: values are threads, processes or operations/s */
    TEXT("ramp_of", "RAMP OF", "what grows from step to step: threads, processes or rate"),
    TEXT("finding", "FINDING",
         "of a ramp: saturates, falls, grows, flat, single or unknown; of advice: its pattern"),
    {"best", "BEST", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "value of the best step"},
    {"most", "MOST", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "that of the highest throughput"},
    {"falls_beyond", "FALLS BEYOND", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL,
     "the last value before throughput falls"},
    {"held", "HELD", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "the highest rate that was held"},
    {"not_held", "NOT HELD", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "the lowest rate above it"},
    {"met_up_to", "MET UP TO", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL,
     "the highest value that keeps the objective"},
    {"missed_from", "MISSED FROM", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL,
     "the lowest value above it"},
    TEXT("summary", "SUMMARY", "the verdict in words"),
    {"steps", "STEPS", P11PROF_UNIT_NONE, P11PROF_TYPE_JSON, "what each step did"},

    /* losses, calls in flight, checks */
    TEXT("cause", "CAUSE", "why calls were counted only"),
    NS("in_module_ns", "IN MODULE", "of a thread: in calls that do not wait"),
    NS("waiting_ns", "WAITING", "of a thread: in calls that wait for a slot event or a person"),
    NS("between_ns", "BETWEEN", "of a thread: outside its calls, from the first to the last"),
    NS("age_ns", "FOR", "how long the call had not returned when it was last seen"),
    {"calls_per_s", "CALLS/S", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL, "calls in a second"},
    NS("size_query_ns", "SIZE QUERIES", "time of calls that ask for a size"),
    NS("too_small_ns", "TOO SMALL", "time of calls whose buffer was too small"),
    NS("blocking_ns", "WAITS", "time of calls that wait for a slot event or a person"),
    COUNT("thread_count", "THREADS", "threads that called"),
    NS("measuring_ns", "MEASURING", "part of the time in the module that is the measuring itself"),
    NS("elapsed_ns", "ELAPSED", "from the first call to the first operation"),
    TEXT("costliest", "COSTLIEST", "function that took most of the time"),
    NS("costliest_ns", "ITS TIME", "that it took"),
    TEXT("created_at", "CREATED", "UTC, when the baseline was saved"),

    /* comparisons: docs/statistics.md. Shares are ratios less 1, or of failures. */
    TEXT("what", "WHAT", "what is different"),
    TEXT("in_baseline", "BASELINE", "what the baseline has"),
    TEXT("in_current", "CURRENT", "what the current side has"),
    TEXT("side", "SIDE", "current side, as it was asked for"),
    SHARE("baseline", "BASELINE", "of the baseline: 1/s, ns or a share"),
    SHARE("current", "CURRENT", "of the current side"),
    SHARE("delta", "DELTA", "current less baseline"),
    SHARE("effect_level", "LEVEL", "of its interval; 0.95 where nothing is corrected"),
    SHARE("plain_low", "PLAIN FROM", "lower end of its 95 % interval, alone"),
    SHARE("plain_high", "PLAIN TO", "upper end of that"),
    SHARE("threshold", "THRESHOLD", "of the effect"),
    ID("gated", "GATED", "1: it has a part in the verdict"),
    TEXT("metric", "METRIC", "what is compared: ops_per_s, p50_ns …"),
    TEXT("metric_verdict", "METRIC VERDICT", "verdict of one metric"),
    TEXT("section", "SECTION", "group of checks"),
    TEXT("item", "ITEM", "what was looked at"),
    TEXT("value", "VALUE", "what was found"),
    TEXT("objective", "OBJECTIVE", "what a run has to meet"),
    TEXT("limit", "LIMIT", "that the value has to keep"),
    {"measured", "MEASURED", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "value: ns, share or number"},
    {"bound", "BOUND", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "limit: ns, share or number"},
    {"missed_by", "MISSED BY", P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL, "beyond the limit, of it"},
    TEXT("source", "SOURCE", "where it comes from"),
    TEXT("verdict", "VERDICT",
         "of a check: ok, note or problem; of an objective: met or missed; of a comparison: "
         "regressed, improved, same, unclear or insufficient; of a step of a ramp: best, knee, "
         "held, not held, failed, met or missed"),
    TEXT("advice", "ADVICE", "what to do"),

    /* advice; see also finding */
    TEXT("title", "PATTERN", "of calls that cost time and need not"),
    NS("cost_ns", "COST", "what its calls took in the module"),
    NS("saving_ns", "SAVES", "of that, estimated"),
    TEXT("estimate", "ESTIMATE", "how the saving was come by"),
    TEXT("evidence", "EVIDENCE", "the counts that prove it"),
    ID("first_call_id", "FROM CALL", "of an example"),
    ID("last_call_id", "TO CALL", "of an example"),
    /* latency taken apart: insight/latency.h */
    TEXT("first_in", "FIRST IN A", "process, key or session"),
    COUNT("unit_count", "OF", "processes, keys or sessions"),
    NS("first_call_ns", "FIRST CALL", "median of their first calls"),
    {"ratio", "RATIO", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "median, of first calls to others"},
    {"ratio_low", "FROM", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "lower end of its 99 % interval"},
    {"ratio_high", "TO", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "upper end of that"},
    COUNT("slow_count", "SLOW CALLS", "how many calls are slow at the start of each"),
    NS("extra_ns", "EXTRA", "time beyond that of as many others"),
    NS("peak_ns", "MODE", "durations are most frequent about it"),
    NS("faster_ns", "FASTER", "the mode below it"),
    TEXT("told_by", "TOLD BY", "what tells calls of the mode from faster ones"),
    TEXT("rule", "THEY", "what calls of the mode have in common"),
    SHARE("of_slow", "OF SLOW", "of the mode's calls, that it holds for"),
    SHARE("of_fast", "OF FASTER", "of the faster ones, that it holds for"),
    {"also", "ALSO", P11PROF_UNIT_NONE, P11PROF_TYPE_LIST, "what tells them apart as well"},
    COUNT("size_count", "SIZES", "of data, that differ by more than 3 %"),
    NS("fixed_ns", "FIXED", "time whatever the size"),
    NS("fixed_low_ns", "FROM", "lower end of its 95 % interval"),
    NS("fixed_high_ns", "TO", "upper end of that"),
    NS("per_kb_ns", "PER KB", "time that 1024 bytes add"),
    NS("per_kb_low_ns", "FROM", "lower end of its 95 % interval"),
    NS("per_kb_high_ns", "TO", "upper end of that"),
    SHARE("stray", "OFF THE LINE", "root mean square of the medians' relative distance from it"),
    SHARE("bytes_share", "BY SIZE", "part of the time that goes by size"),
    NS("p5_ns", "P5", "5 % take no longer"),
    TEXT("trip", "ROUND TRIP", "floor, agrees (half more at most), more, or none: under 10 us"),
    NS("floor_ns", "FLOOR", "a round trip without crypto, estimated"),
    NS("on_top_ns", "ON TOP", "median less that"),

    /* ready queries, and what only they show */
    TEXT("question", "QUESTION", "what a ready query answers"),
    TEXT("slowest", "SLOWEST", "marks the call that took longest"),
    NS("opened_ns", "OPENED", "since the run's start"),
    NS("closed_ns", "CLOSED", "since the run's start; unknown of a session that was left open"),
    NS("open_ns", "OPEN FOR", "how long a session was open"),
    {"per_signature", "EACH", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "calls for a signature"},
    NS("per_signature_ns", "TIME FOR EACH", "of those calls"),
    {"per_operation", "EACH", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "calls for an operation"},
    NS("per_operation_ns", "TIME FOR EACH", "of those calls"),
    COUNT("size_query_count", "SIZE QUERIES", "calls that only asked for a size"),
    COUNT("too_small_count", "TOO SMALL", "calls with a buffer that was too small"),
    NS("wasted_ns", "WASTED", "time of size queries and of calls with too small a buffer"),
    NS("initialize_ns", "INITIALIZE", "time of C_Initialize"),
    NS("login_ns", "LOGIN", "time of C_Login"),
    NS("first_operation_ns", "FIRST AFTER", "from a process's start to its first operation's"),
    {"change", "CHANGE", P11PROF_UNIT_SHARE, P11PROF_TYPE_REAL,
     "against the run before, or the baseline; 0: equal"},
    ID("process", "PROCESS", "number of the process in its load"),

    /* what is live */
    {"errors_per_s", "ERR/S", P11PROF_UNIT_PER_S, P11PROF_TYPE_REAL, "failed ones of them"},
    SHARE("busy", "BUSY", "time in the module, of the time that passed, all threads together"),
    COUNT("in_flight_count", "FLIGHT", "calls that have not returned"),
    NS("oldest_ns", "OLDEST", "how long ago the oldest of them began"),
    TEXT("oldest_function", "OLDEST CALL", "function of that"),

    /* trends over runs; value is of the metric's unit */
    {"before", "BEFORE", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "level before a change"},
    {"after", "AFTER", P11PROF_UNIT_NUMBER, P11PROF_TYPE_REAL, "level since then"},
    TEXT("subject", "OF", "what it is about"),
    NS("value_ns", "VALUE", "of the metric"),
    NS("before_ns", "BEFORE", "level before a change"),
    NS("after_ns", "AFTER", "level since then"),
    COUNT("before_count", "RUNS BEFORE", "runs of the level before"),
    COUNT("after_count", "RUNS SINCE", "runs of the new level"),
    TEXT("differences", "WHAT DIFFERS", "from the run before"),
    TEXT("bar", "BAR", "its value, the largest as long as there is room for"),
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

const struct p11prof_column *p11prof_columns(size_t *count)
{
    *count = COLUMNS;
    return columns;
}

const struct p11prof_column *p11prof_column_named(const char *name)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}
