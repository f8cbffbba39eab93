#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_profile
short_description: Set what contacts see of the business in the WhatsApp Business API
version_added: 0.2.0
description:
  - Sets the business profile, the about text and the profile photo.
  - Reads each of them that is asked for and sends only what differs. What is not asked for stays as it is.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.api_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Only what changes is shown; a photo by its SHA-256.
  idempotent:
    support: full
    details:
      - The photo is compared byte by byte with what the API returns. Where the product returns another encoding of it
        than it was sent, it is sent in every run with O(update_photo=always); O(update_photo=on_create) ends that.
options:
  address:
    description: Address of the business, up to 256 characters. An empty text removes it.
    type: str
  description:
    description: Description of the business, up to 256 characters. An empty text removes it.
    type: str
  email:
    description: Email address of the business, up to 128 characters. An empty text removes it.
    type: str
  vertical:
    description: Line of business, up to 128 characters. An empty text removes it.
    type: str
  websites:
    description: Up to two addresses of websites, in the order in which they are shown. An empty list removes them.
    type: list
    elements: str
  about:
    description: The line below the business's name, 1 to 139 characters. The API has no way to remove it.
    type: str
  photo:
    description:
      - File with the profile photo, PNG or JPEG, on the host that runs the module.
      - An empty text removes the photo.
    type: path
  update_photo:
    description:
      - V(always) sends the photo where the API returns another one.
      - V(on_create) sends it where there is none.
    type: str
    choices: [always, on_create]
    default: always
seealso:
  - module: waent.fleet.wa_settings
"""

EXAMPLES = r"""
- name: What contacts see
  waent.fleet.wa_profile:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    address: 1 Example Street, Exampleton
    email: hello@example.com
    websites: [https://www.example.com]
    about: We answer from nine to five
    photo: files/logo.png

- name: No photo
  waent.fleet.wa_profile:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    photo: ""
"""

RETURN = r"""
changes:
  description: Names of what changed, or would.
  returned: always
  type: list
  elements: str
  sample: [about, email]
problems:
  description: What cannot be meant.
  returned: always
  type: list
  elements: dict
  sample:
    - code: PROFILE_INVALID
      message: about has 150 characters; 139 at most are allowed.
      variable: about
      value: ...
      host: null
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: PROFILE_INVALID
    message: ...
    details:
      codes: [PROFILE_INVALID]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, Refusal, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._desired.business_profile import (
    BUSINESS,
    Photo,
    business_changes,
    digest,
    photo_of,
    profile_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ApiError,
    Client,
    ClientError,
    UnexpectedReply,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from

BUSINESS_PATH = "/v1/settings/business/profile"
ABOUT_PATH = "/v1/settings/profile/about"
PHOTO_PATH = "/v1/settings/profile/photo"


class Part(t.NamedTuple):
    """One of the three that differs. names: as in C(changes); send: makes it so."""

    names: t.List[str]
    before: t.Dict[str, t.Any]
    after: t.Dict[str, t.Any]
    send: t.Callable[[], t.Any]


def photo_in(path: str | None) -> Photo | Problem | None:
    """The photo in a file, what is wrong with it, or None where there is no file to read."""
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            return photo_of(path, file.read())
    except OSError as error:
        text = "photo is {0}, which cannot be read ({1}).".format(path, error.strerror or error)
        return Problem("PROFILE_INVALID", text, "photo", path)


def object_at(client: Client, path: str, *members: str) -> dict[str, t.Any]:
    """The object that the API shows there."""
    reply = client.get(path)
    found = reply.member("settings", *members)
    if not isinstance(found, dict):
        raise UnexpectedReply("{0} answered no {1}.".format(reply.url, " ".join(members)), url=reply.url)
    return found


def photo_now(client: Client) -> bytes | None:
    """The photo that the API has, None where it has none."""
    try:
        return client.file(PHOTO_PATH) or None
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def business(client: Client, desired: dict[str, t.Any]) -> Part | None:
    """The business profile, where it differs."""
    if all(desired[name] is None for name in BUSINESS):
        return None
    now = object_at(client, BUSINESS_PATH, "business", "profile")
    changed = business_changes(desired, now)
    if not changed:
        return None
    before = {name: now.get(name) for name in changed}
    # Setting the same again does no harm.
    return Part(
        sorted(changed), before, changed, lambda: client.call("POST", BUSINESS_PATH, body=changed, repeatable=True)
    )


def about(client: Client, text: str | None) -> Part | None:
    """The about text, where it differs."""
    if text is None:
        return None
    now = object_at(client, ABOUT_PATH, "profile", "about").get("text")
    if now == text:
        return None
    return Part(
        ["about"], {"about": now}, {"about": text}, lambda: client.call("PATCH", ABOUT_PATH, body={"text": text})
    )


def photo(client: Client, path: str | None, found: Photo | None, update: str) -> Part | None:
    """The photo, where it differs."""
    if path is None:
        return None
    now = photo_now(client)
    desired = found.content if found else None
    if now == desired or (now and desired and update == "on_create"):
        return None

    def send() -> None:
        if found is None:
            client.call("DELETE", PHOTO_PATH)
        else:
            client.call("POST", PHOTO_PATH, body=found.content, content_type=found.mime, repeatable=True)

    return Part(["photo"], {"photo": digest(now)}, {"photo": digest(desired)}, send)


def not_taken(client: Client, desired: dict[str, t.Any]) -> list[str]:
    """What still differs after it was sent. A photo counts as taken when there is one: it may be encoded again."""
    left = [part.names for part in (business(client, desired), about(client, desired["about"])) if part]
    names = [name for group in left for name in group]
    if desired["photo"] is not None and bool(desired["photo"]) != bool(photo_now(client)):
        names.append("photo")
    return names


def main() -> None:
    texts = {name: {"type": "str"} for name in ("address", "description", "email", "vertical", "about")}
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            **texts,
            websites={"type": "list", "elements": "str"},
            photo={"type": "path"},
            update_photo={"type": "str", "choices": ["always", "on_create"], "default": "always"},
        ),
        supports_check_mode=True,
    )
    params = module.params
    problems = profile_problems(params)
    found = photo_in(params["photo"])
    if isinstance(found, Problem):
        problems.append(found)
    result: dict[str, t.Any] = {"changed": False, "changes": []}
    result["problems"] = [problem.as_dict() for problem in problems]
    try:
        if isinstance(found, Problem) or problems:
            raise refusal_for("PROFILE_INVALID", problems)
        client = client_from(params)
        parts = [
            business(client, params),
            about(client, params["about"]),
            photo(client, params["photo"], found, params["update_photo"]),
        ]
        result["diff"] = {"before": {}, "after": {}}
        for part in filter(None, parts):
            result["changes"] += part.names
            result["diff"]["before"].update(part.before)
            result["diff"]["after"].update(part.after)
            if not module.check_mode:
                part.send()
            result["changed"] = True
        left = not_taken(client, params) if result["changed"] and not module.check_mode else []
        if left:
            text = "The server accepted the profile, and still has other values for {0}.".format(", ".join(left))
            raise Refusal("PROFILE_NOT_TAKEN", text, {"names": left})
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
