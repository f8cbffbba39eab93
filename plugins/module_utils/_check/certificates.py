# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that are brought to a cluster: its own chain for the API, and the CA of the webhook. Internal. Pure.

A chain that is broken leaves the web server unable to start (reference 4.6), and only after its restart. So all that
can be wrong with it is found out before it is sent. Facts about certificates come from C(_io/pem.py).
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.authority import DAY, SOON, day_of
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import ip_of
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all

CHAIN, KEY, WEBHOOK = "wa_api_certificate", "wa_api_certificate_key", "wa_webhook_ca"
"""The variables that hold them, each as PEM text."""


class Certificate(t.NamedTuple):
    """One certificate. begins, ends: seconds since 1970.

    sha256: as openssl shows it. subject: in words. names: DNS names and addresses of it. authority: it may sign others.
    signed_by_next: the one after it in the text has signed it; None for the last one.
    """

    sha256: str
    subject: str
    names: t.Tuple[str, ...]
    begins: int
    ends: int
    authority: bool
    signed_by_next: t.Optional[bool] = None


class Chain(t.NamedTuple):
    """Certificates in the order of their text.

    key_fits: the private key is that of the first one; None without a key. anchored: an authority of the file that the
    playbooks verify with has signed the last one, or is it; None where there is no such file.
    """

    certificates: t.Tuple[Certificate, ...]
    key_fits: t.Optional[bool] = None
    anchored: t.Optional[bool] = None


def chain_problems(chain: Chain, names: t.Sequence[str], now: int, authorities: str) -> list[Problem]:
    """What is wrong with a chain for the API. names: that it has to have. authorities: path of the file."""
    found = []
    if len(chain.certificates) < 2:
        text = (
            "{0} holds {1}; allowed is the certificate of the API and after it one intermediate at least, each signed"
            " by the next, without which the webapps would not start."
        )
        held = "1 certificate" if chain.certificates else "no certificate"
        found.append(Problem("WA_CERTIFICATE_NO_CHAIN", text.format(CHAIN, held), CHAIN))
    if not chain.certificates:
        return found
    found += _order_problems(chain)
    if chain.key_fits is False:
        text = "{0} is not the key of the first certificate in {1} ({2})."
        found.append(Problem("WA_CERTIFICATE_KEY", text.format(KEY, CHAIN, chain.certificates[0].subject), KEY))
    found += _date_problems(CHAIN, chain.certificates, now)
    found += _name_problems(chain.certificates[0], names)
    if chain.anchored is False:
        text = (
            "{0} ends with {1}, which no authority in {2} has signed, so no playbook could verify the API any more: put"
            " the authority that has signed it into a file, and set wa_api_ca_path to that."
        )
        message = text.format(CHAIN, chain.certificates[-1].subject, authorities)
        found.append(Problem("WA_CERTIFICATE_UNVERIFIED", message, "wa_api_ca_path", authorities))
    return found


def _order_problems(chain: Chain) -> list[Problem]:
    text = "{0}: certificate {1} ({2}) is not signed by the one after it ({3}); allowed is each before its signer."
    pairs = zip(chain.certificates, chain.certificates[1:])
    return [
        Problem("WA_CERTIFICATE_ORDER", text.format(CHAIN, number, one.subject, signer.subject), CHAIN)
        for number, (one, signer) in enumerate(pairs, 1)
        if one.signed_by_next is False
    ]


def _date_problems(variable: str, certificates: t.Iterable[Certificate], now: int) -> list[Problem]:
    found = []
    for one in certificates:
        if one.ends <= now:
            said = "{0}: {1} was valid until {2}.".format(variable, one.subject, day_of(one.ends))
            found.append(Problem("WA_CERTIFICATE_EXPIRED", said, variable))
        elif one.begins > now:
            said = "{0}: {1} is valid from {2} only.".format(variable, one.subject, day_of(one.begins))
            found.append(Problem("WA_CERTIFICATE_NOT_YET", said, variable))
    return found


def _name_problems(leaf: Certificate, names: t.Sequence[str]) -> list[Problem]:
    missing = [name for name in dict.fromkeys(names) if not any(names_it(one, name) for one in leaf.names)]
    if not missing:
        return []
    text = (
        "{0} is for {1}, and not for {2}, by which the API is reached: who verifies names refuses it there. Allowed is"
        " a certificate with all of them, or wa_api_address and wa_api_names without."
    )
    shown = enumerate_all(leaf.names) if leaf.names else "no name at all"
    return [Problem("WA_CERTIFICATE_NAME", text.format(CHAIN, shown, enumerate_all(missing)), CHAIN)]


def names_it(pattern: str, name: str) -> bool:
    """Whether a name of a certificate is this one: addresses by value, one label for a leading C(*)."""
    address = ip_of(name.strip("[]"))
    if address is not None:
        return ip_of(pattern) == address
    pattern, name = (text.lower().rstrip(".") for text in (pattern, name))
    if pattern.startswith("*."):
        label, dot, rest = name.partition(".")
        return bool(label and dot) and rest == pattern[2:] and "." in rest
    return pattern == name


def webhook_problems(certificates: t.Sequence[Certificate], now: int) -> list[Problem]:
    """What is wrong with the CA of the webhook."""
    if not certificates:
        text = "{0} holds no certificate; allowed is the CA of the webhook's certificate as PEM."
        return [Problem("WA_CERTIFICATE_NO_CHAIN", text.format(WEBHOOK), WEBHOOK)]
    text = "{0}: {1} is no authority, so coreapps could verify no webhook with it; allowed is the CA that signs for it."
    found = [
        Problem("WA_CERTIFICATE_NO_AUTHORITY", text.format(WEBHOOK, one.subject), WEBHOOK)
        for one in certificates
        if not one.authority
    ]
    return found + _date_problems(WEBHOOK, certificates, now)


def served_notes(serves: t.Mapping[str, Certificate], now: int) -> list[str]:
    """What is served, by base URL, and ends within 30 days; each certificate once."""
    by_certificate: dict[str, list[str]] = {}
    for url, one in serves.items():
        by_certificate.setdefault(one.sha256, []).append(url)
    return [
        note
        for urls in by_certificate.values()
        for note in expiry_notes("Served at " + enumerate_all(urls), [serves[urls[0]]], now)
    ]


def expiry_notes(variable: str, certificates: t.Iterable[Certificate], now: int) -> list[str]:
    """Those that end within 30 days."""
    return [
        "{0}: {1} is valid until {2} only, {3} days from now.".format(
            variable, one.subject, day_of(one.ends), (one.ends - now) // DAY
        )
        for one in certificates
        if now < one.ends <= now + SOON
    ]
