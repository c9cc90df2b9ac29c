"""A store that runs and serves nobody, because it shut its own doors under a fault: one module an engine that does so,
with one function `reopen`."""

from __future__ import annotations

import importlib
import importlib.util
import os

from linux import engine_process, processes
from record import FaultRecord

TICKS = os.sysconf("SC_CLK_TCK")


def run(record: FaultRecord) -> bool:
    """Had it shut them, and is it asked to open? Raises OSError when it could not be asked. No for one that began
    after the fault: it is still on its way."""
    name = f"reopening.{record.engine}"
    if importlib.util.find_spec(name) is None or processes.listening_inodes(record.node_port):
        return False
    pid = engine_process.main_pid(record.values["unit"])
    found = processes.stat(pid) if pid else None
    if not found or int(found.start_time) / TICKS > record.armed_at_seconds:
        return False
    importlib.import_module(name).reopen()
    return True
