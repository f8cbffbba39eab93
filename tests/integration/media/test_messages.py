# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A media message whose upload is taken on one host and which is sent by a coreapp on another, through the share."""

from __future__ import annotations

import hashlib
import os

import pytest
from ansible_collections.waent.fleet.tests.support.media_plays import PATH, Play
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.nodes_in_guests import GuestNodes
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK

pytestmark = pytest.mark.thorough

PICTURE = os.urandom(200_000)


def test_what_one_host_takes_another_one_sends(rig: NfsRig, do: Play) -> None:
    assert do("proof").code == OK
    nodes = GuestNodes(rig)
    nodes.start("master", "media-1")
    nodes.start("webapp", "media-1")
    nodes.start("coreapp", "media-2")
    nodes.register()

    status, body = nodes.call("POST", "/media", PICTURE, **{"Content-Type": "image/png"})
    assert status == 200, body
    media_id = body["media"][0]["id"]
    seen = rig.run("media-2", "sha256sum {0}/outgoing/{1}".format(PATH, media_id))
    assert seen.split()[0] == hashlib.sha256(PICTURE).hexdigest()

    message = {"to": "4917000001", "type": "image", "image": {"id": media_id}}
    status, body = nodes.call("POST", "/messages", message)
    assert status in (200, 201), (body, nodes.log("coreapp", "media-2"))

    # The nodes are what the proof enters, and what keeps the share from being unmounted.
    assert do("proof").code == OK
    changed = do("proof", opts=["timeo=300"])
    assert changed.code == FAILED and changed.codes == ["MEDIA_SHARE_IN_USE"] * 2, changed.output

    # What the coreapp's own host does not show, it does not send: it is the share that it reads.
    status, body = nodes.call("POST", "/media", PICTURE, **{"Content-Type": "image/png"})
    other = body["media"][0]["id"]
    # Through a client: what is moved behind its back, the server may know for a while longer.
    rig.run("media-1", "mv {0}/outgoing/{1} {0}/elsewhere".format(PATH, other))
    status, body = nodes.call("POST", "/messages", {**message, "image": {"id": other}})
    assert status == 500 and "does not find media" in str(body), body
