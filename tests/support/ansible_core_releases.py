# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments with older releases of ansible-core; the collections are those of the environment that runs this."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import typing as t
from importlib import metadata
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.checkout import ROOT

ENVIRONMENTS = ROOT / ".cache" / "cores"
COLLECTIONS = Path(str(metadata.distribution("ansible").locate_file("")))
#: Every release that is tested: those with a lock file of their own, oldest first. The newest one is that of .venv.
RELEASES = sorted(path.stem.removeprefix("core-") for path in (ROOT / "requirements").glob("core-*.txt"))
#: The newest Python that all of them run on.
NEWEST_PYTHON = (3, 12)


class NoPython(Exception):
    """No Python of this machine runs these releases; the text says which ones would."""


def python() -> str:
    """A Python for the environments: the one that runs this where it will do."""
    if sys.version_info[:2] <= NEWEST_PYTHON:
        return sys.executable
    for name in ("python3.11", "python3.12"):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", "import ensurepip"], check=False).returncode == 0:
            return found
    raise NoPython("these releases of ansible-core need Python 3.11 or 3.12, with venv")


def environment_of(release: str) -> Path:
    """Directory of the environment; made where it is missing or of another lock file."""
    lock = ROOT / "requirements" / "core-{0}.txt".format(release)
    directory = ENVIRONMENTS / release
    stamp = directory / ".installed"
    expected = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == expected:
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    subprocess.run([python(), "-m", "venv", str(directory)], check=True)
    install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile", "--no-deps"]
    subprocess.run([str(directory / "bin" / "python"), *install, "-r", str(lock)], check=True)
    stamp.write_text(expected)
    return directory


def variables_of(release: str) -> dict[str, str]:
    """Environment variables with which C(ansible-playbook) is the one of this release."""
    path = os.pathsep.join([str(environment_of(release) / "bin"), os.environ.get("PATH", os.defpath)])
    return {"PATH": path, "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join([str(ROOT / ".collections"), str(COLLECTIONS)])}


def version_of(variables: t.Mapping[str, str]) -> str:
    """The release that would run, C(2.17): what the tests say about others would be worth nothing."""
    done = subprocess.run(
        ["ansible-playbook", "--version"],
        cwd=ROOT,
        env={**os.environ, **variables},
        check=True,
        capture_output=True,
        text=True,
    )
    return ".".join(done.stdout.split("core ")[1].split("]")[0].split(".")[:2])
