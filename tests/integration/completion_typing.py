#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""Types lines into an interactive bash and waits for what its completion makes of them.

completion_typing.py SCRIPT BIN, with lines "TYPED<tab>EXPECTED" on its standard input: TYPED and the key Tab make the line
EXPECTED. Ends with 1, after it said which, if one does not come within a minute.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

PROMPT = b"ready>"


def until(terminal, expected):
    """Reads until that text has come; False if it does not."""
    end, text = time.monotonic() + 60, b""
    while expected not in text and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            text += os.read(terminal, 65536)
    if expected not in text:
        print(f"{text!r} has no {expected!r}")
    return expected in text


def main():
    script, folder = sys.argv[1:]
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 300, 0, 0))
        os.environ.update(PATH=f"{folder}:{os.environ['PATH']}", TERM="dumb", PS1="", HISTFILE="")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    # Written in two parts, so that the echo of what is typed is not taken for the prompt.
    os.write(terminal, f"bind 'set enable-bracketed-paste off'; . '{script}'; PS1=rea''dy\\>\n".encode())
    good = until(terminal, PROMPT)
    for line in sys.stdin:
        typed, expected = line.rstrip("\n").split("\t")
        os.write(terminal, typed.encode() + b"\t")
        good = good and until(terminal, expected.encode())
        os.write(terminal, b"\x15\n")  # takes the line away
        good = good and until(terminal, PROMPT)
    os.write(terminal, b"exit\n")
    os.close(terminal)
    os.waitpid(child, 0)
    return 0 if good else 1


sys.exit(main())
