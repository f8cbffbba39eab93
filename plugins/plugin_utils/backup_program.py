# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a scheduled backup as one file, with the pure functions that it shares with the playbooks. Internal.

Python runs a zip file with a C(__main__). The same sources make the same file, so that a second run changes nothing.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections/waent/fleet"
PARTS = (
    "_common/api_codes.py",
    "_common/instruction.py",
    "_common/nearest.py",
    "_common/problem.py",
    "_common/product.py",
    "_common/text.py",
    "_common/version.py",
    "_check/authority.py",
    "_check/backup.py",
    "_desired/app_settings.py",
    "_desired/backup_schedule.py",
    "_io/scheduled_backup.py",
    "_io/tls.py",
    "_io/whole_file.py",
    "_state/cluster.py",
    "_state/user.py",
)
MAIN = """\
import sys
from ansible_collections.waent.fleet.plugins.module_utils._io.scheduled_backup import main
sys.exit(main())
"""
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def program() -> bytes:
    """The file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        names = ["{0}/plugins/module_utils/{1}".format(PACKAGE, part) for part in PARTS]
        # Python takes a directory of a zip file for a package only where it has an entry of its own.
        for directory in sorted({str(parent) for name in names for parent in PurePosixPath(name).parents} - {"."}):
            _add(archive, directory + "/", b"")
        for part in PARTS:
            name = "plugins/module_utils/{0}".format(part)
            _add(archive, "{0}/{1}".format(PACKAGE, name), (ROOT / name).read_bytes())
        _add(archive, "__main__.py", MAIN.encode())
    return content.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
