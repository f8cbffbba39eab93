# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of machines for tests: packages of a release of Debian, installed outside, as containers reach no mirror."""

from __future__ import annotations

import importlib
import subprocess
import tempfile
import typing as t
from pathlib import Path

LABEL = "waent.fleet.test"

# The directory's name is none that an import statement can have.
_host_image = importlib.import_module("ansible_collections.waent.fleet.molecule.resources.host-image.build")


def image_of(kind: str, suite: str, packages: t.Sequence[str], finish: str = "") -> str:
    """Name of an image that holds these packages; made where it is missing.

    kind: a part of its name, and the value of its label. finish: a command of the shell for the finished tree, C($1).
    """
    recipe = (suite, *packages, *_host_image.LEFT_OUT, *([finish] if finish else []))
    name = "waent-{0}:{1}".format(kind, _host_image.digest(*(text.encode() for text in recipe)))
    if _host_image.have_image(name):
        return name
    _host_image.need_mmdebstrap()
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + ",".join(packages)]
    command += ['--aptopt=APT::Install-Recommends "false"']
    command += ["--dpkgopt=path-exclude=" + pattern for pattern in _host_image.LEFT_OUT]
    command += ["--customize-hook=" + finish] if finish else []
    with tempfile.TemporaryDirectory() as directory:
        archive = str(Path(directory, "root.tar"))
        subprocess.run([*command, suite, archive], check=True)
        label = "LABEL {0}={1}".format(LABEL, kind)
        subprocess.run(["docker", "import", "--change", label, archive, name], check=True, stdout=subprocess.DEVNULL)
    return name
