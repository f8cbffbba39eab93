# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a machine: files of /proc, real directories and real sockets."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import machine
from ansible_collections.waent.fleet.tests.support.docker_inspect import ID

# Disk and memory


def test_free_space_of_what_does_not_exist_is_that_of_its_parent(tmp_path):
    assert machine.free_mb(str(tmp_path / "a/b/c")) == pytest.approx(machine.free_mb(str(tmp_path)), abs=500)


def test_memory(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:  2048000 kB\nMemFree: 1 kB\nMemAvailable:   1024000 kB\n")
    assert machine.read_memory(str(tmp_path)) == {"total_mb": 2000, "available_mb": 1000}
    assert machine.read_memory(str(tmp_path / "none")) == {"total_mb": None, "available_mb": None}


# Ports

TCP = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def line(address, port, state, inode):
    return " 0: {0}:{1:04X} 00000000:0000 {2} 00000000:00000000 00:00000000 00000000 0 0 {3} 1 0 100\n".format(
        address, port, state, inode
    )


def process(proc, pid, name, inode, cgroup=""):
    (proc / str(pid) / "fd").mkdir(parents=True)
    (proc / str(pid) / "comm").write_text(name + "\n")
    (proc / str(pid) / "cgroup").write_text(cgroup)
    (proc / str(pid) / "fd" / "3").symlink_to("socket:[{0}]".format(inode))


def test_who_listens(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(
        TCP
        + line("0100007F", 80, "0A", 11)
        + line("00000000", 81, "01", 12)  # a connection, not a listener
        + line("00000000", 6250, "0A", 13)
        + line("00000000", 9100, "0A", 14)
    )
    (tmp_path / "net/tcp6").write_text(TCP + line("0" * 32, 8080, "0A", 15))
    process(tmp_path, 300, "nginx", 11)
    process(tmp_path, 301, "docker-proxy", 13)
    process(tmp_path, 302, "java", 15, "0::/system.slice/docker-{0}.scope\n".format(ID))
    published = {
        "name": "wa-coreapp-1",
        "id": "1" * 64,
        "state": "running",
        "ports": [{"host": 6250, "container": 6250}],
    }
    silent = {"name": "noproxy", "id": "2" * 64, "state": "running", "ports": [{"host": 7000, "container": 1}]}
    stopped = {"name": "off", "id": "3" * 64, "state": "exited", "ports": [{"host": 7001, "container": 1}]}
    hosted = {"name": "on-host-network", "id": ID, "state": "running", "ports": []}
    assert machine.read_listeners([published, silent, stopped, hosted], str(tmp_path)) == [
        {"port": 80, "container": None, "process": "nginx", "pid": 300},
        {"port": 6250, "container": "wa-coreapp-1", "process": None, "pid": None},
        {"port": 7000, "container": "noproxy", "process": None, "pid": None},
        {"port": 8080, "container": "on-host-network", "process": "java", "pid": 302},
        {"port": 9100, "container": None, "process": None, "pid": None},
    ]


def test_a_real_socket_of_this_very_process():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        (found,) = [entry for entry in machine.read_listeners([]) if entry["port"] == port]
        assert found["pid"] == os.getpid()
        assert machine.reach("127.0.0.1", port, 2.0)["reached"] is True
    refused = machine.reach("127.0.0.1", port, 2.0)
    assert refused["reached"] is False
    assert "refused" in refused["reason"]


def test_the_address_of_an_interface():
    assert machine.interface_address("lo") == "127.0.0.1"
    assert machine.interface_address("no-such-one") is None
