# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what an account on AWS has. Only reads, and decides nothing. Internal to waent.fleet: may change any time.

boto3 is imported when it is needed: nobody who is not on AWS has to have it. Who we are and where AWS is asked comes
from where boto3 looks for it by itself: variables of the environment, profiles, the role of the machine.
"""

from __future__ import annotations

import importlib
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.aws import (
    ADDRESSES,
    BALANCERS,
    DATABASES,
    FILE_SYSTEMS,
    GATEWAYS,
    VCPUS,
    VPCS,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import one_line
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import (
    DB,
    ENTERPRISE,
    NETWORK,
    STACKS,
    Environment,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.aws import (
    Account,
    FailedResource,
    Instance,
    Quota,
    Stack,
    Subnet,
    Vpc,
)

PAUSE_SECONDS = 5.0
"""Between two reads of a stack that AWS is at work on."""

ENVIRONMENT_TAG = "waent_fleet_environment"

QUOTAS = {
    VCPUS: ("vCPUs of standard instances", "ec2", "L-1216C47A"),
    VPCS: ("VPCs", "vpc", "L-F678F1CE"),
    ADDRESSES: ("elastic IP addresses", "ec2", "L-0263D0A3"),
    GATEWAYS: ("NAT gateways of one zone", "vpc", "L-FE5A380F"),
    DATABASES: ("RDS databases", "rds", "L-7B6409FD"),
    BALANCERS: ("network balancers", "elasticloadbalancing", "L-69A177A2"),
    FILE_SYSTEMS: ("EFS file systems", "elasticfilesystem", "L-848C634D"),
}
"""What is counted, the service that knows its quota, and the quota's code."""

OF_CREDENTIALS = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "ProfileNotFound",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
    "SSOTokenLoadError",
)
REFUSED_CREDENTIALS = (
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
    "AuthFailure",
    "UnrecognizedClientException",
    "RequestExpired",
)


NO_IMAGE = ("ParameterNotFound", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable")


class Unreadable(Exception):
    """Something has to be known and could not be read."""

    def __init__(self, problem: Problem, said: str = "") -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.said = said


def _library(name: str, called: str = "The Python package boto3") -> t.Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = (
            "{0} is not installed on the machine that runs Ansible; only AWS needs it: pip install boto3 there, and"
            " ansible-galaxy collection install amazon.aws."
        )
        raise Unreadable(Problem("LIBRARY_MISSING", message.format(called), name)) from error


def check_collection() -> None:
    """Raises Unreadable where the stacks could be planned and not made."""
    _library("ansible_collections.amazon.aws.plugins.modules.cloudformation", "The collection amazon.aws")


class Reader:
    """Reads one region. session: of boto3."""

    def __init__(self, region: str, session: t.Any = None) -> None:
        self.region = region
        self.session = session or self._session()
        self.clients: dict[str, t.Any] = {}

    def _session(self) -> t.Any:
        boto3 = _library("boto3")
        try:
            return boto3.session.Session(region_name=self.region)
        except Exception as error:
            raise self._unreadable("", error) from error

    def client(self, service: str) -> t.Any:
        """The client of a service, once for all calls."""
        if service not in self.clients:
            config = _library("botocore.config").Config(
                connect_timeout=10, read_timeout=60, retries={"mode": "standard"}
            )
            self.clients[service] = self.session.client(service, config=config)
        return self.clients[service]

    def call(self, service: str, operation: str, **arguments: t.Any) -> t.Any:
        """The answer to one call. Raises Unreadable."""
        try:
            return getattr(self.client(service), operation)(**arguments)
        except Unreadable:
            raise
        except Exception as error:
            raise self._unreadable("{0}:{1}".format(service, operation), error) from error

    def pages(self, service: str, operation: str, key: str, **arguments: t.Any) -> list[t.Any]:
        """All items of all pages. Raises Unreadable."""
        try:
            pages = self.client(service).get_paginator(operation).paginate(**arguments)
            return [item for page in pages for item in page.get(key) or []]
        except Unreadable:
            raise
        except Exception as error:
            raise self._unreadable("{0}:{1}".format(service, operation), error) from error

    def _unreadable(self, call: str, error: Exception) -> Unreadable:
        """The one sentence for whatever boto3 raises; its own text has no secret in it."""
        name, code = type(error).__name__, _code(error)
        if name in OF_CREDENTIALS or code in REFUSED_CREDENTIALS:
            message = (
                "AWS does not know who asks ({0}); set AWS_PROFILE, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, to"
                " credentials of the account."
            )
            return Unreadable(Problem("AWS_CREDENTIALS", message.format(one_line(str(error))), "AWS_PROFILE"))
        if code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"):
            message = "AWS does not allow the call {0} ({1}); give this user or role the right to it."
            return Unreadable(Problem("AWS_ACCESS_DENIED", message.format(call, one_line(str(error)))), code)
        message = "AWS could not be asked in {0}{1}: {2}."
        asked = " ({0})".format(call) if call else ""
        return Unreadable(
            Problem("AWS_UNREADABLE", message.format(self.region, asked, one_line(str(error)))), code or name
        )

    # --- what is read

    def account(self, environment: Environment, instance_type: str, wait_seconds: float = 0) -> Account:
        """All of it. wait_seconds: for AWS to be done with stacks that it is at work on."""
        number = self.call("sts", "get_caller_identity")["Account"]
        stacks = self._stacks(environment, wait_seconds)
        image, root_device = self._image(environment.image)
        self._check_key(environment.key_name)
        return Account(
            account=number,
            region=self.region,
            zones=self._zones(instance_type),
            stacks=stacks,
            vpcs=self._vpcs(),
            subnets=self._subnets(environment.vpc) if environment.vpc else (),
            instances=self._instances(environment),
            quotas=self._quotas(stacks),
            vcpus=self._vcpus(instance_type),
            template_versions=self._template_versions(environment),
            image=image,
            root_device=root_device,
        )

    def _zones(self, instance_type: str) -> tuple[str, ...]:
        """Zones that are available and offer the type."""
        filters = [{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
        there = self.call("ec2", "describe_availability_zones", Filters=filters)["AvailabilityZones"]
        offered = self.pages(
            "ec2",
            "describe_instance_type_offerings",
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": [instance_type]}],
        )
        places = {one["Location"] for one in offered}
        return tuple(sorted(zone["ZoneName"] for zone in there if zone["ZoneName"] in places))

    def _vpcs(self) -> tuple[Vpc, ...]:
        found = []
        for vpc in self.pages("ec2", "describe_vpcs", "Vpcs"):
            cidrs = [one["CidrBlock"] for one in vpc.get("CidrBlockAssociationSet") or []] or [vpc["CidrBlock"]]
            found.append(Vpc(vpc["VpcId"], tuple(cidrs), _tags(vpc).get("Name", "")))
        return tuple(found)

    def _subnets(self, vpc: str) -> tuple[Subnet, ...]:
        filters = [{"Name": "vpc-id", "Values": [vpc]}]
        return tuple(
            Subnet(one["SubnetId"], one["VpcId"], one["AvailabilityZone"], one["AvailableIpAddressCount"])
            for one in self.pages("ec2", "describe_subnets", "Subnets", Filters=filters)
        )

    def _instances(self, environment: Environment) -> tuple[Instance, ...]:
        filters = [
            {"Name": "tag:" + ENVIRONMENT_TAG, "Values": [environment.label]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
        ]
        found = [
            instance
            for one in self.pages("ec2", "describe_instances", "Reservations", Filters=filters)
            for instance in one["Instances"]
        ]
        return tuple(sorted((_instance(one) for one in found), key=lambda one: one.name))

    def _template_versions(self, environment: Environment) -> dict[str, str]:
        """The newest version of each launch template of the environment, by name."""
        begins = "{0}-{1}-".format(environment.prefix, environment.name)
        return {
            one["LaunchTemplateName"]: str(one["LatestVersionNumber"])
            for one in self.pages("ec2", "describe_launch_templates", "LaunchTemplates")
            if one["LaunchTemplateName"].startswith(begins)
        }

    def _vcpus(self, instance_type: str) -> int:
        types = self.call("ec2", "describe_instance_types", InstanceTypes=[instance_type])["InstanceTypes"]
        return int(types[0]["VCpuInfo"]["DefaultVCpus"]) if types else 0

    def _image(self, image: str) -> tuple[str, str]:
        """Identifier and root device of an image, which may be given by the name of a public parameter."""
        try:
            found = image
            if image.startswith("/"):
                found = self.client("ssm").get_parameter(Name=image)["Parameter"]["Value"]
            images = self.client("ec2").describe_images(ImageIds=[found])["Images"]
        except Unreadable:
            raise
        except Exception as error:
            if _code(error) in NO_IMAGE:
                raise self._no_image(image) from error
            raise self._unreadable("ec2:describe_images", error) from error
        if not images:
            raise self._no_image(image)
        return found, images[0].get("RootDeviceName") or "/dev/xvda"

    def _check_key(self, key: str) -> None:
        """Raises Unreadable where there is no such key pair: each host would fail over it, when it is made."""
        if not key:
            return
        try:
            self.client("ec2").describe_key_pairs(KeyNames=[key])
        except Unreadable:
            raise
        except Exception as error:
            if _code(error) != "InvalidKeyPair.NotFound":
                raise self._unreadable("ec2:describe_key_pairs", error) from error
            message = "wa_aws_key_name is {0!r}, which is no key pair in {1}; Session Manager needs none."
            text = message.format(key, self.region)
            raise Unreadable(Problem("AWS_KEY_UNKNOWN", text, "wa_aws_key_name", key)) from error

    def _no_image(self, image: str) -> Unreadable:
        message = "wa_aws_image is {0!r}, which is no image in {1}, and no public parameter that names one."
        return Unreadable(Problem("AWS_IMAGE_UNKNOWN", message.format(image, self.region), "wa_aws_image", image))

    # --- stacks

    def _stacks(self, environment: Environment, wait_seconds: float) -> dict[str, Stack | None]:
        deadline = time.monotonic() + wait_seconds
        while True:
            stacks = {kind: self._stack(environment.stack(kind)) for kind in STACKS}
            if not any(stack and stack.busy for stack in stacks.values()) or time.monotonic() >= deadline:
                return stacks
            time.sleep(PAUSE_SECONDS)

    def _stack(self, name: str) -> Stack | None:
        try:
            found = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except Unreadable:
            raise
        except Exception as error:
            if _code(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise self._unreadable("cloudformation:describe_stacks", error) from error
        if not found or found[0]["StackStatus"] == "DELETE_COMPLETE":
            return None
        outputs = {one["OutputKey"]: one.get("OutputValue") or "" for one in found[0].get("Outputs") or []}
        stack = Stack(name, found[0]["StackStatus"], outputs)
        return stack if stack.stands or stack.busy else Stack(name, stack.status, outputs, self._failed(name))

    def _failed(self, name: str) -> tuple[FailedResource, ...]:
        """Resources over which the last operation failed, the first one first. Those that AWS only called off because
        of another one say so, and are no reason."""
        found = []
        for event in self.pages("cloudformation", "describe_stack_events", "StackEvents", StackName=name):
            begins = event["ResourceType"] == "AWS::CloudFormation::Stack" and event["LogicalResourceId"] == name
            if begins and event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"):
                break
            reason = event.get("ResourceStatusReason") or ""
            if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason and not begins:
                found.append(FailedResource(event["LogicalResourceId"], event["ResourceType"], reason))
        return tuple(reversed(found))

    # --- quotas

    def _quotas(self, stacks: t.Mapping[str, Stack | None]) -> dict[str, Quota]:
        used: dict[str, t.Callable[[], float]] = {VCPUS: self._vcpus_in_use}
        if stacks.get(NETWORK) is None:
            used[VPCS] = lambda: len(self._vpcs())
            used[ADDRESSES] = lambda: len(self.call("ec2", "describe_addresses")["Addresses"])
            used[GATEWAYS] = self._gateways_of_a_zone
        if stacks.get(DB) is None:
            used[DATABASES] = lambda: len(self.pages("rds", "describe_db_instances", "DBInstances"))
        if stacks.get(ENTERPRISE) is None:
            used[BALANCERS] = self._network_balancers
            used[FILE_SYSTEMS] = lambda: len(self.pages("efs", "describe_file_systems", "FileSystems"))
        return {key: self._quota(key, count) for key, count in used.items()}

    def _quota(self, key: str, count: t.Callable[[], float]) -> Quota:
        """One that nobody lets us read is not one that there is not."""
        what, service, code = QUOTAS[key]
        try:
            return Quota(what, code, count(), self._limit(service, code))
        except Unreadable as error:
            if error.problem.code == "AWS_CREDENTIALS":
                raise
            return Quota(what, code, 0, None, error.said)

    def _limit(self, service: str, code: str) -> float:
        """The account's own value; of a quota that was never changed AWS may have the value of all accounts only."""
        asked = {"ServiceCode": service, "QuotaCode": code}
        try:
            answer = self.call("service-quotas", "get_service_quota", **asked)
        except Unreadable as error:
            if error.said != "NoSuchResourceException":
                raise
            answer = self.call("service-quotas", "get_aws_default_service_quota", **asked)
        return float(answer["Quota"]["Value"])

    def _gateways_of_a_zone(self) -> float:
        """NAT gateways of the zone that has most of them: the quota is one for each zone."""
        states = [{"Name": "state", "Values": ["pending", "available"]}]
        gateways = self.pages("ec2", "describe_nat_gateways", "NatGateways", Filters=states)
        zones = {one["SubnetId"]: one["AvailabilityZone"] for one in self.pages("ec2", "describe_subnets", "Subnets")}
        found = [zones.get(one["SubnetId"], "") for one in gateways]
        return max((found.count(zone) for zone in found), default=0)

    def _network_balancers(self) -> float:
        balancers = self.pages("elbv2", "describe_load_balancers", "LoadBalancers")
        return sum(one.get("Type") == "network" for one in balancers)

    def _vcpus_in_use(self) -> float:
        filters = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        total = 0
        for one in self.pages("ec2", "describe_instances", "Reservations", Filters=filters):
            for instance in one["Instances"]:
                cpu = instance.get("CpuOptions") or {}
                total += int(cpu.get("CoreCount") or 1) * int(cpu.get("ThreadsPerCore") or 1)
        return total


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(((response or {}).get("Error") or {}).get("Code") or "")


def _tags(entry: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in entry.get("Tags") or []}


def _instance(entry: t.Mapping[str, t.Any]) -> Instance:
    tags = _tags(entry)
    return Instance(
        name=tags.get("Name", entry["InstanceId"]),
        instance=entry["InstanceId"],
        zone=entry["Placement"]["AvailabilityZone"],
        address=entry.get("PrivateIpAddress") or "",
        instance_type=entry["InstanceType"],
        image=entry["ImageId"],
        template_version=tags.get("aws:ec2launchtemplate:version", ""),
    )
