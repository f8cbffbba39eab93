# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The media share of hosts that are real and have none: with which options each has it, kept in files."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import KEYS, MOUNTED, read_media_share
from ansible_collections.waent.fleet.tests.support.pretend_hosts import media_answer, share_as_read

MACHINES = "machines"
"""A file with the name of the container that is each host, by the host's name."""


COPY_UNDER = """
mountpoint -q "$1" || exit 0
unshare --mount sh -ec 'umount "$1"; cd "$1"; find . -type f -printf "%P\\n" >&2; tar c .' - "$1" 2>/tmp/copied \
  | tar x --skip-old-files -C "$1"
cat /tmp/copied
"""


class PretendedShare:
    """directory: for the files. Mounting works, and every token is seen."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def opts(self, host: str) -> list[str]:
        """With which options it is mounted; none where it is not."""
        file = self.directory / (host + ".opts")
        return list(json.loads(file.read_text())) if file.exists() else []

    def running_when_mounted(self) -> list[tuple[str, list[str]]]:
        """Each time in which options were changed: the host, and the nodes that ran there."""
        file = self.directory / "mounted"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(host, nodes) for host, nodes in map(json.loads, lines)]

    def read(self, host: t.Mapping[str, t.Any], raw: t.Any) -> dict[str, t.Any] | None:
        """What wa_host_info would have read: nodes that run have the share.

        But for those that really have the directory under what the machine has mounted there.
        """
        real = host["media_share"] or {}
        apart = {key: list(real.get(key) or ()) for key in ("apart", "apart_containers")}
        (self.directory / (host["name"] + ".apart")).write_text(json.dumps(apart["apart_containers"]))
        running = [node for node in host["containers"] if node["kind"] and node["state"] == "running"]
        running = [node for node in running if node["kind"] != "database"]
        found = share_as_read({**host, "containers": running}, raw, self.opts(host["name"]))
        proof = self.directory / "proof"
        if found and proof.exists():
            found["proof"] = {"age_seconds": 0.0, "run": "5f3a", "hosts": json.loads(proof.read_text())}
        return {**found, **apart} if found else None

    def step(self, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """What a step of wa_nfs_media returns; the proof of one that is to be mounted changes the mount.

        Who has proved it is kept, as on the share.
        """
        share, _problems = read_media_share({key: options.get(key) for key in KEYS})
        host = str(options["name"])
        if share and options["step"] == "prove" and share.state == MOUNTED and self.opts(host) != list(share.opts):
            with (self.directory / "mounted").open("a") as noted:
                noted.write(json.dumps([host, self._nodes_of(host)]) + "\n")
            (self.directory / (host + ".opts")).write_text(json.dumps(share.opts))
        if options["step"] == "record":
            (self.directory / "proof").write_text(json.dumps(options["hosts"]))
        file = self.directory / (host + ".apart")
        apart = json.loads(file.read_text()) if file.exists() and options["step"] == "prove" else []
        apart = [one for one in apart if one not in (options.get("replaced") or [])]
        return {**media_answer(options, "", apart), "changed": False}

    def copy(self, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """What wa_media_copy returns; what lies under the mount of a machine is really copied onto it."""
        machine, path = json.loads((self.directory / MACHINES).read_text())[options["name"]], options["path"]
        if options["source"] != path:
            raise AssertionError(options)
        done = subprocess.run(
            ["docker", "exec", machine, "sh", "-ec", COPY_UNDER, "-", path], capture_output=True, text=True, check=True
        )
        files = len(done.stdout.split())
        copied = {"files": files, "bytes": files, "copied": files, "same": 0, "needed_bytes": 0, "free_bytes": 0}
        lists: dict[str, t.Any] = {"conflicts": [], "changing": [], "others": []}
        return {"changed": bool(files), "copied": {**copied, **lists}, "problems": []}

    def _nodes_of(self, host: str) -> list[str]:
        machine = json.loads((self.directory / MACHINES).read_text())[host]
        # A share is mounted before there is an engine, on a host that is new.
        command = "pgrep -x dockerd >/dev/null || exit 0; docker ps --filter label=waent.fleet.kind --format {{.Names}}"
        done = subprocess.run(
            ["docker", "exec", machine, "sh", "-c", command], capture_output=True, text=True, check=True
        )
        return sorted(name for name in done.stdout.split() if not name.endswith("-db"))
