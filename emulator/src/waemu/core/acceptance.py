"""Whether a coreapp takes a message: what the cluster, the account and WhatsApp have against it (reference 5.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from waemu import mediavolume
from waemu.core.callback_queue import CallbackQueue
from waemu.core.connection import Connection
from waemu.core.medialinks import MEDIA_TYPES
from waemu.core.node import Node
from waemu.protocol.nodes import CoreError, MessageRequest
from waemu.whatsapp import templates
from waemu.whatsapp.directory import INCAPABLE, NOT_A_USER

LONGEST_QUEUE = 10_000  # messages that wait for WhatsApp in one coreapp; more are 1016 (3.8)
NOT_REACHED = {NOT_A_USER: "that is no user of WhatsApp", INCAPABLE: "the client of that user is too old"}


class Acceptance:
    """Of one coreapp. What it finds is raised as CoreError."""

    def __init__(self, node: Node, connection: Connection, callbacks: CallbackQueue, media_dir: Path) -> None:
        self._node, self._connection, self._callbacks = node, connection, callbacks
        self._media_dir = media_dir

    def check_shard(self, shard: int, *, waiting: int) -> None:
        """Whether this coreapp takes messages for a shard now. waiting: how many it has not sent yet."""
        if self._node.expired:
            raise CoreError(1005, "App expired. Please upgrade to the latest version.")
        account = self._node.account
        if account is not None and account.condition == "banned" and not self._node.may_connect:
            raise CoreError(1031, "The account is temporarily banned")
        if shard not in self._connection.shards or not self._connection.is_up:
            raise CoreError(1018, f"This coreapp does not serve shard {shard}")
        if waiting >= LONGEST_QUEUE:
            raise CoreError(1016, f"{LONGEST_QUEUE} messages wait to be sent")
        if self._callbacks.full:
            raise CoreError(1016, f"{self._node.env.callback_limit} callbacks wait for the webhook")

    def check_recipient(self, request: MessageRequest) -> None:
        """What WhatsApp's servers know of users and templates (5.1)."""
        account, directory = self._node.account, self._connection.link.directory
        if account is not None and request.wa_id == f"{account.cc}{account.phone_number}":
            raise CoreError(1021, "Parameter 'to' is the number of the business itself")
        problem = directory.users.get(request.wa_id)
        if problem is not None:
            raise CoreError(problem, f"Parameter 'to': {NOT_REACHED[problem]}")
        if request.type in MEDIA_TYPES:
            self._check_media(request.body.get(request.type) or {})
        found = None
        if request.type == "template":
            found = templates.check(request.body["template"], directory.templates)
        elif request.type == "hsm":
            found = templates.check_hsm(request.body["hsm"], directory.templates)
        if found is not None:
            raise CoreError(*found)

    def _check_media(self, media: dict[str, Any]) -> None:
        """What a webapp has taken must be on the volume of the coreapp as well (2.3). The code is our choice."""
        if not mediavolume.writable(self._media_dir):
            raise CoreError(1014, "The media directory of the coreapp cannot be written")
        media_id = media.get("id")
        if media_id is not None and mediavolume.find(self._media_dir, media_id) is None:
            raise CoreError(1014, f"The coreapp does not find media {media_id} in its media directory")
