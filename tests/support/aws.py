# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for AWS as tests use it: started on loopback, asked with boto3, its record read."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import boto3
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run, play

REGION = "eu-central-1"
#: By its whole name: moto goes by the names of modules.
PROGRAM = "from ansible_collections.waent.fleet.tests.support.aws_stand_in import main; main()"

CHANGES = ("CreateStack", "UpdateStack", "DeleteStack")


class Aws:
    """One account on this machine. directory: for the record of its calls."""

    def __init__(self, directory: Path) -> None:
        self.record = directory / "calls.jsonl"
        self.record.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(self.record)],
            stdout=subprocess.PIPE,
            stderr=(directory / "stand_in.log").open("w"),
            text=True,
        )
        assert self.process.stdout
        port = self.process.stdout.readline().strip()
        assert port.isdigit(), (directory / "stand_in.log").read_text()
        self.url = f"http://127.0.0.1:{port}"

    def environment(self) -> dict[str, str]:
        """What leads boto3, and everything that uses it, here and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def client(self, service: str, region: str = REGION) -> t.Any:
        """To read what there is."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def play(self, playbook: str, *arguments: str, **extra: str) -> Run:
        """A playbook of the checkout against this account."""
        return play(playbook, *arguments, **{**self.environment(), **extra})

    def calls(self) -> list[dict[str, t.Any]]:
        """All calls so far: C({service, action, stack, at}), the last one in seconds since 1970."""
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def changes(self) -> list[tuple[str, str]]:
        """Operation and stack of the calls that made, changed or deleted one, in order."""
        return [(call["action"], call["stack"]) for call in self.calls() if call["action"] in CHANGES]

    def forget_calls(self) -> None:
        """Starts a new record."""
        self.record.write_text("")

    def refuse_hosts(self, **reasons: str) -> None:
        """Why AWS makes no host of a name, from now on; of others it makes every one."""
        self.record.with_name("refusals.json").write_text(json.dumps(reasons))

    def keep_busy(self, **stacks: str) -> None:
        """Stacks at which AWS is at work from now on, by their status; with all others it is done."""
        self.record.with_name("busy.json").write_text(json.dumps(stacks))

    def image(self) -> str:
        """An image for hosts: the public parameters of AWS are not here."""
        made = self.client("ec2").register_image(
            Name="debian-12", Architecture="x86_64", RootDeviceName="/dev/xvda", VirtualizationType="hvm"
        )
        return str(made["ImageId"])

    def hosts(self) -> dict[str, dict[str, t.Any]]:
        """The hosts that are not terminated, by name."""
        reservations = self.client("ec2").describe_instances(
            Filters=[{"Name": "instance-state-name", "Values": ["pending", "running", "stopped"]}]
        )["Reservations"]
        found = [instance for one in reservations for instance in one["Instances"]]
        return {next(tag["Value"] for tag in one["Tags"] if tag["Key"] == "Name"): one for one in found}

    def outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a stack; empty where there is no such stack."""
        stacks = self.client("cloudformation").describe_stacks()["Stacks"]
        return next(
            (
                {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
                for found in stacks
                if found["StackName"] == stack
            ),
            {},
        )

    def stop(self) -> None:
        """The end of the account."""
        self.process.terminate()
        self.process.wait(timeout=60)
