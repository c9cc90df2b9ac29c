"""The fault kinds: one module each, `network-loss` is kinds/network_loss.py. What a module may have: host/README.md, Writing a kind."""
import glob
import importlib
import os


def load(kind):
    return importlib.import_module(f"kinds.{kind.replace('-', '_')}")


def call(kind, name, *arguments):
    """What the kind's function says; None when the kind has none of that name."""
    function = getattr(load(kind), name, None)
    return function(*arguments) if function else None


def carried(directory):
    """The kinds whose scripts a program has."""
    return sorted(os.path.basename(path)[:-3] for path in glob.glob(f"{directory}/faults/*.sh"))
