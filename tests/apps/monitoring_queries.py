#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""monitoring_queries.py URL ROOT DATABASE: checks docs/monitoring against a Prometheus that has the data
of monitoring_test.sh: every query of dashboard, rules and alerts is answered, with something; values are
those of the database; the dashboard can be imported; the guide tells what to do for each alert."""
import bisect
import json
import re
import sqlite3
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

url, root, database = sys.argv[1:]
failures = []

# What happened here has to be seen, what did not must not; the rest is a matter of time and load.
FIRE = {"P11profCallsLost", "P11profPinIncorrect", "P11profSlower", "P11profTailSlower"}
SILENT = {"P11profExporterDown", "P11profNotScraped", "P11profPinLocked", "P11profTokenRemoved",
          "P11profDeviceErrors", "P11profSessionsExhausted", "P11profErrorBudgetFast",
          "P11profErrorBudgetSlow", "P11profSeriesFolded", "P11profDatabaseLarge", "P11profBenchErrors",
          "P11profBenchSlower"}
PANEL_FIELDS = {"type", "id", "title", "gridPos"}
PANEL_TYPES = {"timeseries", "stat", "table", "heatmap", "row"}


def check(claim, good, detail=""):
    if not good:
        failures.append(claim)
        print("FAILED: %s: %s" % (claim, detail))


def ask(path, **arguments):
    """The data of an answer, or None."""
    request = "%s/api/v1/%s?%s" % (url, path, urllib.parse.urlencode(arguments, doseq=True))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        check("Prometheus takes %s" % arguments, False, error.read().decode())
        return None


def value(expression):
    """The one value of an expression."""
    result = ask("query", query=expression)["result"]
    check("one answer to " + expression, len(result) == 1, result)
    return float(result[0]["value"][1]) if result else float("nan")


# --- The dashboard ---

with open(root + "/docs/monitoring/dashboard.json", encoding="utf-8") as stream:
    dashboard = json.load(stream)
variables = {each["name"]: each for each in dashboard["templating"]["list"]}
by_values = [each["value"] for each in variables["by"]["options"]]


def filled(expression, by):
    """With the variables as Grafana fills them in where All is chosen."""
    expression = expression.replace("$__rate_interval", "10s").replace("$__range", "10m")
    expression = re.sub(r"\$(\{by\}|by\b)", by, expression)
    return re.sub(r"\$\{?(\w+)\}?", lambda name: variables[name[1]]["allValue"], expression)


def overlaps(a, b):
    return (a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]
            and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])


def check_structure():
    panels = dashboard["panels"]
    check("each panel has an id of its own", len({each["id"] for each in panels}) == len(panels))
    check("the dashboard has no id", dashboard["id"] is None and dashboard["uid"] == "p11prof")
    check("of Grafana 9", dashboard["schemaVersion"] >= 36)
    check("the data source is chosen", variables["datasource"]["type"] == "datasource"
          and variables["datasource"]["query"] == "prometheus")
    for i, panel in enumerate(panels):
        title, grid = panel.get("title", i), panel["gridPos"]
        check("fields of %s" % title, PANEL_FIELDS <= panel.keys() and panel["type"] in PANEL_TYPES)
        check("%s is on the grid" % title, grid["x"] >= 0 and grid["w"] > 0 and grid["x"] + grid["w"] <= 24)
        for other in panels[:i]:
            check("%s is not on %s" % (title, other["title"]), not overlaps(grid, other["gridPos"]))
        if panel["type"] == "row":
            continue
        ids = [target["refId"] for target in panel["targets"]]
        check("targets of %s have a refId of their own" % title, ids and len(set(ids)) == len(ids))
        check("%s has a unit" % title, panel["fieldConfig"]["defaults"].get("unit"))
        for each in [panel] + panel["targets"]:
            check("the data source of %s" % title,
                  each["datasource"] == {"type": "prometheus", "uid": "${datasource}"})


def check_variables():
    for each in dashboard["templating"]["list"]:
        if each["type"] != "query":
            continue
        match = re.fullmatch(r"label_values\((.*), (\w+)\)", each["query"]["query"])
        check("the query of $%s" % each["name"], match and each["definition"] == each["query"]["query"])
        found = ask("label/%s/values" % match[2], **{"match[]": filled(match[1], "")})
        check("$%s has values" % each["name"], found)
        check("$%s may be all" % each["name"], each["includeAll"] and each["allValue"] == ".*")


def check_panels(now):
    count = 0
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            for by in by_values if re.search(r"\$\{?by\b", target["expr"]) else [""]:
                count += 1
                expression = filled(target["expr"], by).replace(" or vector(0)", "")
                found = ask("query_range", query=expression, start=now - 60, end=now, step=1)
                series = found["result"] if found else []
                points = sum(point[1] != "NaN" for each in series for point in each["values"])
                check("%s, %s %s" % (panel["title"], target["refId"], by), points > 0, expression)
                check_legend(panel["title"], target, series)
    return count


def check_legend(title, target, series):
    """Two lines of a panel have two names."""
    names = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
    lines = [tuple(each["metric"].get(name, "") for name in names) for each in series]
    if target.get("format") == "table":
        return
    check("lines of %s have names of their own" % title, len(set(lines)) == len(lines), lines)


# --- Rules ---

def check_rules():
    groups = ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    for rule in rules:
        check("%s is evaluated" % rule["name"], rule["health"] == "ok", rule.get("lastError"))
        if rule["type"] == "recording":
            check("%s is recorded" % rule["name"], ask("query", query=rule["name"])["result"])
    for rule in rules:
        if rule["type"] == "alerting":
            check(rule["name"] + " is seen", rule["alerts"] or rule["name"] not in FIRE)
            # One scrape that a busy machine was late for makes it pending.
            fires = [alert for alert in rule["alerts"] if alert["state"] == "firing"]
            check(rule["name"] + " is silent", not fires or rule["name"] not in SILENT, fires)
            for alert in rule["alerts"]:
                text = " ".join(alert["annotations"].values())
                check("the text of " + rule["name"], not re.search("no value|rror exec|e[+-][0-9]", text), text)
    return len(rules)


def check_benign():
    """The results that are no failure are those of the table that `p11prof errors` goes by."""
    with open(root + "/tools/report/rv_meaning.def", encoding="utf-8") as stream:
        table = stream.read()
    verifying = re.findall(r"^VERIFIES\((\w+)\)", table, re.M)
    table = re.sub(r"#define VERIFIES.*?(?<!\\)\n", "", table, flags=re.S)
    benign = {("", rv) for rv in re.findall(r"MEANING\((CKR_\w+), BENIGN", table)}
    benign |= set(re.findall(r"MEANING_OF\((\w+), (CKR_\w+), BENIGN", table))
    benign |= {(name, rv) for name in verifying for rv in ("CKR_SIGNATURE_INVALID", "CKR_SIGNATURE_LEN_RANGE")}
    token = set(re.findall(r"MEANING\((CKR_\w+), TOKEN", table))
    with open(root + "/docs/monitoring/rules.yml", encoding="utf-8") as stream:
        rules = {rule["record"]: rule["expr"] for group in yaml.safe_load(stream)["groups"]
                 for rule in group["rules"]}
    expression = rules["program_token_function_rv:p11prof_call_failures:total"]
    first = re.search(r'rv!~"([^"]*)"', expression)[1]
    ours = {("", rv) for rv in first.split("|")}
    for rv, function in re.findall(r'\{rv=~?"([^"]*)",function=~?"([^"]*)"\}', expression):
        ours |= {(name, result) for name in function.split("|") for result in rv.split("|")}
    check("benign results", ours == benign, sorted(ours ^ benign))
    ours = set(re.search(r'rv=~"([^"]*)"', rules["program_token:p11prof_slo_failed:rate5m"])[1].split("|"))
    check("results of tokens", ours == token | {"CKR_VENDOR.*", "0x.*"}, sorted(ours ^ token))


def check_guide():
    with open(root + "/docs/monitoring/alerts.yml", encoding="utf-8") as stream:
        alerts = [rule for group in yaml.safe_load(stream)["groups"] for rule in group["rules"]]
    with open(root + "/docs/monitoring.md", encoding="utf-8") as stream:
        headings = re.findall(r"^#+ (P11prof\w+)$", stream.read(), re.M)
    check("the guide has each alert, in their order", headings == [each["alert"] for each in alerts],
          set(headings) ^ {each["alert"] for each in alerts})
    for each in alerts:
        check("labels and texts of " + each["alert"], each["labels"]["severity"] in ("critical", "warning", "info")
              and {"summary", "description", "runbook"} == each["annotations"].keys()
              and each["annotations"]["runbook"] == "docs/monitoring.md#" + each["alert"].lower())


# --- Values ---

def check_values():
    """Of what this test did."""
    connection = sqlite3.connect("file:%s?mode=ro" % database, uri=True)
    def one(sql):
        return connection.execute(sql).fetchone()[0]
    for function in "C_Sign", "C_Login":
        known = one("SELECT sum(count) FROM function_stats JOIN runs USING (run_id) WHERE function = '%s' "
                    "AND runs.kind = 'profile'" % function)
        scraped = value('sum(p11prof_calls_total{function="%s"})' % function)
        check("%s: %s calls" % (function, known), scraped == known, scraped)
    check("three wrong PINs", value(
        'sum(p11prof_call_errors_by_result_total{function="C_Login",rv="CKR_PIN_INCORRECT"})') == 3)
    steady = '{program="steady",function="C_GenerateRandom"}'
    selector = '{program="steady",operation="generate-random"}'
    # A module that sleeps 3 ms: shorter is impossible, longer is a busy machine; the database knows.
    for quantile, column in (0.5, "p50_ns"), (0.99, "p99_ns"):
        theirs = value("histogram_quantile(%s, sum by (le) (p11prof_operation_duration_seconds_bucket%s))"
                       % (quantile, selector))
        ours = one("SELECT max(%s) FROM operation_stats JOIN runs USING (run_id) "
                   "WHERE operation = 'generate-random' AND runs.name = 'steady'" % column) / 1e9
        bounds = [2 ** k / 1e9 for k in range(10, 40)]
        print("%s of 3 ms: %.6f s, in the database %.6f s" % (column, theirs, ours))
        check("%s is not below the sleep's bucket" % column, theirs > 0.002097)
        check("%s is that of the database" % column,
              abs(bisect.bisect_left(bounds, theirs) - bisect.bisect_left(bounds, ours)) <= 1)
    rate = value("sum(rate(p11prof_calls_total%s[15s]))" % steady)
    busy = value("sum(rate(p11prof_call_duration_seconds_sum%s[15s]))" % steady)
    print("two threads: %.0f calls/s, %.2f s of a second in the module" % (rate, busy))
    check("two threads that sleep 3 ms make at most 667 calls a second", 0 < rate < 1000, rate)
    check("... and are in the module nearly all the time", 0.5 < busy < 3, busy)
    theirs = value("sum(p11prof_call_duration_seconds_sum%s) / sum(p11prof_call_duration_seconds_count%s)"
                   % (steady, steady))
    ours = one("SELECT sum(total_ns) * 1e-9 / sum(count) FROM function_stats JOIN runs USING (run_id) "
               "WHERE function = 'C_GenerateRandom' AND runs.name = 'steady'")
    check("the mean is that of the database", 0.8 < theirs / ours < 1.25, (theirs, ours))
    check("one of them hangs", value('max(p11prof_oldest_call_in_flight_seconds{function="C_GenerateKey"})') > 5)


def targets():
    """How they are, once all are up or 20 s have passed."""
    for _ in range(40):
        found = ask("targets")["activeTargets"]
        if all(each["health"] == "up" for each in found):
            break
        time.sleep(0.5)
    return found


for each in targets():
    check("%s is scraped" % each["scrapeUrl"], each["health"] == "up", each["lastError"])
if failures:
    sys.exit(1)
check_structure()
check_guide()
check_benign()
moment = time.time()
check_variables()
queries = check_panels(moment)
rule_count = check_rules()
check_values()
print("%d queries of the dashboard, %d rules, %d failures" % (queries, rule_count, len(failures)))
sys.exit(bool(failures))
