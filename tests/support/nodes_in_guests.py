# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's nodes on the machines of nfs_rig, with a media share that a kernel has mounted.

There is no engine: a node is started from the files of its image, with mounts of its own, which to the kernel is what a
container is. So it keeps what was at the share's path when it was started, as a container does.
"""

from __future__ import annotations

import json
import shlex
import ssl
import time
import typing as t
import urllib.error
import urllib.request
from base64 import b64encode

import pymysql
from ansible_collections.waent.fleet.tests.support.media_plays import PATH, in_background
from ansible_collections.waent.fleet.tests.support.nfs_rig import DATABASE, NfsRig

IMAGES = {"web": "docker.whatsapp.biz/web:v2.19.4", "coreapp": "docker.whatsapp.biz/coreapp:v2.19.4"}
DATABASE_IMAGE = "waent/mariadb:10.11"
START = "/opt/whatsapp/bin/launch_within_docker.sh"
PASSWORD = "Canary-Password-1"
CODE = "123456"
SECONDS = 240.0
"""System calls cost a guest dozens of times what they cost a host; a node is there when it is there."""

NODE = """
set -e
cd /
mount --bind {share} {root}/usr/local/wamedia
mount --bind /dev {root}/dev
mount -t proc proc {root}/proc
! mountpoint -q {share} || umount {share}
exec env -i {variables} chroot {root} {start} > {root}.log 2>&1
"""


class GuestNodes:
    """A database, and nodes on the machines. Call C(start) for each of them, then C(register)."""

    def __init__(self, rig: NfsRig) -> None:
        self.rig = rig
        self.token = ""
        self.webapp = ""
        self._password = "Canary-db-1"
        self._database = rig.join(
            DATABASE_IMAGE, "database", DATABASE, environment={"MYSQL_ROOT_PASSWORD": self._password}
        )
        self.until(self._database_answers, "the database")

    def _database_answers(self) -> bool:
        try:
            pymysql.connect(host=self._database, user="root", password=self._password, connect_timeout=5).close()
        except (pymysql.MySQLError, OSError):
            return False
        return True

    def start(self, kind: str, client: str) -> None:
        """Start a webapp, master or coreapp; a webapp is the one that is asked from then on."""
        image = IMAGES["web" if kind == "webapp" else "coreapp"]
        root = "/nodes/" + kind
        variables = {
            **self.rig.unpack(image, client, root),
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "WA_DB_ENGINE": "MYSQL",
            "WA_DB_HOSTNAME": self._database,
            "WA_DB_PORT": "3306",
            "WA_DB_USERNAME": "root",
            "WA_DB_PASSWORD": self._password,
            "WA_APP_MULTICONNECT": "1",
            "WAEMU_TIME_DIVISOR": "1",
        }
        if kind == "webapp":
            self.webapp = self.rig.address(client)
            variables.update(WEBAPP_HOSTNAME=self.webapp, WA_WEB_SERVERNAME="localhost", WA_WEB_JWT_CRYPTO_KEY="k" * 40)
        else:
            variables.update(COREAPP_HOSTNAME=self.rig.address(client), COREAPP_EXTERNAL_PORTS="6250,6251,6252,6253")
        if kind == "master":
            variables["WA_MASTER_NODE"] = "1"
        given = " ".join(shlex.quote("{0}={1}".format(*pair)) for pair in variables.items())
        command = NODE.format(share=PATH, root=root, variables=given, start=START)
        in_background(self.rig, client, "exec unshare --mount --propagation private sh -c " + shlex.quote(command))

    def log(self, kind: str, client: str) -> str:
        """The end of what a node has said."""
        return self.rig.run(client, "tail -n 25 /nodes/{0}.log".format(kind))

    def until(self, check: t.Callable[[], t.Any], what: str, seconds: float = SECONDS) -> t.Any:
        """The first true answer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = check()
            if found:
                return found
            time.sleep(1)
        raise AssertionError("{0}: not within {1} s".format(what, seconds))

    def call(self, method: str, path: str, body: t.Any = None, **headers: str) -> tuple[int, t.Any]:
        """Status and body of a call to the webapp; 0 where nobody answers. body: text of JSON, or bytes as they are."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": "Bearer " + self.token, **headers}
        url = "https://{0}/v1{1}".format(self.webapp, path)
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60, context=_unverified()) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")
        except OSError:
            return 0, None

    def register(self) -> None:
        """Log in for the first time and register a number; ends when a coreapp is connected."""
        basic = "Basic " + b64encode(b"admin:secret").decode()

        def logged_in() -> bool:
            status, body = self.call("POST", "/users/login", {"new_password": PASSWORD}, Authorization=basic)
            self.token = body["users"][0]["token"] if status == 200 else ""
            return status == 200

        self.until(logged_in, "the webapp")
        account = {"cc": "1", "phone_number": "5550100", "method": "sms", "cert": "Q2VydA=="}
        self.until(lambda: self.call("POST", "/account", account)[0] in (201, 202), "a code")
        self.until(lambda: self.call("POST", "/account/verify", {"code": CODE})[0] == 201, "the registration")
        self.until(self._is_connected, "a coreapp that is connected")

    def _is_connected(self) -> bool:
        status, body = self.call("GET", "/health")
        nodes = (body or {}).get("health") or {}
        return status == 200 and any(
            isinstance(node, dict) and (node.get("role"), node.get("gateway_status")) == ("coreapp", "connected")
            for node in nodes.values()
        )


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
