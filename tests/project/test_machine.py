# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing presumes a machine that was used before, or one that has nothing else to do."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, TOOLS, load, name_of, tracked
from ansible_collections.waent.fleet.tools import checks as runner

TOOLS_DIRECTORY = ROOT / "tools"
ASKS_A_NETWORK = re.compile(r"""\[["']Gateway["']\]|\bGateway\}|\.get\(["']Gateway["']""")
INSTALLS = re.compile(r"""["']apt-get["'],[^\n]*["']install["']|^\s*(?:sudo |exec )?apt-get\b[^\n]*\binstall\b""", re.M)
CALLS_FOR_PACKAGES = re.compile(
    r"""(?:PACKAGES\)|"packages\.sh"\)),\s*"[^"]*",\s*"([a-z0-9.+-]+)"|^for package in ([a-z -]+);""", re.M
)
BASIC = {"openssl", "python3-requests", "python3-venv"}
"""What a machine may have had before: it stays when everything else goes."""
LEAST_PATIENCE = 30
"""Real seconds that a wait has to last at least: what ends it earlier fails where the machine is busy."""


def test_only_a_running_container_is_asked_for_its_gateway() -> None:
    """An engine that runs for the first time does not show it of its default bridge."""
    home = ROOT / "tests" / "support" / "this_machine.py"
    asking = [
        str(path.relative_to(ROOT))
        for path in tracked("*.py", "*.sh", "*.yml", "*.j2")
        if path not in (home, Path(__file__)) and ASKS_A_NETWORK.search(path.read_text())
    ]
    assert asking == []
    assert ASKS_A_NETWORK.search(home.read_text())


def test_packages_are_installed_in_one_place() -> None:
    """It knows that a new machine has no package lists, and that somebody else may hold apt's lock."""
    home = ROOT / "tools" / "lib.sh"
    others = [path for path in tracked("*.py", "*.sh") if path != home and "roles" not in path.parts]
    assert [str(path.relative_to(ROOT)) for path in others if INSTALLS.search(path.read_text())] == []


def test_what_is_installed_on_the_way_goes_with_the_rest() -> None:
    places = [*tracked("tools/*.sh"), *tracked("emulator/*.py", "molecule/*.py")]
    calls = [" ".join(call) for path in places for call in CALLS_FOR_PACKAGES.findall(path.read_text())]
    engine = load(ROOT / "roles" / "docker_engine" / "defaults" / "main.yml")
    found = {*" ".join(calls).split(), *engine["wa_engine_packages"]}
    assert {"docker-compose", "docker.io", "haproxy", "mmdebstrap"} <= found
    script = (TOOLS_DIRECTORY / "wipe_machine.sh").read_text()
    wiped = re.search(r"^PACKAGES=\((.*)\)$", script, re.M)
    assert wiped
    assert found - BASIC <= set(wiped[1].split())


def run_tool(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A script of tools/, with a changed environment."""
    command = [str(TOOLS_DIRECTORY / name), *arguments]
    given = {**os.environ, **environment}
    return subprocess.run(command, env=given, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("arguments", [(), ("--yes",), ("--yes-destroy-all-docker-data", "too"), ("-y",)])
def test_without_the_exact_word_nothing_is_wiped(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / ".ansible").mkdir()
    done = run_tool("wipe_machine.sh", *arguments, HOME=str(tmp_path))
    assert done.returncode == 1
    assert (tmp_path / ".ansible").is_dir()
    assert "Nothing was touched" in done.stderr or done.stderr.startswith("usage: tools/wipe_machine.sh [--yes-")


@pytest.fixture
def programs(tmp_path: Path) -> t.Callable[..., str]:
    """Makes a PATH on which some programs are others: name to the shell commands that it is."""

    def make(**scripts: str) -> str:
        for name, commands in scripts.items():
            (tmp_path / name).write_text("#!/bin/sh\n" + commands + "\n")
            (tmp_path / name).chmod(0o755)
        return os.pathsep.join([str(tmp_path), os.environ.get("PATH", os.defpath)])

    return make


NO_ENGINE = "No Docker Engine answers: install"
ANSWERS = {
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?": NO_ENGINE,
    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct": NO_ENGINE,
    "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock": "join its group",
    "Error response from daemon: client version 1.41 is too old. Minimum supported API version is 1.44": "is too old",
    "Error response from daemon: client version 1.50 is too new. Maximum supported API version is 1.41": "is too new",
    "error during connect: context deadline exceeded": "context deadline exceeded",
    "Cannot connect: unknown docker context": "unknown docker context",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_engine_is_installed_only_where_none_listens(programs: t.Callable[..., str], answer: str) -> None:
    """A command line that is older or newer than its engine is no reason to install another one beside it."""
    path = programs(docker="echo '{0}' >&2; exit 1".format(answer), id="echo 1000")
    done = run_tool("engine.sh", PATH=path, DOCKER_HOST="")
    assert (done.returncode, done.stdout) == (1, "")
    assert ANSWERS[answer] in done.stderr
    assert (NO_ENGINE in done.stderr) is (ANSWERS[answer] == NO_ENGINE)


def test_an_engine_elsewhere_is_not_replaced_by_one_here(programs: t.Callable[..., str]) -> None:
    path = programs(docker="echo 'Cannot connect to the Docker daemon at tcp://there:1.' >&2; exit 1", id="echo 0")
    done = run_tool("engine.sh", PATH=path, DOCKER_HOST="tcp://there:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "DOCKER_HOST=tcp://there:1" in done.stderr


LOCALES = [
    {"LC_ALL": "xx_XX.UTF-8"},
    {"LC_ALL": "C"},
    {"LC_ALL": "", "LANG": "xx_XX.UTF-8"},
    {"LC_ALL": "", "LANG": "C.UTF-8", "LC_TIME": "xx_XX.UTF-8"},
    {"LC_ALL": "", "LANG": "C.UTF-8"},
]


@pytest.mark.parametrize("environment", LOCALES, ids=str)
def test_a_locale_that_the_machine_lacks_keeps_nothing_from_starting(environment: dict[str, str]) -> None:
    """An SSH client sends its own along, and a new machine has none but C's."""
    ansible = '"{0}" --version >/dev/null'.format(TOOLS / "ansible")
    command = ["bash", "-c", ". tools/lib.sh; " + ansible]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("environment", LOCALES, ids=str)
def test_checks_are_run_with_a_locale_that_the_machine_has(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    given = {**os.environ, **runner.usable_locale()}
    done = subprocess.run([str(TOOLS / "ansible"), "--version"], env=given, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


def impatient_waits(source: str) -> list[int]:
    """Lines that wait for something with a limit of few real seconds, and processor time that is compared."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in ("process_time", "thread_time"):
            found.append(node.lineno)
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        limits = [keyword.value for keyword in node.keywords if keyword.arg == "timeout" and called.endswith(".wait")]
        if called in ("asyncio.wait_for", "asyncio.timeout", "until") or called.endswith("process.wait"):
            limits += node.args[-1:]
        seconds = [limit.value for limit in limits if isinstance(limit, ast.Constant)]
        if any(isinstance(value, (int, float)) and value < LEAST_PATIENCE for value in seconds):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("await asyncio.wait_for(x(), 5)", [1]),
        ("\nwith asyncio.timeout(1.5): pass", [2]),
        ("process.wait(timeout=10)", [1]),
        ("await until(lambda: x, 2)", [1]),
        ("assert time.process_time() < 1.5", [1]),
        ("await asyncio.wait_for(x(), PATIENCE)\nprocess.wait(timeout=60)\nfuture.wait(lambda: 1, 10)", []),
    ],
)
def test_what_counts_as_impatient(source: str, lines: list[int]) -> None:
    assert impatient_waits(source) == lines


@pytest.mark.parametrize("path", tracked("emulator/tests/*.py", "tests/*.py"), ids=name_of)
def test_no_test_has_a_tight_clock(path: Path) -> None:
    if path != Path(__file__):
        assert impatient_waits(path.read_text()) == []


def test_images_that_tests_make_are_named_in_one_place() -> None:
    """It names them after their cluster: what another check makes and removes meanwhile has another name."""
    home = ROOT / "tests" / "support" / "fake_version.py"
    makes = re.compile(r"\b(?!connection\b)\w+\.commit\(")
    others = [path for path in tracked("tests/*.py", "emulator/tests/*.py") if path not in (home, Path(__file__))]
    assert [str(path.relative_to(ROOT)) for path in others if makes.search(path.read_text())] == []
    assert makes.search(home.read_text())


def ports_left_to_the_engine(source: str) -> list[int]:
    """Lines that run a container at once, with a port of the engine's choice."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("containers.run")
        for keyword in node.keywords
        if keyword.arg == "ports"
        if any(isinstance(part, ast.Constant) and part.value is None for part in ast.walk(keyword.value))
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("engine.containers.run(IMAGE, ports={'80/tcp': None})", [1]),
        ("\nself.engine.containers.run(IMAGE, ports={'80/tcp': (address, None)})", [2]),
        ("engine.containers.run(IMAGE, ports={'80/tcp': ('127.0.0.1', 8080)})", []),
        ("run_with_ports(engine, IMAGE, ports={'80/tcp': None})", []),
    ],
)
def test_what_leaves_a_port_to_the_engine(source: str, lines: list[int]) -> None:
    assert ports_left_to_the_engine(source) == lines


@pytest.mark.parametrize("path", tracked("emulator/*.py", "tests/*.py", "benchmarks/*.py"), ids=name_of)
def test_ports_of_the_engines_choice_may_be_in_use(path: Path) -> None:
    """The engine tries ten; run_with_ports of tests/support goes on."""
    if path != Path(__file__):
        assert ports_left_to_the_engine(path.read_text()) == []
