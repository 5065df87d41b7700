#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Whether the guides agree with the tree: docs_check.py CHECK ROOT [ARGUMENT]. Prints what does not, ends with 1 then.
#
#   links              every relative link of every *.md, and its anchor, is there
#   index              docs/README.md names every guide, or the README.md of its folder does
#   paths FILE         every path that FILE names is there
#   tests FILE         every test that FILE names is among those that stdin lists
#   columns            docs/sql.md has every column of every public view, and no other
#   headings           docs/reports.md has the columns of a report's tables, name and heading

import pathlib
import re
import sqlite3
import sys

PRIVATE = ("group_names", "group_stats", "caller_names")


def guides(root):
    folders = [root, root / "docs"] + [each for each in (root / "docs").rglob("*") if each.is_dir()]
    return sorted(each for folder in folders for each in folder.glob("*.md"))


def prose(text):
    """The text without blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchors(path):
    """As GitHub makes them of headings."""
    made = set()
    for heading in re.findall(r"^#+ (.*)$", prose(path.read_text()), flags=re.M):
        anchor = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        count = sum(1 for each in made if re.fullmatch(re.escape(anchor) + r"(-\d+)?", each))
        made.add(anchor if anchor not in made else f"{anchor}-{count}")
    return made


def links(root):
    for guide in guides(root):
        text = re.sub(r"`[^`\n]*`", "", prose(guide.read_text()))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            path = (guide.parent / file).resolve() if file else guide
            if not path.exists():
                yield f"{guide.relative_to(root)}: {target}: there is no such file"
            elif anchor and anchor not in anchors(path):
                yield f"{guide.relative_to(root)}: {target}: there is no such heading"


def index(root):
    for guide in guides(root):
        own = guide.parent / "README.md"
        place = own if own.exists() and guide != own else root / "docs/README.md"
        name = guide.relative_to(place.parent) if root / "docs" in guide.parents else None
        if name and guide != place and f"({name})" not in place.read_text():
            yield f"{place.relative_to(root)} does not name {name}"


def paths(root, file):
    """`a/b.c`, `a/b/` and `a/*.c`; NAME and N stand for any."""
    names = re.findall(r"`([A-Za-z0-9_./*-]+)`", prose((root / file).read_text()))
    named = [each for each in names if "/" in each and not each.startswith(("/", ".", "build"))]
    for name in named:
        if not any(root.glob(re.sub(r"\b(NAME|N)\b", "*", name.rstrip("/")))):
            yield f"{file}: {name} is not there"
    if not named:
        yield f"{file} names no path"


def tests(root, file):
    """In columns that are headed "test"."""
    known = set(re.findall(r"Test +#\d+: (\S+)", sys.stdin.read()))
    known |= {f"bench-{each.stem}" for each in (root / "tests/bench").glob("*.c")} | {"races"}
    named, column = set(), -1
    for line in (root / file).read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if not line.startswith("|"):
            column = -1
        elif "test" in cells:
            column = cells.index("test")
        elif 0 <= column < len(cells):
            named |= set(re.findall(r"`([a-z0-9_.*-]+)`", cells[column]))
    for name in sorted(named):
        pattern = re.escape(name).replace(r"\*", ".*")
        if not any(re.fullmatch(pattern, each) for each in known):
            yield f"{file}: there is no test {name}"
    if len(named) < 5:
        yield f"{file} names {len(named)} tests"


def documented(root):
    """View and columns of each table below "## Columns"."""
    text = (root / "docs/sql.md").read_text().split("\n## Columns\n")[-1]
    for section in re.split(r"^### ", text, flags=re.M)[1:]:
        views = re.findall(r"`([a-z_]+)`", section.splitlines()[0])
        cells = re.findall(r"^\| (`[^|]*) \|", section, flags=re.M)
        yield views, [name for cell in cells for name in re.findall(r"`([a-z0-9_]+)`", cell)]


def columns(root):
    database = sqlite3.connect(":memory:")
    for file in ("sql/schema.sql", "sql/views.sql"):
        database.executescript((root / file).read_text())
    told = {}
    for views, names in documented(root):
        for view in views:
            told[view] = names
    public = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    for view in sorted((set(public) - set(PRIVATE)) | set(told)):
        there = [row[1] for row in database.execute(f"PRAGMA table_xinfo({view})")]
        names = told.get(view, [])
        for name in there:
            if names.count(name) != 1:
                yield f"docs/sql.md has {view}.{name} {names.count(name)} times"
        for name in set(names) - set(there):
            yield f"docs/sql.md: {view} has no column {name}"


def shown_columns(root):
    """Names that stand in lists of columns of the tables of text, and all headings by name."""
    known = dict(re.findall(r'[({]"([a-z0-9_]+)",\s*"([^"]+)"', (root / "tools/report/columns.c").read_text()))
    for file in ("report_text", "bench_text", "bench_mixes", "bench_suites", "bench_rates", "bench_sizes"):
        for text in re.findall(r'"([a-z0-9_ ]+)"', (root / f"tools/report/{file}.c").read_text()):
            if all(word in known for word in text.split()):
                yield from ((word, known[word]) for word in text.split())


def headings(root):
    text = (root / "docs/reports.md").read_text()
    shown = set(shown_columns(root))
    # Parts of lines, no columns.
    for name, heading in sorted(shown):
        if name not in ("size_query_ns", "too_small_ns", "blocking_ns"):
            for word in (name, heading):
                if f"`{word}`" not in text:
                    yield f"docs/reports.md does not explain {word}"
    if len(shown) < 30:
        yield f"{len(shown)} columns are shown"


def main():
    check, root, *arguments = sys.argv[1:]
    wrong = list(globals()[check](pathlib.Path(root).resolve(), *arguments))
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
