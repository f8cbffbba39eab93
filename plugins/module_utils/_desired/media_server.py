# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NFS server of a media share, where a host is made one: directory, and line of exports(5). Internal. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common import addresses
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import stated
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import VARIABLE, MediaShare

CLIENTS = "wa_media_server_clients"

EXPORTS = "/etc/exports.d/waent-{0}.exports"
"""One file for each cluster: what else a host exports is nobody's business here."""

DEFAULT_MODE = 0o770


def client_allowed(value: t.Any) -> bool:
    """Whether it names a host or a network. No pattern: a C(*) would be everybody."""
    if not isinstance(value, str):
        return False
    if "/" not in value:
        return addresses.names_a_host(value) and not addresses.means_this_machine(value)
    try:
        # Of 0.0.0.0/0 everybody is a member.
        return ipaddress.ip_network(value).prefixlen > 0
    except ValueError:
        return False


class MediaServer(t.NamedTuple):
    """directory: what is exported. clients: who may mount it. uid: of the containers. cluster: its name."""

    directory: str
    clients: tuple[str, ...]
    uid: int
    cluster: str
    owner: int
    group: int
    mode: int

    @property
    def options(self) -> tuple[str, ...]:
        """The options of each client, as exports(5) has them.

        User 0 of a client is user 0 here only where the containers run as that one. The id is made of the directory, so
        that what is mounted stays valid when the server boots with another disk name.
        """
        squash = "no_root_squash" if self.uid == 0 else "root_squash"
        digest = hashlib.sha256(self.directory.encode()).hexdigest()
        number = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
        return ("rw", "sync", "no_subtree_check", "sec=sys", squash, "fsid={0}".format(number))

    @property
    def exports_file(self) -> str:
        """Where its line stands."""
        return EXPORTS.format(self.cluster)

    @property
    def exports(self) -> str:
        """The content of that file."""
        options = ",".join(self.options)
        clients = " ".join("{0}({1})".format(client, options) for client in self.clients)
        return "# Made by the role waent.fleet.media_server.\n{0} {1}\n".format(self.directory, clients)


def media_server(
    share: MediaShare | None, clients: t.Any, cluster_hosts: t.Sequence[t.Any], uid: int, cluster: str
) -> tuple[MediaServer | None, list[Problem]]:
    """The server, or what is wrong.

    clients: wa_media_server_clients. cluster_hosts: addresses, for where that is empty.
    """
    if share is None:
        message = "{0} is empty; it names the server that is to be made: set server, export and path."
        return None, [Problem("MEDIA_SERVER_NO_SHARE", message.format(VARIABLE), VARIABLE, {})]
    problems = []
    if share.export == "/":
        message = "{0}; the whole host would be exported, allowed is a directory below /."
        message = message.format(stated(VARIABLE + ".export", share.export))
        problems.append(Problem("MEDIA_SERVER_EXPORT_INVALID", message, VARIABLE, share.export))
    named = clients if isinstance(clients, list) and clients else list(cluster_hosts)
    if not named:
        message = "{0} is empty and the group wa_cluster has no hosts; nobody could mount the share: name its clients."
        problems.append(Problem("MEDIA_SERVER_NO_CLIENTS", message.format(CLIENTS), CLIENTS, []))
    for client in named:
        if not client_allowed(client):
            message = "{0}; allowed are DNS names, addresses and networks such as 192.0.2.0/28, and no patterns."
            message = message.format(stated(CLIENTS, client))
            problems.append(Problem("MEDIA_SERVER_CLIENT_INVALID", message, CLIENTS, client))
    if problems:
        return None, problems
    owner = uid if share.owner is None else share.owner
    return (
        MediaServer(
            directory=share.export,
            clients=tuple(dict.fromkeys(named)),
            uid=uid,
            cluster=cluster,
            owner=owner,
            group=owner if share.group is None else share.group,
            mode=DEFAULT_MODE if share.mode is None else share.mode,
        ),
        [],
    )


def not_exported(server: MediaServer) -> Problem:
    """The file is written and was read, and the server does not have it so."""
    message = "The server does not export {0} as {1} says; look whether another file of exports has the same directory."
    message = message.format(server.directory, server.exports_file)
    return Problem("MEDIA_SERVER_NOT_EXPORTED", message, VARIABLE, server.directory)


def not_answering(server: MediaServer) -> Problem:
    """The kernel serves, and no program answers for it who may mount what."""
    message = (
        "The NFS server runs, and rpc.mountd does not, though the server was restarted: nobody can mount {0} from it;"
        " read why in its log (journalctl --unit nfs-mountd)."
    )
    return Problem("MEDIA_SERVER_NO_MOUNTD", message.format(server.directory), VARIABLE, server.directory)


GRACE_SECONDS = 300
"""How long the end of a grace period is waited for. It is 90 s with most, and a kernel doubles it at most once."""


def in_grace(server: MediaServer) -> Problem:
    """It exports the directory, and opens no files of it."""
    message = (
        "The server exports {0} and opens no files of it yet: its grace period, in which clients that it had before may"
        " come back, did not end within {1} s. It has when /proc/fs/nfsd/v4_end_grace there says Y; go on then."
    )
    message = message.format(server.directory, GRACE_SECONDS)
    return Problem("MEDIA_SERVER_IN_GRACE", message, VARIABLE, server.directory)


def is_exported(server: MediaServer, table: str) -> bool:
    """Whether the running server has what the file says. table: C(/var/lib/nfs/etab), one line for each client."""
    found: dict[str, set[str]] = {}
    for line in table.splitlines():
        match = re.match(r"(\S+)\s+(\S+?)\((.*)\)\Z", line)
        if match and match.group(1) == server.directory:
            found[match.group(2)] = set(match.group(3).split(","))
    return {*found} == {_as_in_table(client) for client in server.clients} and all(
        set(server.options) <= options for options in found.values()
    )


def _as_in_table(client: str) -> str:
    """exportfs writes networks with their mask's length, and the rest as it was given."""
    return str(ipaddress.ip_network(client)) if "/" in client else client
