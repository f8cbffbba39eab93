# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test sanity, all of it and with no ignore file, over the collection as it would be published.

The artifact is built, unpacked where ansible-test wants it, and tested there. Arguments are handed on to ansible-test
(for example C(--test validate-modules)). ansible-test keeps an environment per test under its home directory: that is
.cache/sanity/home here, so that the second run is quick and C(make clean) leaves nothing behind.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
WORK = ROOT / ".cache" / "sanity"
HOME = WORK / "home"
COLLECTION = WORK / "ansible_collections" / "waent" / "fleet"

# ansible-test fetches a script that puts pip into its environments. Where the download is blocked, Python's own
# copy of pip does the same.
PIP_FROM_PYTHON = "import ensurepip\n\nensurepip.bootstrap()\n"
WHERE_TO_PUT_IT = re.compile(r"manually downloaded and saved to: (\S+)")


def unpack_artifact() -> None:
    """Build the collection and lay it out as an installed one; git shows ansible-test which files belong to it."""
    shutil.rmtree(COLLECTION, ignore_errors=True)
    COLLECTION.mkdir(parents=True)
    build = [str(TOOLS / "ansible-galaxy"), "collection", "build", "--force", "--output-path", str(WORK)]
    subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    artifact = max(WORK.glob("waent-fleet-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    with tarfile.open(artifact) as archive:
        archive.extractall(COLLECTION)
    subprocess.run(["git", "init", "--quiet"], cwd=COLLECTION, check=True)
    subprocess.run(["git", "add", "--all"], cwd=COLLECTION, check=True)


def hand_on_pip_settings() -> None:
    """Give the pip of ansible-test's environments the settings of ours: it sees neither our home nor our variables."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    settings: dict[str, str] = {}
    for line in listing.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            settings[name.rpartition(".")[2].replace("_", "-")] = str(ast.literal_eval(value))
    certificates = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    if certificates:
        settings.setdefault("cert", certificates)
    lines = ["[global]"]
    lines += ["{0} = {1}".format(name, value.strip().replace("\n", "\n  ")) for name, value in settings.items()]
    config = HOME / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("\n".join(lines) + "\n")


def runs(python: Path) -> bool:
    """Whether a file named like an interpreter is one: the shims of version managers often are not."""
    return subprocess.run([str(python), "-c", ""], capture_output=True, check=False).returncode == 0


def search_path() -> str:
    """PATH without directories whose interpreters do not run: ansible-test takes what it finds there by name."""
    kept = [
        directory
        for directory in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if all(runs(python) for python in Path(directory).glob("python3.[0-9]*") if "-" not in python.name)
    ]
    return os.pathsep.join([str(TOOLS), *kept])


def sanity(arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run ansible-test, showing its output; returns its exit code and the output."""
    command = [str(TOOLS / "ansible-test"), "sanity", "--local", "--color", "no", *arguments]
    lines = []
    with subprocess.Popen(
        command, cwd=COLLECTION, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            print(line, end="", flush=True)
    return process.returncode, "".join(lines)


def main() -> int:
    """Returns the exit code of ansible-test."""
    unpack_artifact()
    hand_on_pip_settings()
    environment = {**os.environ, "HOME": str(HOME), "PATH": search_path()}
    code, output = sanity(sys.argv[1:], environment)
    blocked = WHERE_TO_PUT_IT.search(output)
    if code != 0 and blocked:
        script = Path(blocked[1])
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(PIP_FROM_PYTHON)
        print("The download of pip is blocked: taking Python's own copy and starting again.", flush=True)
        code, output = sanity(sys.argv[1:], environment)
    return code


if __name__ == "__main__":
    sys.exit(main())
