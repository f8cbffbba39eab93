# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every release of ansible-core that the collection works with, each in an environment of its own.

What meta/runtime.yml, galaxy.yml and README claim is compared with the releases, Pythons and collections here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import typing as t
from importlib import metadata
from pathlib import Path

from ansible_collections.waent.fleet.tests.support import debian13
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, TOOLS
from ansible_collections.waent.fleet.tools.lock import CORES

ENVIRONMENTS = ROOT / ".cache" / "cores"


def minor(version: str) -> str:
    """C(2.17) of C(2.17.14)."""
    return ".".join(version.split(".")[:2])


#: The release of .venv.
OF_VENV = minor(metadata.version("ansible-core"))
#: Those with a lock file of their own, and the Python they need where it is a newer one than that of .venv.
PYTHONS = {name.removeprefix("core-"): python for name, python in CORES.items()}
#: All of them, oldest first.
RELEASES = sorted([*PYTHONS, OF_VENV], key=lambda release: tuple(map(int, release.split("."))))
NEWEST = RELEASES[-1]
#: The newest Python that the older ones run on: those without a Python of their own.
NEWEST_PYTHON = (3, 12)


class NoPython(Exception):
    """No Python of this machine runs these releases; the text says which ones would."""


class Pair(t.NamedTuple):
    """A release, and which of the collections that galaxy.yml admits it meets: C(oldest) or C(newest)."""

    release: str
    collections: str

    def __str__(self) -> str:
        return "-".join(self)


def python() -> str:
    """A Python for the older releases: the one that runs this where it will do."""
    if sys.version_info[:2] <= NEWEST_PYTHON:
        return sys.executable
    for name in ("python3.11", "python3.12"):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", "import ensurepip"], check=False).returncode == 0:
            return found
    raise NoPython("these releases of ansible-core need Python 3.11 or 3.12, with venv")


def lock_of(release: str) -> Path:
    """The lock file of a release other than that of .venv."""
    return ROOT / "requirements" / "core-{0}.txt".format(release)


def environment_of(release: str) -> Path:
    """Directory of the environment; made where it is missing or of another lock file."""
    lock = lock_of(release)
    directory = ENVIRONMENTS / release
    stamp = directory / ".installed"
    expected = hashlib.sha256(b"venv\n" + lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == expected:
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    if PYTHONS[release]:
        wheels_of(release).mkdir(parents=True)
        debian13.fetch_wheels(lock, wheels_of(release))
        debian13.make_environment(directory / "venv", wheels_of(release), "--no-deps", "-r", str(lock))
    else:
        subprocess.run([python(), "-m", "venv", str(directory / "venv")], check=True)
        install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile", "--no-deps"]
        subprocess.run([str(directory / "venv" / "bin" / "python"), *install, "-r", str(lock)], check=True)
    stamp.write_text(expected)
    return directory


def wheels_of(release: str) -> Path:
    """Where the packages of a release with a Python of its own lie as files, once its environment is made."""
    return ENVIRONMENTS / release / "wheels"


def programs_of(release: str) -> Path:
    """Directory of the programs of a release."""
    if release == OF_VENV:
        return TOOLS
    directory = environment_of(release)
    if not PYTHONS[release]:
        return directory / "venv" / "bin"
    debian13.write_programs(directory / "bin", directory / "venv", collections_of("oldest"))
    return directory / "bin"


def collections_of(which: str) -> Path:
    """Directory with the oldest collections, those of .venv, or with the newest, which come with the newest release."""
    if which == "oldest":
        return Path(str(metadata.distribution("ansible").locate_file(""))).resolve()
    libraries = environment_of(NEWEST) / "venv" / "lib"
    return libraries / "python{0}".format(PYTHONS[NEWEST]) / "site-packages"


def variables_of(pair: Pair) -> dict[str, str]:
    """Environment variables with which C(ansible-playbook) is the one of this release, and meets these collections."""
    path = os.pathsep.join([str(programs_of(pair.release)), os.environ.get("PATH", os.defpath)])
    collections = os.pathsep.join([str(ROOT / ".collections"), str(collections_of(pair.collections))])
    return {"PATH": path, "ANSIBLE_COLLECTIONS_PATH": collections}


def output_of(variables: t.Mapping[str, str], *command: str) -> str:
    """Output of a program of a release; it must succeed."""
    given = {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=given, check=True, capture_output=True, text=True).stdout
