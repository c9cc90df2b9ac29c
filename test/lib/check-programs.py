"""Reads {name: {path: text}}, programs for a host, and writes what each lacks: {name: {missing, problem}}.

`missing` is what its modules import and is neither among them nor in Python: `who:what`. `problem` is what Python says
when it imports all of them, but for the workers, which are commands; null: nothing."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from traceback import format_exc


class Imports(ast.NodeVisitor):
    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        self.modules: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        if not ast.unparse(node.test).endswith("TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.modules |= {name.name for name in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        origin = "." * node.level + (node.module or "")
        folder = origin.replace(".", "/")
        own = self.files.get(f"{folder}/__init__.py", "")
        is_package = any(path.startswith(folder + "/") for path in self.files)
        names = {name.name for name in node.names if not re.search(rf"\b{name.name}\b", own)}
        self.modules |= {f"{origin}.{name}" for name in names} if is_package else {origin}


def missing(files: dict[str, str]) -> list[str]:
    found: list[str] = []
    for path, text in sorted(files.items()):
        imports = Imports(files)
        imports.visit(ast.parse(text))
        for module in sorted(imports.modules):
            place = module.replace(".", "/")
            there = f"{place}.py" in files or any(other.startswith(place + "/") for other in files)
            if not there and module.split(".")[0] not in sys.stdlib_module_names:
                found.append(f"{path}:{module}")
    return found


def problem(files: dict[str, str]) -> str | None:
    """In a process of its own: the modules of all programs have the same names."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        said = ""
        try:
            with tempfile.TemporaryDirectory() as directory:
                import_all(Path(directory), files)
        except BaseException:
            said = format_exc()
        with os.fdopen(writing, "w") as pipe:
            pipe.write(said or "imported")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return None if said == "imported" else said or "Python ended without a word"


def import_all(directory: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    sys.path.insert(0, str(directory))
    for path in sorted(files):
        if path.startswith("workers/"):
            continue
        name = path[: -len(".py")].replace("/", ".")
        module = import_module(name[: -len(".__init__")] if name.endswith(".__init__") else name)
        # Not one of Python's own that this process has imported before.
        assert module.__file__ == str(directory / path), f"{path} is {module.__file__}"


def main() -> None:
    programs: dict[str, dict[str, str]] = json.load(sys.stdin)
    answer = {name: {"missing": missing(files), "problem": problem(files)} for name, files in programs.items()}
    json.dump(answer, sys.stdout)


sys.dont_write_bytecode = True
main()
