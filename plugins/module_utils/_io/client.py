# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP API of the web application: one call at a time, retries, typed errors. Internal to waent.fleet.

Knows HTTP and nothing of modules. The real status codes of the product are mostly undocumented, so what an error
means is decided on C(errors[0].code) first and on the HTTP status second (reference 4.9). What may be sent again:

* any request that certainly was not carried out: it never reached the server, or the server refused it with one of
  the codes and statuses that mean "not now";
* a request that may have been carried out only when the caller says that repeating it does no harm.

Everything else whose answer is lost ends in C(LostAnswer), so that the caller can find out by reading.
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
import socket
import ssl
import time
import typing as t
from base64 import b64encode
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit

from ansible.module_utils.urls import Request, make_context
from ansible_collections.waent.fleet.plugins.module_utils._check.authority import (
    CHANGED,
    Authority,
    names_count,
    normal,
    not_of_the_host,
    not_signed,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.api_codes import (
    INTERNAL_ERROR,
    NOT_PRIMARY_MASTER,
    NOT_READY,
    NOT_SHARD_OWNER,
    OVERLOADED,
    PASSWORD_CHANGE_REQUIRED,
    TOO_MANY_REQUESTS,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._io.race import (
    HANDSHAKE_SECONDS,
    SILENT,
    first_to_answer,
    handshake,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import (
    NotTrusted,
    of_anybody,
    read_authorities,
    served_certificate,
    trusting,
    verifying,
)

#: "Not now" codes: starting, rate limit, overload, not the primary master, not the shard's owner (reference 4.9, 5.1).
RETRY_CODES = frozenset((NOT_READY, TOO_MANY_REQUESTS, OVERLOADED, NOT_PRIMARY_MASTER, NOT_SHARD_OWNER))
#: "Not now" statuses: rate limit and concurrency limit (reference 3.8).
RETRY_STATUSES = frozenset((429, 503))

# Numbers of OpenSSL's certificate verification (X509_V_ERR_*); Python has no names for them.
_UNTRUSTED = frozenset((7, 18, 19, 20, 21))
_NOT_YET_VALID = 9
_EXPIRED = 10
_WRONG_NAME = frozenset((62, 64))

#: What an answer is taken for where it is not JSON: nothing of this API, text, or bytes.
JSON, TEXT, FILE = "json", "text", "file"

_UNREACHABLE = re.compile(r"reach|connect|resolve|time(d |-)?out")


class ClientError(Exception):
    """Anything that keeps a call from succeeding. C(message) is a sentence for the user and never holds a secret."""

    failure_code = "API_ERROR"

    def __init__(self, message: str, *, url: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.url = url

    def __str__(self) -> str:
        return self.message

    @property
    def details(self) -> dict[str, t.Any]:
        """What a playbook may branch on besides the code and the sentence."""
        return {"url": self.url}


class BadAddress(ClientError):
    """The list of base URLs cannot be used as it is."""

    failure_code = "API_URL_INVALID"


class Unreachable(ClientError):
    """No base URL took the request. Nothing was carried out, or repeating it would have been harmless."""

    failure_code = "API_UNREACHABLE"


class LostAnswer(ClientError):
    """The request was sent, its answer never came: it may have been carried out. To be resolved by reading."""

    failure_code = "API_ANSWER_LOST"


class TlsError(ClientError):
    """The two sides do not agree on TLS. Waiting does not help."""

    failure_code = "API_TLS"


class UntrustedCertificate(TlsError):
    """Nobody that this machine knows has signed the certificate."""


class AuthorityChanged(TlsError):
    """The certificate is not signed by the authority that is pinned."""

    failure_code = CHANGED


class OtherCertificate(TlsError):
    """Not the certificate that the webapp serves on its own host."""

    failure_code = "API_CERTIFICATE_DIFFERS"


class UnexpectedReply(ClientError):
    """Something answered that does not speak this API."""

    failure_code = "API_UNEXPECTED_REPLY"


class ApiError(ClientError):
    """The API refused. C(code), C(title), C(api_details) are the server's own; C(code) is None where it gave none."""

    def __init__(self, code: int | None, title: str, details: str, *, status: int, url: str) -> None:
        self.code = code
        self.title = title
        self.api_details = details
        self.status = status
        self.retry_after: float | None = None
        said = ": ".join(part for part in (title, details) if part) or "no explanation"
        what = "error {0}".format(code) if code is not None else "HTTP status {0}".format(status)
        super().__init__("{0} answered {1} ({2}).".format(url, what, said), url=url)

    @property
    def failure_code(self) -> str:  # type: ignore[override]
        """C(API_<code>), or C(API_HTTP_<status>) where the server gave no code of its own."""
        return "API_{0}".format(self.code) if self.code is not None else "API_HTTP_{0}".format(self.status)

    @property
    def details(self) -> dict[str, t.Any]:
        return {
            "url": self.url,
            "status": self.status,
            "api_code": self.code,
            "title": self.title,
            "details": self.api_details,
        }

    @property
    def not_now(self) -> bool:
        """True when the server says that the very same request may succeed later and did nothing so far."""
        if self.code in RETRY_CODES:
            return True
        return (self.code is None and self.status in RETRY_STATUSES) or self.status == 429

    @property
    def core_unreachable(self) -> bool:
        """True for 1014 when its text says that the web application could not reach a core (reference 3.7, 4.9)."""
        text = (self.title + " " + self.api_details).lower()
        return self.code == INTERNAL_ERROR and _UNREACHABLE.search(text) is not None


class AuthError(ApiError):
    """401: no, wrong or expired credentials."""

    @property
    def failure_code(self) -> str:  # type: ignore[override]
        return "API_AUTH"


class PasswordChangeRequired(ApiError):
    """1024: the credentials are right, and a new password has to come with them (reference 4.2)."""


@dataclass(frozen=True)
class Reply:
    """An answer that is not an error. C(body) is the parsed JSON, None for an empty or a literal null body."""

    status: int
    body: t.Any
    url: str

    @property
    def version(self) -> str | None:
        """C(meta.version) of the web application that answered, with its leading v (reference 4.1)."""
        meta = self.body.get("meta") if isinstance(self.body, dict) else None
        version = meta.get("version") if isinstance(meta, dict) else None
        return version if isinstance(version, str) else None

    def member(self, *path: str) -> t.Any:
        """The value under a path of object keys, None where the body has another shape."""
        value = self.body
        for key in path:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def first(self, key: str) -> dict[str, t.Any]:
        """The first object of the list under C(key), as C(users) and C(account) have it; empty where there is none."""
        items = self.member(key)
        return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}


@dataclass(frozen=True)
class Backoff:
    """How long to wait before the next attempt: doubling from C(first) up to C(cap) seconds.

    It ends after C(retries) attempts more or, when C(for_seconds) is given, after that time however many they were.
    """

    retries: int = 4
    for_seconds: float | None = None
    first: float = 1.0
    cap: float = 10.0
    retry_after_cap: float = 60.0

    def exhausted(self, attempt: int, elapsed: float) -> bool:
        """Whether attempt number C(attempt)+1 is one too many."""
        return attempt >= self.retries if self.for_seconds is None else elapsed >= self.for_seconds

    def delay(self, attempt: int, chance: float, retry_after: float | None) -> float:
        """Seconds before attempt number C(attempt)+1, counted from 0. C(chance) is in 0..1 and spreads the callers."""
        own = min(self.cap, self.first * 2.0 ** min(attempt, 16)) * (0.5 + chance / 2)
        if retry_after is None:
            return own
        return max(own, min(retry_after, self.retry_after_cap))


NO_RETRY = Backoff(retries=0)


def all_silent(urls: t.Sequence[str]) -> Unreachable:
    """Nobody answers at any of them."""
    text = "No webapp answers ({0}). Do they run, and does a firewall let this host through?"
    return Unreachable(text.format(", ".join(urls)), url=urls[0])


class _NotSent(Exception):
    """This base URL did not take the request."""


class _MaybeSent(Exception):
    """This base URL may have taken the request; there is no answer."""


class Client:
    """The API at one or more base URLs of the same cluster.

    A base URL that cannot be reached makes room for the next one; the one that answered is tried first from then on.
    C(token) is a bearer token, C(api_key) the static key that health, metrics and stats accept (reference 4.1).
    C(trusted) are fingerprints of certificates that are trusted in place of those that an authority has signed.
    """

    def __init__(
        self,
        urls: t.Sequence[str],
        *,
        token: str | None = None,
        api_key: str | None = None,
        validate_certs: bool = True,
        ca_path: str | None = None,
        trusted: t.Sequence[str] = (),
        timeout: float = 10.0,
        backoff: Backoff | None = None,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
        chance: t.Callable[[], float] = random.random,
    ) -> None:
        self.urls = [checked_base_url(url) for url in urls]
        if not self.urls:
            raise BadAddress("api_url is empty; it needs at least one address such as https://wa-host:9090.")
        self._trusted = [normal(sha256) for sha256 in trusted] if validate_certs else []
        self._ca_path = ca_path if validate_certs and not self._trusted else None
        self._authorities, others = _read_authorities(self._ca_path) if self._ca_path else ([], 0)
        self._token = token
        self._api_key = api_key
        self._timeout = timeout
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._validate_certs = validate_certs
        self._expects = JSON
        # Proxies and .netrc are left out: cluster traffic stays inside, and .netrc would replace the token.
        self._opener = Request(
            use_proxy=False,
            use_netrc=False,
            follow_redirects="none",
            validate_certs=validate_certs,
            ca_path=self._ca_path,
            context=self._context(others),
            http_agent="waent.fleet",
        )

    def _context(self, others: int) -> ssl.SSLContext:
        """What verifies certificates, for all calls.

        Ansible would make one for each of them, which reads the authorities of the system every time: that costs more
        than the call.
        """
        if self._trusted:
            return trusting(self._trusted)
        if not self._validate_certs:
            return of_anybody(ssl.SSLContext)
        own = verifying(self._ca_path, self._authorities, others) if self._ca_path else None
        return own or t.cast("ssl.SSLContext", make_context(cafile=self._ca_path))

    def at(self, *urls: str) -> Client:
        """The same access for these base URLs only, in this order."""
        clone = copy.copy(self)
        clone.urls = list(urls)
        return clone

    def of_the_first_to_answer(self) -> Client:
        """The same access through the base URL that answers first. Raises Unreachable where all of them are silent."""
        if len(self.urls) == 1:
            return self
        found = first_to_answer(self.urls, self._handshake_timeout)
        if not found:
            raise all_silent(self.urls)
        return self.at(*found)

    def fails_silently(self) -> bool:
        """Whether nobody agrees on TLS at the first base URL, found out sooner than a call finds it out."""
        return handshake(self.urls[0], self._handshake_timeout) == SILENT

    @property
    def _handshake_timeout(self) -> float:
        return min(self._timeout, HANDSHAKE_SECONDS)

    def patient(self, backoff: Backoff) -> Client:
        """The same access with another patience."""
        clone = copy.copy(self)
        clone._backoff = backoff
        return clone

    def with_token(self, token: str) -> Client:
        """The same access as another login."""
        clone = copy.copy(self)
        clone._token = token
        return clone

    def without_key(self) -> Client:
        """The same access with the token alone."""
        clone = copy.copy(self)
        clone._api_key = None
        return clone

    @property
    def has_both(self) -> bool:
        """True when health can be read with the key, and with a login as well."""
        return bool(self._token and self._api_key)

    @property
    def has_token(self) -> bool:
        """True when calls that need a login can be made."""
        return bool(self._token)

    def get(self, path: str) -> Reply:
        """Read C(path). Repeated as often as patience allows."""
        return self.call("GET", path)

    def health(self) -> Reply:
        """GET /v1/health, with the API key where there is one: it does not expire (reference 4.5)."""
        return self.call("GET", "/v1/health", authorization=self._static_key_or_token())

    def metrics(self) -> str:
        """GET /metrics as Prometheus text, with the API key where there is one (reference 4.5, 4.10)."""
        return self.text("/metrics?format=prometheus", self._static_key_or_token())

    def text(self, path: str, authorization: str | None = None) -> str:
        """Read what is text and not JSON."""
        clone = copy.copy(self)
        clone._expects = TEXT
        body = clone.call("GET", path, authorization=authorization).body
        return body if isinstance(body, str) else ""

    def file(self, path: str) -> bytes:
        """Read what is a file, such as a photo."""
        clone = copy.copy(self)
        clone._expects = FILE
        body = clone.call("GET", path).body
        return body if isinstance(body, bytes) else b""

    def login(self, username: str, password: str, new_password: str | None = None) -> Reply:
        """POST /v1/users/login. With C(new_password) it changes the password (reference 4.2)."""
        pair = "{0}:{1}".format(username, password).encode("utf-8")
        return self.call(
            "POST",
            "/v1/users/login",
            body={"new_password": new_password} if new_password is not None else None,
            authorization="Basic " + b64encode(pair).decode("ascii"),
            # A second plain login only makes a second token; a second password change would find the new password.
            repeatable=new_password is None,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        body: t.Any = None,
        authorization: str | None = None,
        repeatable: bool | None = None,
        content_type: str = "application/json",
    ) -> Reply:
        """One request, tried again where that is safe.

        body: sent when not None, bytes as they are and as content_type, anything else as JSON. repeatable: whether
        carrying it out twice does no harm; by default true for every method but POST. Raises a C(ClientError).
        """
        if repeatable is None:
            repeatable = method != "POST"
        headers = {"Accept": "application/json"}
        if authorization or self._token:
            headers["Authorization"] = authorization or "Bearer {0}".format(self._token)
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8")
        return self._until_answered(method, path, data, headers, repeatable)

    def _until_answered(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str], repeatable: bool
    ) -> Reply:
        started = self._clock()
        attempt = 0
        while True:
            retry_after: float | None = None
            try:
                return self._try_each_url(method, path, data, headers, repeatable)
            except Unreachable as error:
                elapsed = self._clock() - started
                if self._backoff.exhausted(attempt, elapsed):
                    if attempt:
                        error.message += " Tried {0} times in {1:.0f} s.".format(attempt + 1, elapsed)
                    raise
            except ApiError as error:
                again = error.not_now or (repeatable and error.core_unreachable)
                if not again or self._backoff.exhausted(attempt, self._clock() - started):
                    raise
                retry_after = error.retry_after
            self._sleep(self._backoff.delay(attempt, self._chance(), retry_after))
            attempt += 1

    def _try_each_url(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str], repeatable: bool
    ) -> Reply:
        reasons = []
        for base in list(self.urls):
            try:
                reply = self._send(method, base + path, data, headers)
            except _NotSent as error:
                reasons.append("{0} ({1})".format(base, error))
                continue
            except _MaybeSent as error:
                if not repeatable:
                    raise LostAnswer(
                        "{0} {1} was sent, and its answer never came ({2}).".format(method, base + path, error),
                        url=base + path,
                    ) from error
                reasons.append("{0} ({1})".format(base, error))
                continue
            self._prefer(base)
            return reply
        raise Unreachable(
            "The API could not be reached at {0}.{1}".format(", ".join(reasons), _meaning(reasons)),
            url=self.urls[0] + path,
        )

    def _prefer(self, base: str) -> None:
        if self.urls[0] != base:
            self.urls = [base] + [url for url in self.urls if url != base]

    def _send(self, method: str, url: str, data: bytes | None, headers: dict[str, str]) -> Reply:
        """One request on the wire. Raises _NotSent, _MaybeSent, TlsError, UnexpectedReply or an ApiError."""
        response: t.Any
        try:
            response = self._opener.open(method, url, data=data, headers=headers, timeout=self._timeout)
        except HTTPError as error:
            response = error
        except URLError as error:
            raise self._failure(error.reason, url) from error
        except (OSError, HTTPException) as error:
            raise _MaybeSent(_words(error)) from error
        try:
            raw = response.read()
        except (OSError, HTTPException) as error:
            raise _MaybeSent(_words(error)) from error
        finally:
            response.close()
        return _interpret(int(response.code), raw, url, response.headers.get("Retry-After"), self._expects)

    def _failure(self, reason: t.Any, url: str) -> Exception:
        """What it means that there is no connection, to a client that knows whom it expects."""
        if isinstance(reason, NotTrusted):
            return OtherCertificate(not_of_the_host(url, reason.sha256, self._trusted), url=url)
        untrusted = isinstance(reason, ssl.SSLCertVerificationError) and reason.verify_code in _UNTRUSTED
        if not untrusted or not self._ca_path:
            return _connection_failure(reason, url)
        try:
            served = served_certificate(url, self._handshake_timeout)
        except OSError as error:
            served = "not known: {0}".format(_words(error))
        kind = UntrustedCertificate if names_count(self._authorities) else AuthorityChanged
        return kind(not_signed(url, served, self._authorities, self._ca_path), url=url)

    def _static_key_or_token(self) -> str | None:
        return "Apikey {0}".format(self._api_key) if self._api_key else None


def _read_authorities(path: str) -> tuple[list[Authority], int]:
    if not os.path.isfile(path):
        raise TlsError(
            "wa_api_ca_path is {0}, and there is no such file on this host: run {1}, which makes it with the"
            " authority of the cluster, or give the file that you have.".format(path, instruction("authority_absent"))
        )
    try:
        return read_authorities(path)
    except OSError as error:
        raise TlsError("wa_api_ca_path is {0}, which cannot be used ({1}).".format(path, _words(error))) from error


def checked_base_url(url: str) -> str:
    """C(url) without a trailing slash. Raises BadAddress with what is wrong about it.

    Plain HTTP is refused before anything is sent: the API is TLS only (reference 4.1) and a token would be readable.
    """
    text = str(url).strip()
    try:
        parts = urlsplit(text)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_ok = urlsplit(""), False
    if parts.scheme == "http":
        raise BadAddress(
            "api_url has {0}, which is plain HTTP; the API answers HTTPS only: write {1}.".format(
                _without_userinfo(text), _without_userinfo("https" + text[4:])
            )
        )
    if parts.scheme != "https" or not parts.hostname or not port_ok:
        raise BadAddress(
            "api_url has {0}; every entry has to look like https://host:port.".format(_without_userinfo(text) or "''")
        )
    if parts.username is not None or parts.password is not None:
        raise BadAddress(
            "api_url has credentials in {0}; give them with the options meant for them.".format(_without_userinfo(text))
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadAddress(
            "api_url has {0}; give only https://{1}, the paths of the API are added to it.".format(text, parts.netloc)
        )
    return "https://" + parts.netloc


def path_segment(text: str) -> str:
    """C(text) as one segment of a path."""
    return quote(text, safe="")


def _without_userinfo(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return scheme + separator + authority.rpartition("@")[2] + slash + path


def _interpret(status: int, raw: bytes, url: str, retry_after: str | None, expects: str) -> Reply:
    body, is_json = _parsed(raw)
    error = _api_error(status, body, url) if is_json else None
    if error is None and not 200 <= status < 300:
        if 300 <= status < 400:
            raise UnexpectedReply(
                "{0} answered with a redirect (HTTP status {1}), which the API never does.".format(url, status), url=url
            )
        if status == 400 and b"HTTPS" in raw:
            raise UnexpectedReply("{0} expects another protocol: {1}".format(url, _excerpt(raw)), url=url)
        error = _by_status(None, "" if is_json else _excerpt(raw), "", status, url)
    if error is not None:
        error.retry_after = _seconds(retry_after)
        raise error
    if not is_json and expects != JSON:
        return Reply(status=status, body=raw if expects == FILE else raw.decode("utf-8", "replace"), url=url)
    if not is_json:
        raise UnexpectedReply(
            "{0} answered something that is not JSON ({1}). Is this the address of the web application?".format(
                url, _excerpt(raw)
            ),
            url=url,
        )
    return Reply(status=status, body=body, url=url)


def _parsed(raw: bytes) -> tuple[t.Any, bool]:
    if not raw.strip():
        return None, True
    try:
        return json.loads(raw.decode("utf-8")), True
    except (ValueError, RecursionError):
        return None, False


def _api_error(status: int, body: t.Any, url: str) -> ApiError | None:
    """The error of a body whose top level has a non-empty C(errors) list, whatever the status says."""
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list) or not errors:
        return None
    first = errors[0] if isinstance(errors[0], dict) else {"title": errors[0]}
    code = _as_code(first.get("code"))
    return _by_status(code, _text(first.get("title")), _text(first.get("details")), status, url)


def _by_status(code: int | None, title: str, details: str, status: int, url: str) -> ApiError:
    if code == PASSWORD_CHANGE_REQUIRED:
        return PasswordChangeRequired(code, title, details, status=status, url=url)
    kind = AuthError if status == 401 else ApiError
    return kind(code, title, details, status=status, url=url)


def _as_code(value: t.Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: t.Any) -> str:
    return "" if value is None else str(value)


def _excerpt(raw: bytes) -> str:
    return " ".join(raw[:200].decode("utf-8", "replace").split())


def _seconds(value: str | None) -> float | None:
    """Retry-After in its seconds form; a date is not used by this server."""
    return float(value) if value is not None and value.strip().isdigit() else None


def _connection_failure(reason: t.Any, url: str) -> Exception:
    """What it means that the connection could not be made, or broke before the request was out."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        kind = UntrustedCertificate if reason.verify_code in _UNTRUSTED else TlsError
        return kind(_certificate_sentence(reason, url), url=url)
    if isinstance(reason, ssl.SSLError) and not isinstance(reason, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return _tls_failure(reason, url)
    if isinstance(reason, (ConnectionResetError, BrokenPipeError)):
        return _MaybeSent(_words(reason))
    return _NotSent(_words(reason))


def _tls_failure(reason: ssl.SSLError, url: str) -> Exception:
    if "TIMED_OUT" in _ssl_words(reason):
        return _NotSent("timeout in the TLS handshake")
    if speaks_no_tls(reason):
        return TlsError(
            "{0} does not speak TLS. Is this the HTTPS port of the web application (9090 unless another one was"
            " published)?".format(url),
            url=url,
        )
    return TlsError("TLS with {0} failed: {1}.".format(url, reason.reason or reason), url=url)


def speaks_no_tls(reason: t.Any) -> bool:
    """Whether a connection failed because the other side speaks something else than TLS, most likely plain HTTP."""
    marks = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
    return isinstance(reason, ssl.SSLError) and any(mark in _ssl_words(reason) for mark in marks)


def _ssl_words(reason: ssl.SSLError) -> str:
    return str(reason).upper().replace(" ", "_")


def _certificate_sentence(error: ssl.SSLCertVerificationError, url: str) -> str:
    code = error.verify_code
    if code in _UNTRUSTED:
        return (
            "The certificate of {0} is self-signed or signed by an authority that this host does not know, as it is"
            " with the web application out of the box. Either run {1}, which fetches the authority of the"
            " cluster and pins it, or give the file with its authority as wa_api_ca_path.".format(
                url, instruction("authority_unknown")
            )
        )
    if code == _EXPIRED:
        return "The certificate of {0} has expired: install a new one in the cluster.".format(url)
    if code == _NOT_YET_VALID:
        return "The certificate of {0} is not valid yet: compare the clocks of both hosts.".format(url)
    if code in _WRONG_NAME:
        return (
            "The certificate of {0} is for another name ({1}): set wa_api_address to a name that it holds, or"
            " install one that holds this name.".format(url, error.verify_message.rstrip("."))
        )
    return "The certificate of {0} was refused: {1}.".format(url, error.verify_message.rstrip("."))


def _meaning(reasons: t.Iterable[str]) -> str:
    """What the reasons say of who is in the way; a refusal comes from the host itself, silence from anybody."""
    said = " ".join(reasons)
    found = ""
    if "connection refused" in said:
        found += " Refused: nothing listens on that port, so the web application does not run, or on another port."
    if "timeout)" in said or "timed out" in said:
        found += " Timeout: the host is down, something such as a firewall drops what is sent, or it is overloaded."
    if "closed in the TLS" in said or "connection reset" in said:
        found += " Closed or reset: the container runs, and no web application answers in it."
    return found


def _words(reason: t.Any) -> str:
    """A connection error in a few words."""
    if isinstance(reason, socket.timeout):
        return "timeout"
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused"
    if isinstance(reason, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "connection closed in the TLS handshake"
    if isinstance(reason, ConnectionResetError):
        return "connection reset"
    if isinstance(reason, socket.gaierror):
        return "name does not resolve"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror.lower()
    return str(reason) or reason.__class__.__name__
