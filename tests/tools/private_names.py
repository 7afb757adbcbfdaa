"""How many tests touch a private name of the code under test: ``python -m tests.tools.private_names``."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]


def _tests(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def _private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def touches(test: ast.FunctionDef) -> bool:
    """Whether ``test`` reads or replaces a private attribute of anything, by name or by text."""
    for node in ast.walk(test):
        if isinstance(node, ast.Attribute) and _private(node.attr):
            return True
        if isinstance(node, ast.ImportFrom) and any(_private(one.name) for one in node.names):
            return True
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        last = text.rsplit(".", 1)[-1]
        if last.isidentifier() and _private(last) and last != "_":
            return True
    return False


def main() -> None:
    """Print the share, and the files with most."""
    by_file: Counter[str] = Counter()
    total = 0
    for path in sorted(TESTS.rglob("test_*.py")):
        for test in _tests(path):
            total += 1
            by_file[str(path.relative_to(TESTS))] += touches(test)
    found = by_file.total()
    print(f"{found} of {total} test functions touch a private name: {found / total:.1%}")
    for name, count in by_file.most_common(8):
        print(f"{count:4} {name}")


if __name__ == "__main__":
    main()
