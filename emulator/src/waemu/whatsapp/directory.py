"""What WhatsApp knows of a recipient, and a core has to heed before it takes a message (reference 4.7 and 5.1)."""

from __future__ import annotations

from waemu.protocol.gateway import Directory
from waemu.protocol.nodes import ContactResult

NOT_A_USER, INCAPABLE = 1013, 1026  # what can be said against a recipient (5.1)


def checked(contact: str, directory: Directory) -> ContactResult:
    """A number in international form exists, unless it is known not to; anything else is invalid (4.7)."""
    digits = "".join(character for character in contact if character.isdigit())
    known = directory.users.get(digits) != NOT_A_USER
    if contact.startswith("+") and 7 <= len(digits) <= 15 and known:
        return ContactResult(contact, "valid", digits)
    return ContactResult(contact, "invalid")
