"""The floors of the emulator: who may import whom, read from the syntax tree of every module (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
LONGEST_CLASS = 200  # lines

# From the bottom to the top. Rooms on one floor do not know each other; each may use all floors below it.
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "appsettings",
        "clock",
        "codes",
        "environment",
        "logs",
        "mediavolume",
        "messageids",
        "passwords",
        "phone",
        "pidfile",
        "requestid",
        "shards",
        "versions",
    ),
    ("protocol",),
    ("whatsapp", "schema"),
    ("store",),
    ("mediagc", "upgrade"),
    ("core", "web", "gateway", "probe"),
    ("__main__",),
)
GROUND = frozenset(FLOORS[0])  # single modules, which may use each other, without a circle
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

Imports = Mapping[str, frozenset[str]]
"""Module to the modules it imports, wherever in it: at the top, in a function, for types alone."""


def modules(source: Path) -> dict[str, ast.Module]:
    """Every module of the emulator by its dotted name; a package is its C(__init__)."""
    found = {}
    for file in sorted((source / "waemu").rglob("*.py")):
        name = ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(file.read_text(), str(file))
    return found


def imports(trees: Mapping[str, ast.Module], packages: frozenset[str]) -> Imports:
    """What each module imports of the emulator. A relative import counts too."""
    return {name: frozenset(_imported(name, tree, trees, packages)) for name, tree in trees.items()}


def _imported(name: str, tree: ast.Module, trees: Mapping[str, ast.Module], packages: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in trees)
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".")
            above = parts[: len(parts) - node.level + (name in packages)] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                if whole in trees or module in trees:
                    yield whole if whole in trees else module


def room(module: str) -> str:
    """The part of the emulator a module is in: C(core) for C(waemu.core.master)."""
    return module.split(".")[1] if "." in module else ""


def wrong_imports(found: Imports) -> list[str]:
    """Imports of a room that is not on a floor below, each as a sentence."""
    return [
        f"{importer} must not import {imported}"
        for importer in sorted(found)
        for imported in sorted(found[importer])
        if not _allowed(room(importer), room(imported))
    ]


def _allowed(importer: str, imported: str) -> bool:
    if imported in ("", importer):  # the package itself holds nothing
        return True
    if {importer, imported} <= GROUND:
        return True
    return bool(importer) and FLOOR_OF[imported] < FLOOR_OF[importer]


def circle(found: Imports) -> list[str]:
    """Modules that import each other in a circle, the first one again at the end; empty when there are none."""
    done: set[str] = set()

    def walk(path: list[str]) -> list[str]:
        for imported in sorted(found[path[-1]]):
            if imported in path:
                return [*path[path.index(imported) :], imported]
            if imported not in done and (round_trip := walk([*path, imported])):
                return round_trip
        done.add(path[-1])
        return []

    for name in sorted(found):
        if name not in done and (round_trip := walk([name])):
            return round_trip
    return []


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """The emulator."""
    return modules(SOURCE)


def _packages(trees: Mapping[str, ast.Module]) -> frozenset[str]:
    return frozenset(name for name in trees if any(other.startswith(f"{name}.") for other in trees))


def test_every_room_has_its_floor(trees: dict[str, ast.Module]) -> None:
    assert {room(name) for name in trees} - {""} == set(FLOOR_OF)


def test_nobody_imports_upwards_nor_a_neighbour(trees: dict[str, ast.Module]) -> None:
    assert wrong_imports(imports(trees, _packages(trees))) == []


def test_no_modules_import_each_other(trees: dict[str, ast.Module]) -> None:
    assert circle(imports(trees, _packages(trees))) == []


def test_every_class_can_be_read_at_once(trees: dict[str, ast.Module]) -> None:
    longer = {
        f"{name}.{node.name}": lines
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and (lines := _lines(node)) > LONGEST_CLASS
    }
    assert longer == {}


def _lines(node: ast.ClassDef) -> int:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return (node.end_lineno or first) - first + 1


@pytest.mark.parametrize(
    ("module", "line", "sentence"),
    [
        ("waemu.core.master", "from waemu.gateway.links import Link", "must not import waemu.gateway.links"),
        ("waemu.core.master", "from waemu.gateway import links", "must not import waemu.gateway.links"),
        ("waemu.core.master", "import waemu.web.auth", "must not import waemu.web.auth"),
        ("waemu.core.master", "from ..web import auth", "must not import waemu.web.auth"),
        ("waemu.protocol.nodes", "from waemu.whatsapp.users import Users", "must not import waemu.whatsapp.users"),
        ("waemu.protocol.nodes", "from waemu.core import node", "must not import waemu.core.node"),
        ("waemu.whatsapp.users", "from waemu.store import users", "must not import waemu.store.users"),
        ("waemu.clock", "from waemu.protocol import nodes", "must not import waemu.protocol.nodes"),
        ("waemu.gateway.links", "def f():\n    from waemu.core import node", "must not import waemu.core.node"),
    ],
)
def test_a_new_wrong_import_is_found(trees: dict[str, ast.Module], module: str, line: str, sentence: str) -> None:
    worse = {**trees, module: ast.parse(f"{ast.unparse(trees[module])}\n{line}\n")}
    assert wrong_imports(imports(worse, _packages(trees))) == [f"{module} {sentence}"]


def test_a_new_circle_is_found(trees: dict[str, ast.Module]) -> None:
    line = "if TYPE_CHECKING:\n    from waemu.web.endpoint import Endpoint\n"
    worse = {**trees, "waemu.web.auth": ast.parse(ast.unparse(trees["waemu.web.auth"]) + "\n" + line)}
    found = circle(imports(worse, _packages(trees)))
    assert {"waemu.web.auth", "waemu.web.endpoint"} <= set(found)
    assert found[0] == found[-1]
