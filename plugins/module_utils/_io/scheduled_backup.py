# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a scheduled backup, as it runs on a host without Ansible. Internal to waent.fleet.

It is packed with the pure functions that it needs into one file (C(plugin_utils/backup_program.py)), so it imports
nothing else. What it needs is where systemd puts credentials; what it writes, in its state directory. A plain text is
in memory only: openssl gets it on its standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import ssl
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.error
import urllib.request
from base64 import b64encode

from ansible_collections.waent.fleet.plugins.module_utils._check import backup
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._desired.backup_schedule import surplus
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import read_authorities, verifying
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import observe
from ansible_collections.waent.fleet.plugins.module_utils._state.user import is_no_user, role_in, user_path

SECONDS = 30
ENCRYPTED = b"-----BEGIN CMS-----"


class Refused(Refusal):
    """The API did not do it. status: of the answer, 0 where there was none; api_code: its own, if it gave one."""

    def __init__(self, message: str, error: OSError) -> None:
        super().__init__("BACKUP_API", message)
        self.status = error.code if isinstance(error, urllib.error.HTTPError) else 0
        self.api_code = _code_of(error)


class Api:
    """The API at the first webapp that lets us in. Raises Refusal, in whose sentences no answer is repeated."""

    def __init__(self, urls: t.Sequence[str], password: str, context: ssl.SSLContext) -> None:
        # Only this opener: neither a proxy nor anything of the environment comes in between.
        handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)
        self._token = ""
        self._url = ""
        basic = "Basic " + b64encode("admin:{0}".format(password).encode("utf-8")).decode("ascii")
        why = "there is no address"
        for url in urls:
            self._url = url.rstrip("/")
            try:
                answer = self._send("POST", "/v1/users/login", None, basic)
            except OSError as error:
                why = "{0}: {1}".format(self._url, _reason(error))
                continue
            users = answer.get("users") if isinstance(answer, dict) else None
            self._token = str(users[0].get("token") or "") if isinstance(users, list) and users else ""
            if self._token:
                return
            why = "{0} gave no token".format(self._url)
        raise Refusal("BACKUP_NO_LOGIN", "No webapp let us in ({0}).".format(why))

    def call(self, method: str, path: str, body: t.Any = None) -> t.Any:
        """The parsed answer. Raises Refused."""
        try:
            return self._send(method, path, body, "Bearer " + self._token)
        except OSError as error:
            text = "{0} {1}{2} failed ({3}).".format(method, self._url, path, _reason(error))
            raise Refused(text, error) from error

    def log_out(self) -> None:
        """Revoke the token."""
        with contextlib.suppress(Refusal):
            self.call("POST", "/v1/users/logout")

    def _send(self, method: str, path: str, body: t.Any, authorization: str) -> t.Any:
        data = json.dumps(body).encode("utf-8") if body is not None else (b"" if method == "POST" else None)
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        with self._opener.open(request, timeout=SECONDS) as reply:
            text = reply.read()
        try:
            return json.loads(text) if text.strip() else {}
        except ValueError as error:
            raise OSError(0, "it answered no JSON") from error


def _reason(error: OSError) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return "HTTP status {0}".format(error.code)
    reason = getattr(error, "reason", None)
    return str(reason or error.strerror or type(error).__name__)


def _code_of(error: OSError) -> int | None:
    """The first code in the body of a refusal."""
    if not isinstance(error, urllib.error.HTTPError):
        return None
    try:
        return int(json.loads(error.read())["errors"][0]["code"])
    except (OSError, ValueError, TypeError, LookupError):
        return None


def context_for(authority: str, verify: bool) -> ssl.SSLContext:
    """What verifies the API, as the playbooks do. authority: path of a PEM file, which may be empty."""
    if not verify:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if not os.path.getsize(authority):
        return ssl.create_default_context()
    found, others = read_authorities(authority)
    return verifying(authority, found, others) or ssl.create_default_context(cafile=authority)


def document(api: Api, config: t.Mapping[str, t.Any], moment: str) -> str:
    """The backup with its facts, as text. Raises Refusal."""
    answers = [api.call("GET", path) for path in ("/v1/health", "/v1/support", "/v1/account/shards")]
    settings = api.call("GET", "/v1/settings/application")
    found = settings.get("settings") if isinstance(settings, dict) else None
    application = found.get("application") if isinstance(found, dict) else None
    facts, problems = backup.facts_of(
        observe(*answers).as_dict(), application if isinstance(application, dict) else {}, _users(api, config["users"])
    )
    if not problems and config["number"] and facts["number"] != config["number"]:
        problems = backup.misfits(facts, {"registered": False, "nodes": []}, config["number"])[:1]
    if problems:
        raise refusal_for("WA_BACKUP_REFUSED", problems)
    password = secrets.token_urlsafe(32)
    answer = api.call("POST", "/v1/settings/backup", {"password": password})
    kept = answer.get("settings") if isinstance(answer, dict) else None
    data = kept.get("data") if isinstance(kept, dict) else None
    if not isinstance(data, str) or not data:
        raise Refusal("BACKUP_API", "The API answered no backup.")
    return backup.written(backup.Backup(facts, data, password, moment))


def _users(api: Api, names: t.Iterable[str]) -> dict[str, str]:
    """The role of each user that there is. Raises Refused: what cannot be read may be there."""
    found = {}
    for name in names:
        try:
            found[name] = role_in(api.call("GET", user_path(name)))
        except Refused as error:
            if not is_no_user(error.status, error.api_code):
                raise
    return found


def encrypted(text: str, recipient: str) -> bytes:
    """The text, for whoever has the key of the certificate. Raises Refusal."""
    words = ["openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "PEM", recipient]
    try:
        done = subprocess.run(words, input=text.encode("utf-8"), capture_output=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refusal("BACKUP_OPENSSL", "openssl could not be run ({0}).".format(type(error).__name__)) from error
    if done.returncode != 0 or not done.stdout.startswith(ENCRYPTED):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Refusal("BACKUP_OPENSSL", "openssl did not encrypt the backup ({0}).".format(said[-1] if said else "?"))
    return done.stdout


def write(directory: str, name: str, content: bytes) -> None:
    """A new file, there as a whole or not at all. Raises OSError."""
    handle, beside = tempfile.mkstemp(dir=directory, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, os.path.join(directory, name))
    finally:
        os.unlink(beside)


def run(credentials: str, directory: str) -> str:
    """One backup; its path. Raises Refusal and OSError."""
    with open(os.path.join(credentials, "config"), encoding="utf-8") as file:
        config = json.load(file)
    with open(os.path.join(credentials, "admin_password"), encoding="utf-8") as file:
        password = file.read()
    context = context_for(os.path.join(credentials, "authority"), config["verify"])
    now = time.gmtime()
    api = Api(config["urls"], password, context)
    try:
        text = document(api, config, time.strftime("%Y-%m-%dT%H:%M:%SZ", now))
    finally:
        api.log_out()
    name = backup.file_name(config["cluster"], time.strftime("%Y%m%dT%H%M%SZ", now)).replace(".vault", ".cms")
    write(directory, name, encrypted(text, os.path.join(credentials, "recipient")))
    # Old ones go only once there is a new one; what a killed run has left goes as well.
    for old in surplus(os.listdir(directory), config["keep"]):
        os.unlink(os.path.join(directory, old))
    return os.path.join(directory, name)


def main() -> int:
    """Exit 0 with the path of the backup, 1 with one sentence."""
    os.umask(0o077)
    try:
        path = run(os.environ["CREDENTIALS_DIRECTORY"], os.environ["STATE_DIRECTORY"].split(":")[0])
    except Refusal as error:
        sys.stderr.write("[{0}] {1}\n".format(error.code, error.message))
        return 1
    except (OSError, KeyError, ValueError) as error:
        sys.stderr.write("[BACKUP_FAILED] No backup was made ({0}: {1}).\n".format(type(error).__name__, error))
        return 1
    sys.stdout.write("Backup written to {0}\n".format(path))
    return 0
