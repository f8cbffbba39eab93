# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a path at which the kernel waits for who comes (autofs): it comes, and waits no longer than allowed.

What systemd does is tests/support/nfs/systemctl.py; what is mounted is no share, as that needs no server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT

AUTOFS = "autofs" in Path("/proc/filesystems").read_text()
pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not AUTOFS, reason="needs root and a kernel with autofs")

SCRIPT = """
import importlib.util, json, subprocess, sys, time
spec = importlib.util.spec_from_file_location("systemctl", {systemctl!r})
systemctl = importlib.util.module_from_spec(spec)
spec.loader.exec_module(systemctl)
from ansible_collections.waent.fleet.plugins.module_utils._io import bounded, media_share
systemctl.line_of = lambda path: ["media", path, {fstype!r}, "size=1m,noauto,x-systemd.automount"]
if {hangs}:
    systemctl.subprocess = type("Hangs", (), {{"run": staticmethod(lambda *_a, **_b: time.sleep(60))}})
systemctl.pid_file = lambda path: systemctl.Path(path + ".pid")
systemctl.start({path!r})
try:
    began = time.monotonic()
    found = media_share.look({path!r}, 1.0)
    seconds = time.monotonic() - began
finally:
    systemctl.subprocess = subprocess
    systemctl.stop({path!r})
print(json.dumps({{"found": found, "seconds": seconds, "left": bounded.left_behind({path!r}, 0.0)}}))
"""


def looked(tmp_path, fstype="tmpfs", hangs=False):
    """What is read, the seconds that it took, and processes that were left behind; in mounts of its own."""
    systemctl = str(ROOT / "tests" / "support" / "nfs" / "systemctl.py")
    script = SCRIPT.format(systemctl=systemctl, path=str(tmp_path / "media"), fstype=fstype, hangs=hangs)
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", script],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_who_looks_has_it_mounted(tmp_path):
    found = looked(tmp_path)["found"]
    assert (found["mount"]["source"], found["waits"], found["error"]) == ("media", True, None)
    assert found["hidden"] == [], "what waits under it is no mount that is hidden"


def test_what_cannot_be_mounted(tmp_path):
    found = looked(tmp_path, fstype="no-such-filesystem")["found"]
    assert (found["mount"], found["waits"]) == (None, True)


def test_a_mount_that_hangs_is_not_waited_for(tmp_path):
    """As where the server went away after it had answered."""
    answer = looked(tmp_path, hangs=True)
    assert answer["found"]["error"]["name"] == "NO_ANSWER" and answer["found"]["waits"] is True
    assert answer["seconds"] < 10 and answer["left"] == []
