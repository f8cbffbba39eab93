# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has that backs up the registration on a schedule: files, modes, units. Internal to waent.fleet. Pure.

The units give the process what it needs as credentials of systemd: it is nobody's user, sees them for as long as it
runs, and can write its own directory only. The file it writes is encrypted to a certificate: the host has no key that
opens it.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

CONFIGURATION = "/etc/waent-backup"
PROGRAMS = "/usr/local/lib/waent-backup"
UNITS = "/etc/systemd/system"
STATE = "/var/lib/{0}"

PRIVATE, PUBLIC = 0o600, 0o644
SCHEDULE = r"[A-Za-z0-9*:,./~ -]{1,100}"
"""The letters of a calendar event of systemd."""

ADMIN_PASSWORD = "admin_password"
CREDENTIALS = ("config", ADMIN_PASSWORD, "authority", "recipient")
SYSTEMD = 247
"""The first release of systemd that gives a service credentials: that of Debian 11."""

SERVICE = """\
# Made by the collection waent.fleet, which also removes it.
[Unit]
Description=Backup of the WhatsApp registration of cluster {cluster}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -I {program}
{credentials}
DynamicUser=yes
StateDirectory={name}
StateDirectoryMode=0700
UMask=0077
TimeoutStartSec=5min
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
"""

TIMER = """\
# Made by the collection waent.fleet, which also removes it.
[Unit]
Description=Schedule of {name}.service

[Timer]
OnCalendar={schedule}
RandomizedDelaySec=10min
Persistent=true

[Install]
WantedBy=timers.target
"""


class File(t.NamedTuple):
    """One file of the host. secret: its content is never shown."""

    path: str
    content: bytes
    mode: int
    secret: bool = False


class Schedule(t.NamedTuple):
    """What is asked for. schedule: as OnCalendar of systemd. keep: so many backups stay, the newest.

    urls: of webapps. authority: PEM of who has signed their certificates, empty for those that the system knows.
    recipient: PEM of the certificate to encrypt to. program: what runs.
    """

    cluster: str
    schedule: str
    keep: int
    urls: tuple[str, ...]
    number: str
    users: tuple[str, ...]
    password: str
    authority: str
    recipient: str
    verify: bool
    program: bytes


def unit_name(cluster: str) -> str:
    """Name of the units, without their kind: of each cluster another one, whatever it is called."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", cluster)
    suffix = "" if plain == cluster else "-" + hashlib.sha256(cluster.encode("utf-8", "replace")).hexdigest()[:8]
    return "waent-backup-{0}{1}".format(plain, suffix)


def places(name: str) -> dict[str, str]:
    """Paths by C(configuration), C(program), C(service), C(timer) and C(state)."""
    return {
        "configuration": "{0}/{1}".format(CONFIGURATION, name),
        "program": "{0}/{1}.pyz".format(PROGRAMS, name),
        "service": "{0}/{1}.service".format(UNITS, name),
        "timer": "{0}/{1}.timer".format(UNITS, name),
        "state": STATE.format(name),
    }


def password_file(cluster: str, password: str) -> File:
    """The one file with the password of the user admin."""
    path = "{0}/{1}".format(places(unit_name(cluster))["configuration"], ADMIN_PASSWORD)
    return File(path, password.encode("utf-8"), PRIVATE, secret=True)


def files(asked: Schedule) -> list[File]:
    """Everything that the host has for it, what is needed before what needs it."""
    name = unit_name(asked.cluster)
    where = places(name)
    config = {
        "cluster": asked.cluster,
        "urls": list(asked.urls),
        "number": asked.number,
        "users": list(asked.users),
        "keep": asked.keep,
        "verify": asked.verify,
    }
    contents = {
        "config": json.dumps(config, indent=2, sort_keys=True) + "\n",
        ADMIN_PASSWORD: asked.password,
        "authority": asked.authority,
        "recipient": asked.recipient,
    }
    inside = {key: "{0}/{1}".format(where["configuration"], key) for key in CREDENTIALS}
    loads = "\n".join("LoadCredential={0}:{1}".format(key, inside[key]) for key in CREDENTIALS)
    service = SERVICE.format(cluster=_one_line(asked.cluster), program=where["program"], credentials=loads, name=name)
    return [
        *(File(inside[key], contents[key].encode("utf-8"), PRIVATE, key == ADMIN_PASSWORD) for key in CREDENTIALS),
        File(where["program"], asked.program, PUBLIC),
        File(where["service"], service.encode("utf-8"), PUBLIC),
        File(where["timer"], TIMER.format(name=name, schedule=asked.schedule).encode("utf-8"), PUBLIC),
    ]


def _one_line(text: str) -> str:
    # A percent sign begins a specifier of systemd.
    return " ".join(text.split()).replace("%", "%%")


def problems(asked: Schedule) -> list[Problem]:
    """What is wrong with what is asked for."""
    found = []
    if not re.match(SCHEDULE + r"\Z", asked.schedule):
        text = "wa_backup_schedule is {0!r}; allowed is a calendar event of systemd, such as daily or Mon *-*-* 03:00."
        found.append(Problem("BACKUP_SCHEDULE", text.format(asked.schedule), "wa_backup_schedule", asked.schedule))
    if "-----BEGIN CERTIFICATE-----" not in asked.recipient or "PRIVATE KEY" in asked.recipient:
        text = (
            "wa_backup_recipient names no file with a PEM certificate alone; backups are encrypted to it, and its key"
            " stays away from the host."
        )
        found.append(Problem("BACKUP_RECIPIENT", text, "wa_backup_recipient"))
    if not asked.password:
        text = "wa_admin_password is not set; only the user admin may make backups."
        found.append(Problem("BACKUP_ADMIN_PASSWORD", text, "wa_admin_password"))
    return found


def host_problems(host: str, hosts: t.Container[str], recipient: str) -> list[Problem]:
    """What is wrong with the host of the schedule. hosts: of the inventory. recipient: wa_backup_recipient."""
    if host and host not in hosts:
        text = "wa_backup_host is {0!r}, which is not in the inventory; allowed is the name of a host in it."
        return [Problem("BACKUP_HOST_UNKNOWN", text.format(host), "wa_backup_host", host)]
    if host and not recipient:
        text = (
            "wa_backup_host is {0!r}, and wa_backup_recipient is not set; it encrypts its backups to that certificate."
        )
        return [Problem("BACKUP_RECIPIENT", text.format(host), "wa_backup_recipient")]
    return []


def surplus(names: t.Iterable[str], keep: int) -> list[str]:
    """The files that go, so that C(keep) stay: names hold the time, so the newest come last."""
    ours = sorted(name for name in names if re.match(r".+-registration-[0-9TZ]+\.cms\Z", name))
    return ours[: max(0, len(ours) - max(keep, 1))]
