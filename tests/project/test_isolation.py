# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test that fails fails alone: the next one finds its cluster as new, whatever the one before had changed in it.

Played with clusters that are none, under the hooks and by the code that real ones are used with.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT

EMULATOR = """
import pytest
from tests.cluster.conftest import Cluster, pytest_runtest_makereport

class Pretended(Cluster):
    def __init__(self):
        self.containers, self.spoilt, self.builds, self.shards, self.changed = {}, False, 0, 0, False
        self.divisor = 1.0
    def empty(self):
        self.containers, self.shards, self.changed = {}, 0, False
    def served(self):
        return self.shards
    def serve(self, shards):
        self.shards = shards
    def healthy(self, shards):
        return True

def build(cluster):
    cluster.containers["db"], cluster.builds = None, cluster.builds + 1

@pytest.fixture(scope="module")
def shared():
    return Pretended()

@pytest.fixture
def cluster(shared, request):
    shared.ready(build, request)
    return shared

def begins(shards):
    return pytest.mark.served(shards)
"""
INTEGRATION = """
import pytest
from ansible_collections.waent.fleet.tests.integration import conftest as real
pytest_runtest_makereport, cluster = real.pytest_runtest_makereport, real.cluster

class Pretended(real.LiveCluster):
    def __init__(self):
        self.spoilt, self.builds, self.found, self.changed = False, 0, None, False
    def start(self, shards=0, version=""):
        self.builds, self.found, self.changed = self.builds + 1, (shards, version), False
    def shards(self):
        return self.found[0] if self.found else 0
    def versions(self):
        return {self.found[1]} if self.found else set()
    def faults(self, shards, coreapps=None):
        return []

@pytest.fixture(scope="session")
def shared_cluster():
    return Pretended()

def begins(shards):
    return pytest.mark.begins_with(shards=shards, version="v1")
"""
IMPORT_PATH = (".collections", "emulator", "emulator/src")
TESTS = """
import pytest
from conftest import begins

@pytest.fixture
def broken(cluster):
    cluster.changed = True
    raise OSError("as it comes")

@begins(1)
def test_fails(cluster):
    assert cluster.builds == 1
    cluster.changed = True
    assert False

@begins(1)
def test_after_it(cluster):
    assert (cluster.builds, cluster.changed) == (2, False)

@begins(1)
def test_goes_on_with_what_is_sound(cluster):
    assert cluster.builds == 2

@begins(1)
def test_has_no_beginning(cluster, broken):
    pass

@begins(1)
def test_after_that(cluster):
    assert (cluster.builds, cluster.changed) == (3, False)

@begins(2)
def test_with_another_beginning(cluster):
    assert cluster.builds == 4

@begins(2)
def test_on_it(cluster):
    assert cluster.builds == 4
"""
SOUND = {"after_it", "goes_on_with_what_is_sound", "after_that", "with_another_beginning", "on_it"}


@pytest.mark.parametrize("clusters", [EMULATOR, INTEGRATION], ids=["emulator", "integration"])
def test_only_those_that_fail_fail(tmp_path: Path, clusters: str) -> None:
    (tmp_path / "conftest.py").write_text(clusters)
    (tmp_path / "test_it.py").write_text(TESTS)
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\npythonpath = " + " ".join(str(ROOT / path) for path in IMPORT_PATH))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-c", str(settings), str(tmp_path)],
        cwd=tmp_path,
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    outcome = {name: word for word, name in re.findall(r"^([A-Z]+) test_it.py::test_(\w+)", done.stdout, re.MULTILINE)}
    expected = {**dict.fromkeys(SOUND, "PASSED"), "fails": "FAILED", "has_no_beginning": "ERROR"}
    assert outcome == expected, done.stdout
