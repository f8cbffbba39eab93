#!/usr/bin/python3
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd does for an automount unit, on a machine without it: C(systemctl daemon-reload|start|stop [UNIT]).

The kernel's part is real: autofs waits at the path and says when somebody comes (Documentation/filesystems/autofs.rst),
and who came waits until it was mounted. Mounted is what the line in fstab says.
"""

import ctypes
import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

READY, FAIL = 0x9360, 0x9361
MISSING_DIRECT = 5
PACKET = struct.Struct("=iiIIQIIIII256s4x")
LIBRARY = ctypes.CDLL(None, use_errno=True)


def path_of(unit):
    plain = unit[: -len(".automount")].replace("-", "/")
    return "/" + re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found.group(1), 16)), plain)


def pid_file(path):
    return Path("/run/automount" + path.replace("/", "-"))


def line_of(path):
    fields = [line.split() for line in Path("/etc/fstab").read_text().splitlines() if not line.startswith("#")]
    return next(one for one in fields if len(one) > 3 and one[1] == path)


def start(path):
    """Until somebody can come."""
    child = os.fork()
    if child == 0:
        wait_there(path)
        os._exit(0)
    while not pid_file(path).exists():
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            sys.exit("automount ended: see the log of the kernel")
        time.sleep(0.05)


def wait_there(path):
    os.setsid()
    Path(path).mkdir(parents=True, exist_ok=True)
    reads, writes = os.pipe()
    options = "fd={0},pgrp={1},minproto=5,maxproto=5,direct".format(writes, os.getpgrp())
    if LIBRARY.mount(b"systemd-1", path.encode(), b"autofs", 0, options.encode()):
        sys.exit("autofs: " + os.strerror(ctypes.get_errno()))
    # Who mounts for it, by its process group, is not waited for.
    root = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.close(writes)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    pid_file(path).write_text(str(os.getpid()))
    while True:
        packet = os.read(reads, PACKET.size)
        if not packet:
            return
        _version, kind, token = PACKET.unpack(packet.ljust(PACKET.size, b"\0"))[:3]
        source, _path, fstype, options = line_of(path)[:4]
        options = ",".join(one for one in options.split(",") if not one.startswith("x-") and one != "noauto")
        done = subprocess.run(["mount", "-t", fstype, "-o", options, source, path], check=False)
        fcntl.ioctl(root, READY if kind == MISSING_DIRECT and done.returncode == 0 else FAIL, token)


def stop(path):
    while subprocess.run(["umount", path], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        pass
    if pid_file(path).exists():
        os.kill(int(pid_file(path).read_text()), signal.SIGKILL)
        pid_file(path).unlink()
    subprocess.run(["umount", path], stderr=subprocess.DEVNULL, check=False)


def main():
    work = {"start": start, "stop": stop}
    for unit in sys.argv[2:]:
        work[sys.argv[1]](path_of(unit))


if __name__ == "__main__":
    main()
