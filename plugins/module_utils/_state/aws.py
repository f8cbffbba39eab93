# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read of an account on AWS. Internal to waent.fleet: may change in any release. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

STANDS = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
"""A stack that is whole, and may be updated."""

NOTHING_IN_IT = "REVIEW_IN_PROGRESS"
"""What a change set leaves of a stack that was never made."""


@dataclass(frozen=True)
class FailedResource:
    """A resource over which a stack failed, and what AWS said of it."""

    resource: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Stack:
    """A stack as it is. failed: in the order in which they failed."""

    name: str
    status: str
    outputs: t.Mapping[str, str] = field(default_factory=dict)
    failed: tuple[FailedResource, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether it is whole."""
        return self.status in STANDS

    @property
    def busy(self) -> bool:
        """Whether AWS is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != NOTHING_IN_IT

    def list_of(self, output: str) -> list[str]:
        """An output that is a list; empty where there is none."""
        return [one for one in self.outputs.get(output, "").split(",") if one]

    def number(self, output: str) -> int:
        """An output that is a number; 0 where there is none."""
        value = self.outputs.get(output, "")
        return int(value) if value.isdigit() else 0


@dataclass(frozen=True)
class Vpc:
    """A VPC of the region."""

    vpc: str
    cidrs: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class Subnet:
    """A subnet that is there already. free: addresses that nobody has."""

    subnet: str
    vpc: str
    zone: str
    free: int


@dataclass(frozen=True)
class Instance:
    """A host that is there. template_version: of its launch template."""

    name: str
    instance: str
    zone: str
    address: str
    instance_type: str
    image: str
    template_version: str


@dataclass(frozen=True)
class Quota:
    """What the account may have of something. limit: None where it could not be read, for the reason in C(why)."""

    what: str
    code: str
    used: float
    limit: float | None
    why: str = ""


@dataclass(frozen=True)
class Account:
    """What there is. zones: those that are there and offer the type of the hosts. stacks: by kind, None where there is
    none. vcpus: of one new host. template_versions: the newest of each launch
    template, by its name. image, root_device: of new hosts."""

    account: str
    region: str
    zones: tuple[str, ...]
    stacks: t.Mapping[str, t.Optional[Stack]]
    vpcs: tuple[Vpc, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    instances: tuple[Instance, ...] = ()
    quotas: t.Mapping[str, Quota] = field(default_factory=dict)
    vcpus: int = 0
    template_versions: t.Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    root_device: str = ""
