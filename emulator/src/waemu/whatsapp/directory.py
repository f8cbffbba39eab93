"""What WhatsApp knows of a recipient, and a core has to heed before it takes a message (reference 4.7 and 5.1)."""

from __future__ import annotations

from waemu import phone
from waemu.protocol.gateway import Directory
from waemu.protocol.nodes import ContactResult

SHORTEST, LONGEST = 7, 15  # digits of a phone number, with country code
NOT_A_USER, INCAPABLE = 1013, 1026  # what can be said against a recipient (5.1)


def checked(contact: str, directory: Directory) -> ContactResult:
    """A number exists in any form, unless it is known not to; anything else is invalid (4.7, 4.10)."""
    wa_id = phone.digits(contact)
    if wa_id is None or not SHORTEST <= len(wa_id) <= LONGEST or directory.users.get(wa_id) == NOT_A_USER:
        return ContactResult(contact, "invalid")
    return ContactResult(contact, "valid", wa_id)
