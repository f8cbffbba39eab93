"""The body of C(POST /v1/messages): its fields (reference 4.7) and the rules between them. Pure."""

from __future__ import annotations

import re
import typing as t

import msgspec

from waemu.web.bodies import Body, Tolerant
from waemu.web.errors import ApiError, Code, invalid, missing, not_required
from waemu.whatsapp.templates import parameter_problem

LONGEST_TEXT: t.Final = 4096
MOST_SECTIONS: t.Final = 10
MOST_ROWS: t.Final = 10
MOST_BUTTONS: t.Final = 3
MOST_PRODUCTS: t.Final = 30

MEDIA_TYPES: t.Final = ("image", "audio", "video", "document", "sticker")
TYPES: t.Final = ("text", *MEDIA_TYPES, "contacts", "location", "interactive", "template", "hsm")
RECIPIENT_TYPES: t.Final = ("individual", "group")

_UNFIT: t.Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

NonEmpty = t.Annotated[str, msgspec.Meta(min_length=1)]
Digits = t.Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$", description="A WhatsApp id: digits only")]


class Text(Tolerant):
    """A text; its length is checked by C(check), which has an own code for it (1001)."""

    body: NonEmpty


class Provider(Tolerant):
    """The media provider whose credentials fetch a link."""

    name: NonEmpty


class Media(Tolerant):
    """Uploaded media by id, or media elsewhere by link."""

    id: NonEmpty | None = None
    link: t.Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s]+$")] | None = None
    caption: t.Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    filename: NonEmpty | None = None
    provider: Provider | None = None


class Location(Tolerant):
    """A place: decimal degrees, as numbers or as numeric text."""

    latitude: t.Annotated[float, msgspec.Meta(ge=-90, le=90)] | NumberText
    longitude: t.Annotated[float, msgspec.Meta(ge=-180, le=180)] | NumberText
    name: str | None = None
    address: str | None = None


NumberText = t.Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,3}(\.[0-9]{1,15})?$")]


class Language(Tolerant):
    """Which translation of a template."""

    policy: t.Literal["deterministic", "fallback"]
    code: NonEmpty


class Template(Tolerant):
    """A message template with its parameters."""

    name: NonEmpty
    language: Language
    namespace: str = ""
    components: list[Component] = []


class Component(Tolerant):
    """One part of a template: header, body, footer or button."""

    type: t.Literal["header", "body", "footer", "button"]
    sub_type: t.Literal["quick_reply", "url"] | None = None
    index: int | t.Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,2}$")] | None = None
    parameters: list[Parameter] = []


class Parameter(Tolerant):
    """One value of a template; the field named like its type holds it."""

    type: t.Literal["text", "payload", "currency", "date_time", "image", "document", "video"]
    text: str | None = None
    payload: str | None = None
    currency: dict[str, t.Any] | None = None
    date_time: dict[str, t.Any] | None = None
    image: Media | None = None
    document: Media | None = None
    video: Media | None = None


class Hsm(Tolerant):
    """The template form of before 2.39."""

    namespace: str
    element_name: NonEmpty
    language: Language | None = None
    localizable_params: list[dict[str, t.Any]] = []


class Header(Tolerant):
    """What stands above an interactive message."""

    type: t.Literal["text", "image", "video", "document"]
    text: str | None = None
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None
    sub_text: str | None = None


class Footer(Tolerant):
    """What stands below an interactive message."""

    text: t.Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class InteractiveText(Tolerant):
    """The text of an interactive message."""

    text: t.Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class Choice(Tolerant):
    """What a reply button says and sends back."""

    id: NonEmpty
    title: NonEmpty


class Button(Tolerant):
    """One reply button."""

    type: t.Literal["reply"]
    reply: Choice


class Row(Tolerant):
    """One row of a list."""

    id: NonEmpty
    title: NonEmpty
    description: str | None = None


class Product(Tolerant):
    """One product of a section."""

    product_retailer_id: NonEmpty


class Section(Tolerant):
    """A titled part of a list."""

    title: str | None = None
    rows: list[Row] = []
    product_items: list[Product] = []


class Action(Tolerant):
    """What an interactive message offers."""

    button: NonEmpty | None = None
    buttons: list[Button] = []
    sections: list[Section] = []
    catalog_id: NonEmpty | None = None
    product_retailer_id: NonEmpty | None = None


class Interactive(Tolerant):
    """A list, reply buttons, or products."""

    type: t.Literal["list", "button", "product", "product_list"]
    action: Action
    header: Header | None = None
    body: InteractiveText | None = None
    footer: Footer | None = None


class Message(Tolerant):
    """C(POST /v1/messages)."""

    to: NonEmpty
    type: str = "text"
    recipient_type: str = "individual"
    text: Text | None = None
    image: Media | None = None
    audio: Media | None = None
    video: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    contacts: list[dict[str, t.Any]] | None = None
    location: Location | None = None
    interactive: Interactive | None = None
    template: Template | None = None
    hsm: Hsm | None = None
    preview_url: bool = False
    ttl: int | t.Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}$")] | None = None


class MarkRead(Body):
    """C(PUT /v1/messages/{id})."""

    status: t.Literal["read"]


def check(message: Message) -> None:
    """The rules between fields. Raises ApiError with the code that reference 5.1 has for the broken one."""
    if message.recipient_type not in RECIPIENT_TYPES:
        raise ApiError(Code.INVALID_RECIPIENT_TYPE, "Parameter 'recipient_type' must be individual or group")
    if message.type not in TYPES:
        raise invalid("type", f"must be one of {', '.join(TYPES)}")
    if message.recipient_type == "group":
        # Groups are created by the client itself (deprecated, reference 4.7); one that it does not know has no shard.
        raise ApiError(Code.GROUP_UNKNOWN, "Parameter 'to' names no known group")
    if not (message.to.isascii() and message.to.isdigit() and len(message.to) <= 20):
        raise invalid("to", "must be a WhatsApp id: digits only")
    _only_own_object(message)
    _CHECKS.get(message.type, _no_check)(message)


def _only_own_object(message: Message) -> None:
    if getattr(message, message.type) is None:
        raise missing(message.type)
    for other in TYPES:
        if other != message.type and getattr(message, other) is not None:
            raise not_required(other)


def _text(message: Message) -> None:
    assert message.text is not None
    if len(message.text.body) > LONGEST_TEXT:
        raise ApiError(Code.MESSAGE_TOO_LONG, f"Parameter 'text.body' must have at most {LONGEST_TEXT} characters")


def _media(message: Message) -> None:
    media = getattr(message, message.type)
    _one_source(media, message.type)
    if media.filename is not None and message.type != "document":
        raise not_required(f"{message.type}.filename")
    if media.caption is not None and message.type in ("audio", "sticker"):
        raise not_required(f"{message.type}.caption")


def _one_source(media: Media, where: str) -> None:
    if media.id is None and media.link is None:
        raise missing(f"{where}.id or {where}.link")
    if media.id is not None and media.link is not None:
        raise not_required(f"{where}.link")


def _contacts(message: Message) -> None:
    if not message.contacts:
        raise invalid("contacts", "must hold at least one contact")
    for index, contact in enumerate(message.contacts):
        name = contact.get("name")
        if not isinstance(name, dict) or not name.get("formatted_name"):
            raise missing(f"contacts[{index}].name.formatted_name")


def _template(message: Message) -> None:
    template = message.template
    assert template is not None
    if not template.namespace:
        raise ApiError(2014, "Parameter 'template.namespace' is empty")
    for index, component in enumerate(template.components):
        where = f"template.components[{index}]"
        if component.type == "button" and (component.sub_type is None or component.index is None):
            raise missing(f"{where}.{'index' if component.sub_type else 'sub_type'}")
        for place, parameter in enumerate(component.parameters):
            _template_parameter(parameter, f"{where}.parameters[{place}]")


def _template_parameter(parameter: Parameter, where: str) -> None:
    value = getattr(parameter, parameter.type)
    if value is None:
        raise missing(f"{where}.{parameter.type}")
    if isinstance(value, Media):
        _one_source(value, f"{where}.{parameter.type}")
    problem = parameter_problem(value) if parameter.type == "text" else None
    if problem is not None:
        raise ApiError(problem[0], f"Parameter '{where}.text': {problem[1]}")


def _interactive(message: Message) -> None:
    interactive = message.interactive
    assert interactive is not None
    if interactive.body is None and interactive.type != "product":
        raise missing("interactive.body")
    if interactive.header is not None:
        _interactive_header(interactive.header, interactive.type)
    for where, text in _labels(interactive.action):
        if not text.strip() or _UNFIT.search(text):
            raise ApiError(2017, f"Parameter '{where}' must be visible text in one line")
    _ACTIONS[interactive.type](interactive.action)


def _labels(action: Action) -> t.Iterator[tuple[str, str]]:
    """The short texts on what a user can tap."""
    if action.button is not None:
        yield "interactive.action.button", action.button
    for index, button in enumerate(action.buttons):
        yield f"interactive.action.buttons[{index}].reply.title", button.reply.title
    for place, section in enumerate(action.sections):
        if section.title is not None:
            yield f"interactive.action.sections[{place}].title", section.title
        for index, row in enumerate(section.rows):
            yield f"interactive.action.sections[{place}].rows[{index}].title", row.title


def _interactive_header(header: Header, kind: str) -> None:
    if kind != "button" and header.type != "text":
        raise ApiError(2036, "Parameter 'interactive.header' must be a text for this type")
    if getattr(header, header.type) is None:
        raise missing(f"interactive.header.{header.type}")


def _list_action(action: Action) -> None:
    if action.button is None:
        raise missing("interactive.action.button")
    _sections(action)
    rows = sum(len(section.rows) for section in action.sections)
    if not 1 <= rows <= MOST_ROWS or any(not section.rows for section in action.sections):
        raise ApiError(2016, f"A list must have 1 to {MOST_ROWS} rows in all and at least one in each section")


def _button_action(action: Action) -> None:
    if not 1 <= len(action.buttons) <= MOST_BUTTONS:
        raise invalid("interactive.action.buttons", f"must hold 1 to {MOST_BUTTONS} buttons")


def _product_action(action: Action) -> None:
    for name in ("catalog_id", "product_retailer_id"):
        if getattr(action, name) is None:
            raise missing(f"interactive.action.{name}")


def _product_list_action(action: Action) -> None:
    if action.catalog_id is None:
        raise missing("interactive.action.catalog_id")
    _sections(action)
    products = sum(len(section.product_items) for section in action.sections)
    if not 1 <= products <= MOST_PRODUCTS:
        raise ApiError(2023, f"A product list must have 1 to {MOST_PRODUCTS} products in all")


def _sections(action: Action) -> None:
    if not 1 <= len(action.sections) <= MOST_SECTIONS:
        raise ApiError(2015, f"Parameter 'interactive.action.sections' must hold 1 to {MOST_SECTIONS} sections")


def _no_check(message: Message) -> None:
    """Types whose struct says all there is to say."""


_ACTIONS: t.Final = {
    "list": _list_action,
    "button": _button_action,
    "product": _product_action,
    "product_list": _product_list_action,
}
_CHECKS: t.Final = {
    "text": _text,
    **dict.fromkeys(MEDIA_TYPES, _media),
    "contacts": _contacts,
    "template": _template,
    "interactive": _interactive,
}
