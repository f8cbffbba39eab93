# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the kernel of a guest write to its console what it does: C(console.py COMMAND...), in the guest's container.

The commands are those of User-mode Linux's management console, such as C(sysrq w) (Documentation/virt/uml). The kernel
answers them whatever its processes wait for.
"""

import socket
import struct
import sys
from pathlib import Path

MAGIC, VERSION = 0xCAFEBABE, 2
REQUEST = struct.Struct("=IiI512s")


def main():
    consoles = Path("/root/.uml").glob("*/mconsole")
    # One of an earlier boot is there still.
    console = max(consoles, key=lambda path: path.stat().st_mtime)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        # Without an address of its own it gets no reply, and needs none.
        for command in sys.argv[1:]:
            text = command.encode()
            link.sendto(REQUEST.pack(MAGIC, VERSION, len(text), text), str(console))


if __name__ == "__main__":
    main()
