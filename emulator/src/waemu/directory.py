"""What WhatsApp's servers know and a core has to heed before it takes a message: users and templates."""

from __future__ import annotations

import msgspec

from waemu.templates import Template

NOT_A_USER, INCAPABLE = 1013, 1026  # what can be said against a recipient (5.1)


class Directory(msgspec.Struct, frozen=True):
    """Everybody is a user of WhatsApp but those named here.

    users: WhatsApp id to what is wrong with it, 1013 or 1026. templates: those the number has; while there are
    none at all, messages are not compared with any.
    """

    users: dict[str, int] = {}
    templates: tuple[Template, ...] = ()
