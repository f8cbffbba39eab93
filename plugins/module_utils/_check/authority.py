# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The authority that the certificates of the API are verified with: what is pinned, what is offered, what follows.

Internal to waent.fleet: may change in any release. Pure.

An installation of the client makes an authority of its own for its webapps (reference 4.10), so nobody can know it
before. The first run pins it; from then on nothing else is accepted, and a pin is never replaced.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import typing as t
from urllib.parse import quote

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

GENERATED = {"organizationName": "WhatsApp Inc", "organizationalUnitName": "Enterprise Client - AutoGen CA"}
"""The subject of an authority that an installation has made for itself."""

DAY = 86400
SOON = 30 * DAY
"""So long before its end the authority is worth a warning, in seconds."""

CHANGED, DIFFERS, EXPIRED = "API_AUTHORITY_CHANGED", "API_AUTHORITY_DIFFERS", "API_AUTHORITY_EXPIRED"
UPLOADED, MISSING, NO_PLACE = "API_CERTIFICATE_UPLOADED", "API_AUTHORITY_MISSING", "API_AUTHORITY_NO_PLACE"

FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}\Z")
"""SHA-256 with colons, as openssl shows it, or without."""


class Authority(t.NamedTuple):
    """A certificate that others are verified with. begins, ends: seconds since 1970.

    sha256: of the certificate, as C(fingerprint) writes it. generated: whether an installation has made it for itself.
    """

    sha256: str
    begins: int
    ends: int
    generated: bool
    pem: str = ""


class Decision(t.NamedTuple):
    """What follows: an authority to pin, a problem, or, where the right one is pinned, neither."""

    pin: t.Optional[Authority] = None
    problem: t.Optional[Problem] = None


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate in DER, as openssl shows it."""
    return normal(hashlib.sha256(certificate).hexdigest())


def normal(text: str) -> str:
    """A fingerprint in the one form in which they are compared: pairs in capitals, with colons."""
    digits = text.replace(":", "").upper()
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))


def is_generated(subject: t.Iterable[t.Iterable[t.Tuple[str, str]]]) -> bool:
    """Whether a subject, as Python's ssl shows it, is that of an authority that an installation makes for itself."""
    parts = {name: value for group in subject for name, value in group}
    return all(parts.get(name) == value for name, value in GENERATED.items())


def names_count(authorities: t.Sequence[Authority], others: int = 0) -> bool:
    """Whether the name in a certificate has to be that of the address.

    A generated authority signs for the webapps of its installation and for nobody else, and these name their container
    there, not the address by which they are reached: whoever has its signature is the cluster. Any other authority
    signs for others as well. others: certificates that are no authority.
    """
    return bool(others) or not authorities or not all(authority.generated for authority in authorities)


def place(given: str, inventory_directory: str, cluster: str, collection: str) -> str:
    """Where the authority is pinned: where the inventory says, else beside it; empty where there is no such place.

    Ansible reads every file of an inventory's directory as an inventory, but for hidden ones. collection: directory of
    this collection, which the next release replaces. Both directories without links.
    """
    if given or not inventory_directory:
        return given
    if (inventory_directory + "/").startswith(collection.rstrip("/") + "/"):
        return ""
    return "{0}/.wa_api_ca_{1}.pem".format(inventory_directory.rstrip("/"), quote(cluster, safe=""))


def decide(
    offered: t.Sequence[Authority], pinned: t.Sequence[Authority], expected: str, now: int, path: str
) -> Decision:
    """What follows from the authority that the API offers. pinned: what the file at C(path) holds. expected: a
    fingerprint that the user has given, or nothing. now: seconds since 1970.
    """
    if not offered:
        message = "The API names no authority of its certificate; give a file with that as wa_api_ca_path."
        return Decision(problem=Problem(MISSING, message, "wa_api_ca_path"))
    known = {authority.sha256 for authority in pinned}
    if known:
        same = any(authority.sha256 in known for authority in offered)
        return Decision() if same else Decision(problem=_changed(offered[0], pinned[0], path))
    asked = normal(expected)
    chosen = next((one for one in offered if one.sha256 == asked), None) if expected else offered[0]
    if chosen is None:
        return Decision(problem=_differs(offered, asked))
    if not expected and (len(offered) > 1 or not chosen.generated):
        return Decision(problem=_uploaded(chosen))
    if chosen.ends <= now:
        return Decision(
            problem=Problem(
                EXPIRED, _AGAIN.format(chosen.sha256, day_of(chosen.ends), instruction("authority_expired"))
            )
        )
    return Decision(pin=chosen)


_AGAIN = (
    "The authority that the API offers (SHA-256 {0}) was valid until {1}, so it is not pinned: restart the webapps one"
    " after the other (docker restart, each on its host), which then make another one, and run {2}."
)


def _changed(offered: Authority, pinned: Authority, path: str) -> Problem:
    text = (
        "The API offers the authority with SHA-256 {0}, and pinned in {1} is the one with SHA-256 {2}: either the"
        " installation was replaced, or somebody answers in its place. Where you have replaced it, remove the file and"
        " run {3}, which pins the new one; else find out who answers."
    )
    return Problem(
        CHANGED,
        text.format(offered.sha256, path, pinned.sha256, instruction("authority_changed")),
        "wa_api_ca_path",
        path,
    )


def _differs(offered: t.Sequence[Authority], expected: str) -> Problem:
    text = (
        "The authority of the API has SHA-256 {0}, and wa_api_ca_fingerprint is {1}: this is another installation than"
        " the one that is meant, or somebody answers in its place. Nothing was pinned. Correct wa_api_ca_fingerprint"
        " only with a fingerprint that you have from the installation itself."
    )
    shown = " and ".join(authority.sha256 for authority in offered)
    return Problem(DIFFERS, text.format(shown, expected), "wa_api_ca_fingerprint", expected)


def _uploaded(offered: Authority) -> Problem:
    text = (
        "The webapps serve a certificate that was uploaded, and this machine does not know its authority (above it in"
        " the chain: SHA-256 {0}). Give the file with that authority as wa_api_ca_path, or the fingerprint as"
        " wa_api_ca_fingerprint if it is right."
    )
    return Problem(UPLOADED, text.format(offered.sha256), "wa_api_ca_path")


# --- a file with what is pinned ---------------------------------------------------------------------------------------


def pinned_problems(pinned: t.Sequence[Authority], expected: str, now: int, path: str) -> list[Problem]:
    """What is wrong with the authorities of a file, which is not empty."""
    found = []
    if expected and {authority.sha256 for authority in pinned} != {normal(expected)}:
        text = (
            "wa_api_ca_fingerprint is {0}, and {1} holds {2}. Where the installation was replaced, remove the file and"
            " run {3}, which pins the authority with that fingerprint; else correct wa_api_ca_fingerprint."
        )
        held = "the authority with SHA-256 {0}".format(pinned[0].sha256)
        if len(pinned) > 1:
            held = "{0} authorities".format(len(pinned))
        message = text.format(normal(expected), path, held, instruction("authority_differs"))
        found.append(Problem(DIFFERS, message, "wa_api_ca_fingerprint", expected))
    last = max(pinned, key=lambda authority: authority.ends)
    if last.ends <= now:
        message = "The authority in {0} (SHA-256 {1}) was valid until {2}, so nothing can be verified with it: {3}"
        message = message.format(path, last.sha256, day_of(last.ends), _renewal(last))
        found.append(Problem(EXPIRED, message, "wa_api_ca_path", path))
    return found


def pinned_notes(pinned: t.Sequence[Authority], now: int, path: str) -> list[str]:
    """What is worth knowing of authorities that are still valid: that they are not for long."""
    last = max(pinned, key=lambda authority: authority.ends)
    if not now < last.ends <= now + SOON:
        return []
    text = "The authority in {0} (SHA-256 {1}) is valid until {2} only, and then every playbook stops: {3}"
    return [text.format(path, last.sha256, day_of(last.ends), _renewal(last, "after that day "))]


def _renewal(authority: Authority, when: str = "") -> str:
    if not authority.generated:
        return "put the authority that comes after it into the file."
    return (
        "{0}restart the webapps one after the other (docker restart, each on its host), which then make another one,"
        " remove the file and run {1}, which pins that; or upload a certificate of your own."
    ).format(when, instruction("authority_renewed"))


# --- sentences --------------------------------------------------------------------------------------------------------


def pinned_sentence(authority: Authority, path: str, would: bool) -> str:
    """What was pinned, or would be, and what is verified from now on."""
    text = (
        "The authority of the API, SHA-256 {0}, valid from {1} to {2}, {3} in {4}. Every call verifies with it that a"
        " certificate has its signature{5}"
    )
    names = " and the right name."
    if not names_count([authority]):
        names = "; the name in it is not compared, since the client's own certificates name containers, not addresses."
    days = day_of(authority.begins), day_of(authority.ends)
    return text.format(authority.sha256, *days, "would be pinned" if would else "is pinned", path, names)


def not_signed(url: str, served: str, pinned: t.Sequence[Authority], path: str) -> str:
    """A certificate that no authority of the file has signed. served: its fingerprint."""
    if names_count(pinned):
        text = (
            "The certificate of {0} (SHA-256 {1}) is not signed by an authority in {2}: give the file with its"
            " authority as wa_api_ca_path."
        )
        return text.format(url, served, path)
    text = (
        "The certificate of {0} (SHA-256 {1}) is not signed by the authority that is pinned in {2} (SHA-256 {3}), and"
        " nothing was sent: either the installation was replaced, so that it has another authority, or somebody answers"
        " in its place. Where you have replaced it, remove the file and run {4}, which compares the certificate"
        " with that on the host of the webapp before it pins the new authority; where you have uploaded a certificate"
        " of your own, set wa_api_ca_path to the file of its authority; else find out who answers."
    )
    known = " or ".join(authority.sha256 for authority in pinned)
    return text.format(url, served, path, known, instruction("authority_not_signed"))


def not_of_the_host(url: str, served: str, trusted: t.Iterable[str]) -> str:
    """Another certificate than the webapp serves where it runs."""
    text = (
        "{0} serves another certificate (SHA-256 {1}) than the webapp does on its own host (SHA-256 {2}), and nothing"
        " was sent: something between answers in its place, such as a balancer that ends TLS. If that is yours, give"
        " the file with its authority as wa_api_ca_path, or set wa_api_address to the webapp itself; else find out who"
        " it is."
    )
    return text.format(url, served, " or ".join(trusted))


def day_of(seconds: int) -> str:
    """The day of a moment."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d")
