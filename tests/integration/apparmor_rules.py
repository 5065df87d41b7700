#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""apparmor_rules.py SNIPPET TRACE...: whether the rules of the snippet allow what strace -f -y saw a
program do, once it had opened the shim. Prints what they do not, and rules that nothing needed."""
import re
import sys

VARIABLES = {"@{multiarch}": "*-linux-gnu*", "@{HOME}": "{/root,/home/*}", "@{PROC}": "/proc",
             "@{pid}": "[0-9]*"}
# abstractions/base; overcommit_memory is what glibc's free() looks at before it shrinks a heap
BASE = ["/etc/ld.so.cache mr", "/{usr/,}lib{,32,64}/** mr", "/dev/null rw", "/dev/urandom r",
        "/sys/devices/system/cpu/online r", "/proc/sys/vm/overcommit_memory r"]


def pattern(glob):
    """The regular expression of an AppArmor glob."""
    for name, value in VARIABLES.items():
        glob = glob.replace(name, value)
    parts = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
    tokens = re.findall(r"\*\*|\[[^]]*\]|.", glob)
    text = "".join(parts.get(token, token if token[0] == "[" and len(token) > 1
                             else re.escape(token)) for token in tokens)
    return re.compile(text.replace("[0-9][^/]*", "[0-9]+") + r"\Z")


def rules_of(lines):
    for line in lines:
        words = line.split("#")[0].strip().rstrip(",").split()
        if words and words[0] == "owner":
            words = words[1:]
        if len(words) == 2 and words[0][0] in "/@":
            yield line.strip(), pattern(words[0]), set(words[1])


def needs_of(line):
    """(path, permissions) of one line of a trace; folders end with a slash."""
    call = re.match(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)\) += (-?\d+)", line)
    if not call or int(call[3]) < 0:
        return
    name, arguments = call[1], call[2]
    names = re.findall(r'"(/[^"]*)"', arguments)
    target = re.search(r"= \d+<(/[^>]*)>", line)
    if name == "openat" and target and "O_PATH" not in arguments:
        mode = {"O_RDONLY": "r", "O_WRONLY": "w", "O_RDWR": "rw"}
        wanted = set(mode[re.search(r"O_(?:RDONLY|WRONLY|RDWR)", arguments)[0]])
        wanted |= {"w"} if "O_CREAT" in arguments else set()
        yield target[1] + ("/" if "O_DIRECTORY" in arguments else ""), wanted
    elif name in ("flock", "fcntl", "fchmod", "fchown", "mmap"):
        file = re.search(r"\d+<(/[^>]*)>", arguments)
        locks = name == "flock" or re.search(r"F_(OFD_)?SETLK", arguments)
        wanted = ({"k"} if locks else {"w"} if name in ("fchmod", "fchown") else
                  {"m"} if "PROT_EXEC" in arguments else None)
        if file and wanted:
            yield file[1], wanted
    elif name == "mkdir":
        yield names[0] + "/", {"w"}
    elif name == "mkdirat":
        where, made = re.search(r'<(/[^>]*)>, "([^"]*)"', arguments).groups()
        yield where.rstrip("/") + "/" + made + "/", {"w"}
    elif name == "rename":
        yield names[0], {"r", "w"}
        yield names[1], {"w"}
    elif name == "link":
        yield names[1], {"l"}
    elif name == "unlink":
        yield names[0], {"w"}
    elif name in ("sendto", "connect"):
        path = re.search(r'sun_path="([^"]*)"', arguments)
        if path:
            yield path[1], {"w"}


def needs_in(trace):
    """What a program did from the moment that it opened the shim."""
    ours = False
    for line in open(trace, encoding="utf-8", errors="replace"):
        ours = ours or ("openat(" in line and "p11prof-shim-test.so" in line)
        if ours:  # /counts is the application's own
            yield from (need for need in needs_of(line) if not need[0].endswith("/counts"))


def main(snippet, traces):
    rules = list(rules_of(open(snippet, encoding="utf-8")))
    base = list(rules_of(BASE))
    needs = [need for trace in traces for need in needs_in(trace)]
    folders = {path.rsplit("/", 1)[0] for path, _ in needs}
    used, missing = set(), set()
    for path, wanted in needs:
        path += "/" if path in folders else ""
        allowed = set()
        for text, glob, permissions in rules + base:
            if glob.match(path) and permissions & wanted:
                used.add(text)
                allowed |= permissions
        if not wanted <= allowed:
            missing.add(f"{path} {''.join(sorted(wanted - allowed))}")
    print(f"{len(needs)} accesses, rules that were needed: {len(used)}")
    for text in sorted(missing):
        print("not allowed:", text)
    for text, _, _ in rules:
        if text not in used:
            print("not needed:", text)
    return 0 if needs and not missing else 1


sys.exit(main(sys.argv[1], sys.argv[2:]))
