# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy for HTTPS that knows one name, and leads it to a port of its own machine.

Runs with the standard library alone: C(python3 connect_proxy.py PORT NAME:PORT TO). Prints what it is asked for, a line
for each connection.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading


class Handler(socketserver.StreamRequestHandler):
    """One connection. The client sends nothing more until it has its answer."""

    def handle(self) -> None:
        words = self.rfile.readline().decode().split()
        while self.rfile.readline().strip():
            pass
        print(*words[:2], flush=True)
        if words[:2] != ["CONNECT", sys.argv[2]]:
            self.wfile.write(b"HTTP/1.1 502 Unknown name\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", int(sys.argv[3]))) as there:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=copy, args=(there, self.connection))
            back.start()
            copy(self.connection, there)
            back.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    """All that comes, until there is no more; then the other side hears that."""
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # Who closed its side reads nothing more.
        return


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.daemon_threads = True
    socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
