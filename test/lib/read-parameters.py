"""Reads JSON lines {script, parameters} on stdin, prints for each what the host's own check says of them, or null."""

from __future__ import annotations

import json
import os
import sys

sys.path.insert(0, sys.argv[1])
import parameters
import specification

for line in sys.stdin:
    command = json.loads(line)
    os.environ.update({"SSM_" + name: value for name, value in command["parameters"].items()})
    try:
        parameters.read_fault(command["script"])
        answer = None
    except parameters.Refused as refusal:
        answer = str(refusal)
    for name in command["parameters"]:
        del os.environ["SSM_" + name]
    print(json.dumps({"refusal": answer, "resource": specification.RESOURCES[command["script"]]}))
