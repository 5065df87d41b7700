#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""The steps of a workflow that GitHub would run: workflow_steps.py FILE EVENT FOLDER [NAME=VALUE...]

Writes each into FOLDER/NUMBER.sh, with the environment of its job ahead; VALUEs replace those of the
workflow. Prints a line for each step: its number, its name; those of others' actions have no file.
"""

import re
import shlex
import sys

import yaml


def value_of(term, known):
    """Of 'text', or of a name that GitHub knows; a name without a value is empty."""
    term = term.strip()
    if term == "always()":
        return "true"
    if re.fullmatch(r"'[^']*'", term):
        return term[1:-1]
    if re.fullmatch(r"(env|secrets|vars|github)\.\w+", term):
        return known.get(term, "")
    sys.exit(f"not understood: {term}")


def holds(condition, known):
    for term in condition.split("&&"):
        parts = re.split(r"\s(==|!=)\s", term)
        left = value_of(parts[0], known)
        if len(parts) == 1:
            true = left != ""
        else:
            true = (left == value_of(parts[2], known)) == (parts[1] == "==")
        if not true:
            return False
    return True


def filled(text, known):
    """${{ A || B }} is the first that is not empty."""
    def first(match):
        values = [value_of(term, known) for term in match[1].split("||")]
        return next((value for value in values if value), "")

    return re.sub(r"\$\{\{(.*?)\}\}", first, str(text))


def main(path, event, folder, *changes):
    with open(path, encoding="utf-8") as file:
        workflow = yaml.safe_load(file)
    # YAML 1.1 reads the key "on" as true.
    assert event in workflow[True], f"{event} starts nothing"
    assert workflow["defaults"]["run"]["shell"] == "sh"
    (job,) = workflow["jobs"].values()
    known = {"github.event_name": event, "github.run_id": "1", "github.repository": "o/p11prof"}
    environment = {name: filled(value, known) for name, value in job["env"].items()}
    environment.update(change.split("=", 1) for change in changes)
    known.update({f"env.{name}": value for name, value in environment.items()})
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    for number, step in enumerate(job["steps"]):
        if not holds(step.get("if", "always()"), known):
            continue
        assert ("run" in step) != ("uses" in step), step
        print(number, step["name"])
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@v\d+", step["uses"]), step["uses"]
            for value in step["with"].values():
                filled(value, known)
            continue
        with open(f"{folder}/{number}.sh", "w", encoding="utf-8") as file:
            file.write(exports + filled(step["run"], known))


main(*sys.argv[1:])
