"""Endpoints of two-step verification (reference 4.4)."""

from __future__ import annotations

from waemu.protocol import nodes
from waemu.web.access import Access
from waemu.web.account import Pin
from waemu.web.bodies import Body
from waemu.web.endpoint import META_ONLY, Call, Endpoints, Reply
from waemu.web.errors import Code
from waemu.web.webapp import Webapp

routes = Endpoints()

PATH = "/v1/settings/account/two-step"


class NewPin(Body):
    """The PIN that registration and set-shards ask for from now on."""

    pin: Pin


@routes.add("POST", PATH, access=Access.ADMIN, body=NewPin, ok={200: META_ONLY}, errors=(Code.NOT_PRIMARY_MASTER,))
async def enable(web: Webapp, call: Call[NewPin]) -> Reply:
    """Switch two-step verification on, or change its PIN."""
    request = nodes.PinRequest(call.body.pin)
    await web.cores.on_primary(lambda node: web.cores.client.set_pin(node, request))
    return Reply()


@routes.add("DELETE", PATH, access=Access.ADMIN, ok={200: META_ONLY}, errors=(Code.NOT_PRIMARY_MASTER,))
async def disable(web: Webapp, _call: Call[None]) -> Reply:
    """Switch two-step verification off."""
    await web.cores.on_primary(web.cores.client.remove_pin)
    return Reply()
