#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
"""schema_check.py SCHEMA DOCUMENT...: checks documents against a JSON Schema. What the schema does
not name is an error here, so that a new column gets its line in it."""
import json
import sys

import jsonschema


def load(path):
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def close(schema):
    """Forbids properties that are not named."""
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
    for value in schema.values():
        if isinstance(value, dict):
            close(value)


schema = load(sys.argv[1])
jsonschema.Draft202012Validator.check_schema(schema)
close(schema)
validator = jsonschema.Draft202012Validator(schema)
errors = [(path, error) for path in sys.argv[2:] for error in validator.iter_errors(load(path))]
for path, error in errors[:20]:
    print("%s: %s: %s" % (path, error.json_path, error.message[:300]))
sys.exit(1 if errors else 0)
