# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an NFS server answers: sockets do what servers do. A real one answers in tests/integration/media."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import Limits, host_problems
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import MediaShare
from ansible_collections.waent.fleet.plugins.module_utils._io import bounded, nfs_server

ANSWERED = (1, 0, 0, 0, 0)
"""A reply after its number: accepted, without a verifier, success."""


def record(*words):
    body = struct.pack(">{0}I".format(len(words)), *words)
    return struct.pack(">I", 0x80000000 | len(body)) + body


@contextlib.contextmanager
def serving(answer):
    """A port whose program answers the first call with what C(answer) makes of its number, in pieces."""
    with socket.create_server(("127.0.0.1", 0)) as link:
        called = []

        def serve():
            caller, _address = link.accept()
            with caller:
                called.append(caller.recv(4096))
                for piece in answer(struct.unpack(">I", called[0][4:8])[0]):
                    caller.sendall(piece)
                    time.sleep(0.01)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield link.getsockname()[1], called
        thread.join(10)


def problem_codes(error):
    answer = {"mount": None, "exists": None, "directory": None, "hidden": [], "error": error}
    problems = host_problems(MediaShare("nas-1", "/media", "/srv/media"), "a", answer, 0, Limits())
    return [problem.code.replace("MEDIA_SHARE_", "") for problem in problems]


def test_a_server_that_answers(tmp_path):
    with serving(lambda number: [record(number, *ANSWERED)]) as (port, called):
        assert nfs_server.reach("127.0.0.1", port, str(tmp_path), 10.0) is None
    # RFC 5531: number, call, version 2, program, version, procedure, then two empty pairs.
    assert struct.unpack(">I", called[0][:4])[0] == 0x80000000 | 40
    assert struct.unpack(">10I", called[0][4:])[1:] == (0, 2, 100003, 4, 0, 0, 0, 0, 0)


def test_an_answer_in_pieces_and_with_a_verifier(tmp_path):
    def answer(number):
        whole = record(number, 1, 0, 6, 8, 0, 0, 0)
        return [whole[:3], whole[3:9], whole[9:]]

    with serving(answer) as (port, _called):
        assert nfs_server.reach("127.0.0.1", port, str(tmp_path), 10.0) is None


@pytest.mark.parametrize(
    ("answer", "name", "code"),
    [
        (lambda number: [record(number, 1, 0, 0, 0, 2, 3, 3)], "EPROTONOSUPPORT", "VERSION"),
        (lambda number: [record(number, 1, 0, 0, 0, 1)], "EPROTONOSUPPORT", "VERSION"),
        (lambda number: [record(number, 1, 1, 1, 5, 0)], "EACCES", "NO_ANSWER"),
        (lambda number: [record(number + 1, *ANSWERED)], "EPROTO", "NO_ANSWER"),
        (lambda number: [record(number, 1, 0)], "EPROTO", "NO_ANSWER"),
        (lambda number: [record(number, 1, 0, 0, 400, 0)], "EPROTO", "NO_ANSWER"),
        (lambda number: [b"SSH-2.0-OpenSSH_9.2\r\n"], "EPROTO", "NO_ANSWER"),
        (lambda number: [b"\x80\x00"], "ECONNRESET", "NO_ANSWER"),
        (lambda number: [], "ECONNRESET", "NO_ANSWER"),
    ],
)
def test_what_is_no_answer_of_a_server(tmp_path, answer, name, code):
    with serving(answer) as (port, _called):
        error = nfs_server.reach("127.0.0.1", port, str(tmp_path), 10.0)
    assert (error["step"], error["name"]) == ("ask on port {0}".format(port), name)
    assert problem_codes(error) == [code]


@pytest.mark.parametrize("server", ["127.0.0.1", "::1"])
def test_nobody_listens(tmp_path, server):
    with socket.create_server(("127.0.0.1", 0)) as link:
        port = link.getsockname()[1]
    error = nfs_server.reach(server, port, str(tmp_path), 10.0)
    assert (error["step"], error["name"]) == ("connect to port {0}".format(port), "ECONNREFUSED")
    assert problem_codes(error) == ["NO_ANSWER"]


def test_a_name_that_nobody_knows(tmp_path):
    """How long a resolver takes for that is its own matter; the deadline is ours."""
    error = nfs_server.reach("nas-1.invalid", 2049, str(tmp_path), 10.0)
    assert error["name"] in ("EHOSTUNREACH", bounded.NO_ANSWER)
    assert problem_codes(error) == ["NO_ANSWER"]


def test_a_server_whose_program_does_nothing_is_waited_for_no_longer_than_said(tmp_path):
    """Its kernel takes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as link:
        began = time.monotonic()
        error = nfs_server.reach("127.0.0.1", link.getsockname()[1], str(tmp_path), 0.5)
        assert time.monotonic() - began < 5
    assert error["name"] in (bounded.NO_ANSWER, "ETIMEDOUT")
    assert problem_codes(error) == ["NO_ANSWER"]
