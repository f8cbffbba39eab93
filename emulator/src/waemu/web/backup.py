"""Endpoints of backup and restore (reference 4.4, 6.8): settings and registration keys, encrypted with a password."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import typing as t

import msgspec

from waemu.store import backup
from waemu.web.access import Access
from waemu.web.bodies import Body
from waemu.web.endpoint import META_ONLY, Call, Endpoints, Reply
from waemu.web.errors import ApiError, Code, invalid
from waemu.web.webapp import Webapp

routes = Endpoints()

MAGIC: t.Final = b"waemu-backup-1:"
SALT_BYTES: t.Final = 16
NONCE_BYTES: t.Final = 12

Password = t.Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Backup(Body):
    """The password the backup is encrypted with."""

    password: Password


class Restore(Body):
    """A backup and its password."""

    password: Password
    data: t.Annotated[str, msgspec.Meta(min_length=1)]


class DataItem(msgspec.Struct):
    """The encrypted backup, as text."""

    data: str


class BackupReply(msgspec.Struct):
    """What a backup answers."""

    settings: DataItem


@routes.add(
    "POST",
    "/v1/settings/backup",
    access=Access.ADMIN,
    body=Backup,
    ok={200: BackupReply},
    errors=(Code.INVALID_REQUEST, Code.NOT_PRIMARY_MASTER),
)
async def export(web: Webapp, call: Call[Backup]) -> Reply:
    """Back up settings and registration keys, not messages or callbacks."""
    settings = await web.cores.on_primary(web.cores.client.settings)
    try:
        saved = await backup.export(web.engine)
    except backup.Refused as refused:
        raise ApiError(Code.INVALID_REQUEST, str(refused)) from None
    plain = msgspec.json.encode({**saved, "settings": settings.application})
    return Reply(200, BackupReply(DataItem(await asyncio.to_thread(seal, plain, call.body.password))))


@routes.add(
    "POST",
    "/v1/settings/restore",
    access=Access.ADMIN,
    body=Restore,
    ok={200: META_ONLY},
    errors=(Code.INVALID_REQUEST, Code.NOT_PRIMARY_MASTER),
)
async def restore(web: Webapp, call: Call[Restore]) -> Reply:
    """Restore a backup: a client that was not registered initialises itself, any other one has to be restarted."""
    saved = msgspec.json.decode(await asyncio.to_thread(unseal, call.body.data, call.body.password))
    await web.cores.on_primary(web.cores.client.settings)  # primary-only, and refused before anything changes
    try:
        await backup.restore(web.engine, saved)
    except backup.Refused as refused:
        raise ApiError(Code.INVALID_REQUEST, str(refused)) from None
    # Changing settings is what makes the primary notify every node to read the database now.
    await web.cores.on_primary(lambda node: web.cores.client.change_settings(node, saved["settings"]))
    return Reply()


def seal(plain: bytes, password: str) -> str:
    """Encrypt and authenticate bytes with a password, as base64 text."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    return base64.b64encode(salt + nonce + AESGCM(_key(password, salt)).encrypt(nonce, plain, MAGIC)).decode()


def unseal(data: str, password: str) -> bytes:
    """What C(seal) was given. Raises ApiError 1009 when password and data do not fit."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        raw = base64.b64decode(data, validate=True)
        salt, nonce = raw[:SALT_BYTES], raw[SALT_BYTES : SALT_BYTES + NONCE_BYTES]
        return AESGCM(_key(password, salt)).decrypt(nonce, raw[SALT_BYTES + NONCE_BYTES :], MAGIC)
    except (ValueError, InvalidTag):
        raise invalid("data", "is not a backup made with this password") from None


def _key(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=1 << 13, r=8, p=1, dklen=32)
