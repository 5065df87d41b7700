# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""Looks at HTML reports in headless Chromium: html_browser.py FOLDER CHECKS:NAME...

In the folder are NAME.html and NAME.json, p11prof's exports of the same runs. Says what is wrong, and
ends with 1 then."""
import base64
import json
import pathlib
import select
import socket
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

# Canvases that are laid out: how many colours their pixels have, fully transparent ones left out.
COLOURS = """return [...document.querySelectorAll('canvas')].map((canvas) => {
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  for (let i = 0; i < pixels.length; i += 4)
    if (pixels[i + 3]) colours.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);
  return colours.size;
})"""

# Contrast of the text of an element with what is behind it (WCAG).
CONTRAST = """const parse = (colour) => colour.match(/[0-9.]+/g).map(Number);
const light = (colour) => parse(colour).slice(0, 3).map((part) => part / 255)
  .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
  .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
const ground = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return parse(colour)[3] === 0 ? ground(element.parentElement) : colour;
};
return [...document.querySelectorAll(arguments[0])].map((element) => {
  const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})"""


def start():
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--window-size=1280,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


class Page:
    def __init__(self, driver, path, document):
        self.driver = driver
        self.url = pathlib.Path(path).resolve().as_uri()
        self.document = json.load(open(document, encoding="utf-8"))
        self.failed = 0
        self.reset()
        driver.set_page_load_timeout(60)
        driver.get(self.url)
        WebDriverWait(driver, 60).until(lambda d: d.find_elements(By.TAG_NAME, "h1"))

    def reset(self):
        """What an earlier page left: its emulations and its logs."""
        self.media()
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.driver.get("about:blank")
        for log in "browser", "performance":
            self.driver.get_log(log)

    def check(self, what, found, wanted=True):
        if found != wanted:
            print(f"FAILED: {what}: {found!r}, not {wanted!r}")
            self.failed += 1

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def within(self, seconds, text):
        """Whether a script returns true before they are over."""
        end = time.monotonic() + seconds
        while not (found := self.script(text)) and time.monotonic() < end:
            time.sleep(0.1)
        return found

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return self.script("return [...document.querySelectorAll(arguments[0])]"
                           ".map((element) => element.textContent)", selector)

    def column(self, table, heading):
        """Texts and titles of a column's cells."""
        at = self.texts(f"#table-{table} th").index(heading) + 1
        return self.script("return [...document.querySelectorAll(arguments[0])]"
                           ".map((cell) => [cell.textContent, cell.title])",
                           f"#table-{table} tbody td:nth-child({at})")

    def heading(self, table, heading):
        at = self.texts(f"#table-{table} th").index(heading) + 1
        return self.all(f"#table-{table} th:nth-child({at}) button")[0]

    def media(self, **features):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "media": features.pop("media", ""),
            "features": [{"name": name.replace("_", "-"), "value": value}
                         for name, value in features.items()]})


def exact_ns(cells):
    return [int(title.split(" ns")[0]) if title else -1 for _, title in cells]


def page(it):
    """What holds for every report."""
    it.check("console", [entry["message"] for entry in it.driver.get_log("browser")], [])
    it.check("charts are drawn", [count > 2 for count in it.script(COLOURS)],
             [True] * len(it.all("canvas")))
    it.check("charts have a text", it.script(
        "return [...document.querySelectorAll('canvas')].every((canvas) => "
        "canvas.getAttribute('role') === 'img' && canvas.getAttribute('aria-label').length > 20)"))
    it.check("scripts", len(it.all("script")), 3)
    it.check("resources", it.script("return performance.getEntriesByType('resource').length"), 0)
    asked = [message["params"]["request"]["url"] for message in
             (json.loads(entry["message"])["message"] for entry in
              it.driver.get_log("performance"))
             if message["method"] == "Network.requestWillBeSent"]
    it.check("requests", [url for url in asked if not url.startswith("data:")], [it.url])
    runs = it.document["runs"]
    it.check("calls of the head", [f"{runs[0]['call_count']}, " in text or len(runs) > 1
             for text in it.texts("dd")].count(True) > 0)
    timed = [row for row in it.document["functions"] + it.document["results"] if row["p50_ns"]]
    it.check("charts where there are durations", len(it.all("#latencies canvas")),
             2 if timed else 0)
    it.check("no empty table", [len(it.all(f"#{element.get_attribute('id')} tbody tr")) > 0
             for element in it.all("section[id^=table-]")].count(False), 0)
    if not it.document["functions"] + it.document["results"]:
        it.check("it says so", "No PKCS#11 call was recorded." in it.texts(".banner"))
    it.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": False})
    it.check("a narrow page does not scroll sideways", it.within(
        10, "return document.documentElement.scrollWidth <= innerWidth"))


def insights(it):
    """Sentences and findings of the JSON are on the page, as text."""
    for name in "advice", "concurrency", "latency", "history":
        said = [sentence for section in it.document.get(name, [])
                for sentence in section["sentences"]]
        shown = it.texts(f"#{name} > .notes li")
        it.check(f"{name} says something", len(said) > 0 or name != "advice")
        it.check(f"sentences of {name}", [text for text in said if text not in shown], [])
    found = [finding for section in it.document["advice"] for finding in section["findings"]]
    it.check("there are findings", len(found) > 0)
    it.check("findings", it.texts(".finding h3"),
             [row["title"] + (": " + row["subject"] if row["subject"] else "") for row in found])
    it.check("their evidence", it.texts(".finding > h3 + dl + p"), [row["evidence"] for row in found])
    callers = [row["caller"] for row in found if row["caller"]]
    it.check("some have callers", len(callers) > 0)
    facts = it.texts(".finding dd")
    it.check("callers are a text", [text for text in callers if text not in facts], [])
    it.check("what to change", [row["advice"] for row in found if not any(
        text.endswith(row["advice"]) for text in it.texts(".finding > p"))], [])
    it.check("nothing became an element", len(it.all("img, iframe, object, main script")), 0)


def bench(it):
    results = it.document["results"]
    it.check("results", exact_ns(it.column("results", "P99")), [row["p99_ns"] for row in results])
    it.check("rates", [float(title.split("/s")[0]) for _, title in it.column("results", "OPS/S")],
             [row["ops_per_s"] for row in results])
    it.check("tests", [text for text, _ in it.column("results", "TEST")],
             [row["test"] for row in results])
    marked = [text.startswith("~") for text, _ in it.column("results", "P99.9")]
    it.check("doubtful percentiles", marked,
             ["p999_ns" in row["unsupported"] for row in results])
    captions = it.texts("#scaling figcaption")
    it.check("scaling", captions,
             ["Operations/s by threads", "p99 by threads", "Data/s by size", "p99 by size"])
    it.check("latencies", it.texts("#latencies figcaption")[0].startswith("Percentiles: "))
    it.check("time", it.texts("#time figcaption")[0].startswith("Latency over time"))
    it.all("#latencies summary")[0].click()
    WebDriverWait(it.driver, 10).until(lambda d: it.texts("#latencies details tbody tr"))
    it.check("numbers of the curve have the longest",
             it.texts("#latencies figure:first-child tbody tr:last-child td:last-child")[0] in
             [str(row["max_ns"]) for row in results])


def tables(it):
    """Sorting, by mouse and keyboard, filtering, choosing."""
    names = [text for text, _ in it.column("functions", "FUNCTION")]
    heading = it.heading("functions", "MAX")
    heading.click()
    falling = exact_ns(it.column("functions", "MAX"))
    it.check("there are rows", len(falling) >= 5)
    it.check("sorted", falling, sorted(falling, reverse=True))
    cell = it.script("return arguments[0].closest('th').getAttribute('aria-sort')", heading)
    it.check("aria-sort", cell, "descending")
    heading.send_keys(Keys.ENTER)
    it.check("the other way round", exact_ns(it.column("functions", "MAX")), falling[::-1])
    it.check("one column is sorted", len(it.all(
        "#table-functions th[aria-sort=ascending], #table-functions th[aria-sort=descending]")), 1)
    it.heading("functions", "FUNCTION").click()
    it.check("texts", [text for text, _ in it.column("functions", "FUNCTION")],
             sorted(names, key=str.lower))
    field = it.all("#table-functions input")[0]
    field.send_keys("c_SIGN sha")
    found = [text for text, _ in it.column("functions", "FUNCTION")]
    it.check("filtered", sorted(found), sorted(
        row["function"] for row in it.document["functions"] if row["kind"] == "call" and
        "C_Sign" in row["function"] and "SHA" in (row["mechanism"] or "")))
    it.check("it says how many", it.texts("#table-functions [role=status]")[0],
             f"{len(found)} of {len(names)} rows")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("<no such row>")
    it.check("nothing found", it.texts("#table-functions tbody tr"), [])
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.DELETE)
    pick = it.all("#table-functions button.pick")[2]
    name = pick.text
    pick.send_keys(Keys.ENTER)
    it.check("chosen", it.texts("#latencies figcaption")[1].startswith("Histogram: " + name))
    it.check("its row is marked", it.texts("tr.chosen button.pick"), [name])
    Select(it.all("#group")[0]).select_by_index(0)
    it.check("another one", it.texts("#latencies figcaption")[1],
             "Histogram: " + it.texts("#group option")[0])
    before = it.script("return document.querySelectorAll('#latencies canvas')[1].toDataURL()")
    it.all("#logs")[0].click()
    it.check("on a log scale", before != it.script(
        "return document.querySelectorAll('#latencies canvas')[1].toDataURL()"))
    it.check("console", [entry["message"] for entry in it.driver.get_log("browser")], [])


def hostile(it):
    run = it.document["runs"][0]
    it.check("the name is a text", run["name"] in it.texts("h1")[0])
    facts = "\n".join(it.texts("dd"))
    it.check("the token's label is a text", run["token_label"] in facts)
    it.check("the program is a text", run["program"] in facts)
    it.check("in a table, too", run["program"] in it.texts("#table-processes td"))
    it.check("in the title", run["name"] in it.driver.title)
    it.check("nothing became an element", len(it.all("img, iframe, object, main script")), 0)
    it.check("nothing ran", it.script("return document.readyState"), "complete")


def losses(it):
    lost = it.document["runs"][0]["lost_count"]
    said = it.texts(".banner.bad strong")[0].replace("\u202f", "")
    it.check("losses", said, f"{lost} calls were lost")
    above = it.script("return document.querySelector('.banner').getBoundingClientRect().bottom")
    it.check("in sight", 0 < above < 400)


def several(it):
    choice = Select(it.all("#run")[0])
    it.check("a choice", len(choice.options), len(it.document["runs"]))
    for index, run in enumerate(it.document["runs"]):
        choice.select_by_index(index)
        it.check("title", run["name"] in it.texts("h1")[0])
        it.check("charts are drawn", [count > 2 for count in it.script(COLOURS)],
                 [True] * len(it.all("canvas")))
    it.check("console", [entry["message"] for entry in it.driver.get_log("browser")], [])


def looks(it):
    """Dark, light and printed."""
    grounds, charts = [], []
    for scheme in "light", "dark":
        it.media(prefers_color_scheme=scheme)
        WebDriverWait(it.driver, 10).until(lambda d: it.script(
            "return matchMedia('(prefers-color-scheme: ' + arguments[0] + ')').matches", scheme))
        WebDriverWait(it.driver, 20).until(lambda d: it.script(
            "return document.querySelector('canvas').toDataURL()") not in charts)
        grounds.append(it.script("return getComputedStyle(document.body).backgroundColor"))
        charts.append(it.script("return document.querySelector('canvas').toDataURL()"))
        for selector in "h1", "dt", "dd", "th button", "td", "td button", "nav a", "summary", "footer":
            ratios = it.script(CONTRAST, selector)
            it.check(f"{scheme}: contrast of {selector}", min(ratios) >= 4.5)
    it.check("two looks", len(set(grounds)), 2)
    it.media(media="print", prefers_color_scheme="dark")
    it.check("light on paper", it.script(
        "return getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()"),
             "#1b1f24")
    it.check("no fields on paper", it.script("return [...document.querySelectorAll("
             "'input[type=search], nav')].every((one) => getComputedStyle(one).display === 'none')"))
    printed = base64.b64decode(it.driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
    it.check("printed", printed[:5] == b"%PDF-" and len(printed) > 20000)
    it.check("focus is seen", it.script(
        "document.querySelector('th button').focus({focusVisible: true});"
        "return getComputedStyle(document.activeElement).outlineStyle"), "solid")


def arrived(server):
    """What clients say within two seconds. Chromium may connect ahead of a navigation that it then
    refuses, and says nothing."""
    requests = []
    end = time.monotonic() + 2
    while time.monotonic() < end:
        if not select.select([server], [], [], 0.2)[0]:
            continue
        client = server.accept()[0]
        if select.select([client], [], [], 1)[0]:
            requests.append(client.recv(200))
        client.close()
    return [request for request in requests if request]


def closed(it):
    """What a script in it might try: no request arrives at a server that is there."""
    server = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    it.script("""const url = arguments[0];
      fetch(url).catch(() => 0);
      try { navigator.sendBeacon(url, 'x'); } catch (refused) { }
      for (const [name, key] of [['img', 'src'], ['script', 'src'], ['iframe', 'src'],
          ['link', 'href']]) {
        const element = document.createElement(name);
        element[key] = url;
        if (name === 'link') element.rel = 'stylesheet';
        document.body.append(element);
      }
      const form = document.createElement('form');
      form.action = url;
      document.body.append(form);
      form.submit();""", url)
    it.check("requests", arrived(server), [])
    refused = [entry for entry in it.driver.get_log("browser")
               if "Content Security Policy" in entry["message"]]
    it.check("they were refused", len(refused) >= 5)


CHECKS = {check.__name__: check
          for check in (page, insights, bench, tables, hostile, losses, several, looks, closed)}


def main(folder, *wanted):
    failed = 0
    driver = start()
    try:
        for word in wanted:
            name, file = word.split(":")
            it = Page(driver, f"{folder}/{file}.html", f"{folder}/{file}.json")
            CHECKS[name](it)
            print(f"{'FAILED' if it.failed else 'ok'}: {word}")
            failed += it.failed
    finally:
        driver.quit()
    return 1 if failed else 0


sys.exit(main(*sys.argv[1:]))
