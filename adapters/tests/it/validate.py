"""Holds what was sent against the schemas of a document: {"components": …, "checks": [[schema, sent], …]} at stdin.

Prints a line for each thing that is not as its schema says. A field that a schema does not name is one of them.
"""

import json
import sys

from jsonschema import Draft7Validator, FormatChecker

# Written by RabbitMQ itself, beside what the sender wrote.
OF_THE_BROKER = ("x-acquired-count", "x-delivery-count")

asked = json.load(sys.stdin)
components = asked["components"]
for schema in components["schemas"].values():
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
for name, sent in asked["checks"]:
    if name.endswith("Headers"):
        sent = {key: value for key, value in sent.items() if key not in OF_THE_BROKER}
    # Without it nothing would be refused.
    assert name in components["schemas"], f"there is no schema {name}"
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    for error in Draft7Validator(schema, format_checker=FormatChecker()).iter_errors(sent):
        print(f"{name}: {error.json_path}: {error.message}")
