# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An NFS server whose disk hangs, in front of one that works: C(hanging.py PORT FLAG).

While the file FLAG exists it passes on the procedure NULL (RFC 7530, 15.1) alone, so it answers whether it is there,
and no question about files. When the file is gone it closes what it kept something from, as a server does that was
restarted; a client then asks again.
"""

import contextlib
import socket
import struct
import sys
import threading
from pathlib import Path

SERVER = ("127.0.0.1", 2049)


def exactly(link, size):
    found = b""
    while len(found) < size:
        more = link.recv(size - len(found))
        if not more:
            raise OSError("closed")
        found += more
    return found


def requests(client, server, flag, kept):
    while True:
        head = exactly(client, 4)
        body = exactly(client, struct.unpack(">I", head)[0] & 0x7FFFFFFF)
        (procedure,) = struct.unpack(">I", body[20:24])
        if procedure != 0 and flag.exists():
            kept.set()
        else:
            server.sendall(head + body)


def replies(client, server):
    while True:
        more = server.recv(65536)
        if not more:
            raise OSError("closed")
        client.sendall(more)


def close_when_it_serves_again(flag, kept):
    kept.wait()
    while flag.exists():
        threading.Event().wait(0.2)
    raise OSError("serves again")


def serve(client, flag):
    server, kept = socket.create_connection(SERVER), threading.Event()
    links = (client, server)

    def until_closed(work, *given):
        try:
            work(*given)
        except OSError:
            for link in links:
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)

    for work, given in (
        (requests, (client, server, flag, kept)),
        (replies, (client, server)),
        (close_when_it_serves_again, (flag, kept)),
    ):
        threading.Thread(target=until_closed, args=(work, *given), daemon=True).start()


def main():
    port, flag = int(sys.argv[1]), Path(sys.argv[2])
    listener = socket.create_server(("", port))
    while True:
        client, _address = listener.accept()
        serve(client, flag)


if __name__ == "__main__":
    main()
