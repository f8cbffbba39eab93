# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS on this machine: moto's server on loopback, with what it lacks of CloudFormation, and a record of all calls.

Runs as a program of its own, which prints its port and serves until it is ended (aws.py starts it). What is added to
moto, each because a stack of ours needs it and moto skips it or leaves it behind:

- a secret, with the generated password; C({{resolve:secretsmanager:...}}) where a property has it;
- rules of security groups for what goes out;
- a host from its launch template, with image, type, subnet and tags, and other tags later;
- another class or size of a database; the last snapshot that DeletionPolicy asks for; its protection;
- a network balancer with its targets;
- an update that changes nothing, or only what becomes of resources with their stack, which AWS refuses;
- change sets of stacks that are there;
- other tags of a file system;
- a host that cannot be made, for a reason that the test has written down, and the stack that fails over it;
- a stack that AWS is still at work on, for as long as the test has written that down;
- quotas, some of them as the account's own, some as those of all accounts, some not at all;
- what goes with its stack: addresses, gateways, tables of routes, targets, launch templates.
"""

from __future__ import annotations

import io
import json
import re
import sys
import time
import traceback
import typing as t
from pathlib import Path
from urllib.parse import parse_qs

from flask import got_request_exception
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Event, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.instances import Instance
from moto.ec2.models.internet_gateways import InternetGateway
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.route_tables import RouteTable
from moto.efs.models import FileSystem, efs_backends
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup, elbv2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.rds.models import DBInstance, DBParameterGroup, rds_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse
from werkzeug.serving import make_server

Json = dict[str, t.Any]
REFUSALS = Path(sys.argv[1]).with_name("refusals.json") if len(sys.argv) > 1 else Path("refusals.json")
"""Why a host cannot be made, by its name; beside the record."""
BUSY = REFUSALS.with_name("busy.json")
"""What is shown of a stack in place of its status, by its name; beside it."""

RESOLVE = re.compile(r"\{\{resolve:secretsmanager:(.+?):SecretString:(\w+)\}\}")


def properties_of(json_: Json) -> Json:
    """The properties of a resource."""
    return json_["Properties"]


# --- secrets ----------------------------------------------------------------------------------------------------------


class Secret(CloudFormationModel):
    """A secret with a generated password."""

    def __init__(self, arn: str) -> None:
        self.arn = arn

    @property
    def physical_resource_id(self) -> str:
        """What C(Ref) gives."""
        return self.arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(  # type: ignore[override]
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_other: t.Any
    ) -> Secret:
        desired = properties_of(cloudformation_json)["GenerateSecretString"]
        backend = secretsmanager_backends[account_id][region_name]
        password = json.loads(
            backend.get_random_password(
                desired["PasswordLength"], desired["ExcludeCharacters"], False, False, False, False, False, True
            )
        )["RandomPassword"]
        value = {**json.loads(desired["SecretStringTemplate"]), desired["GenerateStringKey"]: password}
        answer = backend.create_secret(
            resource_name,
            json.dumps(value),
            None,
            "",
            properties_of(cloudformation_json)["Tags"],
            [],
            False,
            None,
            None,
        )
        return cls(json.loads(answer)["ARN"])

    def delete(self, account_id: str, region_name: str) -> None:
        """With its stack."""
        secretsmanager_backends[account_id][region_name].delete_secret(self.arn, None, True)


def resolved(value: t.Any, account_id: str, region_name: str) -> t.Any:
    """A value with what a secret has in place of its reference."""
    found = RESOLVE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    backend = secretsmanager_backends[account_id][region_name]
    return json.loads(backend.get_secret_value(found[1], None, None)["SecretString"])[found[2]]


# --- rules for what goes out ------------------------------------------------------------------------------------------


class Egress(CloudFormationModel):
    """A rule of a security group for what goes out."""

    def __init__(self, rule: Json) -> None:
        self.rule = rule

    @property
    def physical_resource_id(self) -> str:
        """What C(Ref) gives."""
        return "{GroupId}-{FromPort}".format(**self.rule)

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::EC2::SecurityGroupEgress"

    def _arguments(self) -> Json:
        rule = self.rule
        return {
            "group_name_or_id": rule["GroupId"],
            "ip_protocol": rule["IpProtocol"],
            "from_port": str(rule["FromPort"]),
            "to_port": str(rule["ToPort"]),
            "ip_ranges": [],
            "source_groups": [{"GroupId": rule["DestinationSecurityGroupId"]}],
        }

    @classmethod
    def create_from_cloudformation_json(  # type: ignore[override]
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_other: t.Any
    ) -> Egress:
        del resource_name
        made = cls(properties_of(cloudformation_json))
        ec2_backends[account_id][region_name].authorize_security_group_egress(**made._arguments())
        return made

    @classmethod
    def update_from_cloudformation_json(  # type: ignore[override]
        cls,
        original_resource: Egress,
        new_resource_name: str,
        cloudformation_json: Json,
        account_id: str,
        region_name: str,
    ) -> Egress:
        original_resource.delete(account_id, region_name)
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    def delete(self, account_id: str, region_name: str) -> None:
        """With its stack; the group may be gone already."""
        backend = ec2_backends[account_id][region_name]
        if backend.get_security_group_from_id(self.rule["GroupId"]):
            backend.revoke_security_group_egress(**self._arguments())


# --- hosts ------------------------------------------------------------------------------------------------------------


def launch(
    _cls: type, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_other: t.Any
) -> Instance:
    """A host as its launch template and its own properties have it."""
    del resource_name
    own = properties_of(cloudformation_json)
    refuse_host(own)
    backend = ec2_backends[account_id][region_name]
    named = own["LaunchTemplate"]
    template = backend.get_launch_template(named["LaunchTemplateId"])
    data = template.versions[int(named["Version"]) - 1].data
    nic = data["NetworkInterfaces"][0]
    instance = backend.run_instances(
        image_id=own["ImageId"],
        count=1,
        user_data=data.get("UserData"),
        security_group_names=[],
        security_group_ids=nic["Groups"],
        instance_type=own["InstanceType"],
        is_instance_type_default=False,
        subnet_id=nic["SubnetId"],
        key_name=data.get("KeyName"),
        block_device_mappings={},
        metadata_options=data["MetadataOptions"],
    ).instances[0]
    instance.add_tag("aws:ec2launchtemplate:version", str(named["Version"]))
    tag_host(instance, own)
    return instance


class Refused(Exception):
    """A resource that AWS does not make. resource: its logical name."""

    def __init__(self, resource: str, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.resource, self.kind, self.reason = resource, kind, reason


def refuse_host(own: Json) -> None:
    """Raises Refused where the test says so, by the name of the host."""
    name = next(tag["Value"] for tag in own["Tags"] if tag["Key"] == "Name")
    reason = json.loads(REFUSALS.read_text()).get(name) if REFUSALS.exists() else None
    if reason:
        raise Refused("Host" + name.rpartition("-")[2], "AWS::EC2::Instance", reason)


def tag_host(instance: Instance, own: Json) -> None:
    """The tags of a host as they are written."""
    for tag in own.get("Tags", []):
        instance.add_tag(tag["Key"], tag["Value"])


def change_host(
    _cls: type,
    original_resource: Instance,
    new_resource_name: str,
    cloudformation_json: Json,
    account_id: str,
    region_name: str,
) -> Instance:
    """Other tags stay on the host; another image, type or template would be another host, as on AWS."""
    own = properties_of(cloudformation_json)
    version = next(tag["value"] for tag in original_resource.get_tags() if tag["key"].endswith("template:version"))
    desired = (own["ImageId"], own["InstanceType"], str(own["LaunchTemplate"]["Version"]))
    if desired != (original_resource.image_id, original_resource.instance_type, version):
        original_resource.terminate()
        return launch(Instance, new_resource_name, cloudformation_json, account_id, region_name)
    tag_host(original_resource, own)
    return original_resource


# --- the database -----------------------------------------------------------------------------------------------------

_create_database = DBInstance.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]
KEEP_SNAPSHOT: set[str] = set()


def make_database(
    cls: type, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **other: t.Any
) -> DBInstance:
    """With its real password, and what happens to its data noted."""
    own = dict(properties_of(cloudformation_json))
    own["MasterUserPassword"] = resolved(own["MasterUserPassword"], account_id, region_name)
    own["DBParameterGroupName"] = own["DBParameterGroupName"].name
    own["AllocatedStorage"] = int(own["AllocatedStorage"])
    own["VpcSecurityGroupIds"] = own.pop("VPCSecurityGroups")
    made = _create_database(cls, resource_name, {"Properties": own}, account_id, region_name, **other)
    change_data(made, cloudformation_json)
    return made


def change_data(database: DBInstance, json_: Json) -> None:
    """What is not a property of moto's."""
    database.deletion_protection = properties_of(json_).get("DeletionProtection", False)
    if json_.get("DeletionPolicy") == "Snapshot":
        KEEP_SNAPSHOT.add(database.db_instance_identifier)
    else:
        KEEP_SNAPSHOT.discard(database.db_instance_identifier)


def change_database(
    _cls: type,
    original_resource: DBInstance,
    new_resource_name: str,
    cloudformation_json: Json,
    account_id: str,
    region_name: str,
) -> DBInstance:
    """Another class, size or protection."""
    del new_resource_name
    own = properties_of(cloudformation_json)
    backend = rds_backends[account_id][region_name]
    original_resource.db_instance_class = own["DBInstanceClass"]
    original_resource.allocated_storage = int(own["AllocatedStorage"])
    change_data(original_resource, cloudformation_json)
    return backend.databases[original_resource.db_instance_identifier]


def delete_database(self: DBInstance, account_id: str, region_name: str) -> None:
    """With the last snapshot, where the template has one."""
    backend = rds_backends[account_id][region_name]
    name = self.db_instance_identifier
    backend.delete_db_instance(name, name + "-snapshot-database" if name in KEEP_SNAPSHOT else None)


# --- the rest ---------------------------------------------------------------------------------------------------------

_create_target_group = FakeTargetGroup.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]


def make_target_group(
    cls: type, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **other: t.Any
) -> FakeTargetGroup:
    """With its targets."""
    made = _create_target_group(cls, resource_name, cloudformation_json, account_id, region_name, **other)
    elbv2_backends[account_id][region_name].target_groups[made.arn].register(
        properties_of(cloudformation_json)["Targets"]
    )
    return made


def make_balancer(
    _cls: type, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_other: t.Any
) -> FakeLoadBalancer:
    """A network balancer, of which moto makes one for HTTP."""
    own = properties_of(cloudformation_json)
    return elbv2_backends[account_id][region_name].create_load_balancer(
        resource_name, own["SecurityGroups"], own["Subnets"], scheme=own["Scheme"], loadbalancer_type=own["Type"]
    )


def delete_nat(self: NatGateway, account_id: str, region_name: str) -> None:
    """With its stack."""
    ec2_backends[account_id][region_name].nat_gateways.pop(self.id)


def delete_routes(self: RouteTable, account_id: str, region_name: str) -> None:
    """With its stack, and what is associated with it."""
    self._associations.clear()
    ec2_backends[account_id][region_name].delete_route_table(self.id)


def delete_gateway(self: InternetGateway, account_id: str, region_name: str) -> None:
    """With its stack."""
    backend = ec2_backends[account_id][region_name]
    if self.vpc:
        backend.detach_internet_gateway(self.id, self.vpc.id)
    backend.delete_internet_gateway(self.id)


def delete_address(self: ElasticAddress, account_id: str, region_name: str) -> None:
    """With its stack."""
    ec2_backends[account_id][region_name].release_address(allocation_id=self.allocation_id)


def delete_targets(self: FakeTargetGroup, account_id: str, region_name: str) -> None:
    """With its stack, once no listener uses it."""
    elbv2_backends[account_id][region_name].delete_target_group(self.arn)


def change_parameters(
    _cls: type,
    original_resource: DBParameterGroup,
    new_resource_name: str,
    cloudformation_json: Json,
    account_id: str,
    region_name: str,
) -> DBParameterGroup:
    """Other values."""
    del new_resource_name, account_id, region_name
    desired = properties_of(cloudformation_json)["Parameters"]
    original_resource.update_parameters(
        {"ParameterName": key, "ParameterValue": value} for key, value in desired.items()
    )
    return original_resource


def change_media(
    _cls: type,
    original_resource: FileSystem,
    new_resource_name: str,
    cloudformation_json: Json,
    account_id: str,
    region_name: str,
) -> FileSystem:
    """Other tags."""
    del new_resource_name
    tags = {tag["Key"]: tag["Value"] for tag in properties_of(cloudformation_json)["FileSystemTags"]}
    efs_backends[account_id][region_name].tag_resource(original_resource.file_system_id, tags)
    return original_resource


def delete_template(self: LaunchTemplate, account_id: str, region_name: str) -> None:
    """With its stack."""
    ec2_backends[account_id][region_name].delete_launch_template(self.name, None)


def extend() -> None:
    """Adds all this to moto."""
    Instance.create_from_cloudformation_json = classmethod(launch)  # type: ignore[assignment]
    Instance.update_from_cloudformation_json = classmethod(change_host)  # type: ignore[assignment]
    DBInstance.create_from_cloudformation_json = classmethod(make_database)  # type: ignore[assignment]
    DBInstance.update_from_cloudformation_json = classmethod(change_database)  # type: ignore[assignment]
    DBInstance.delete = delete_database  # type: ignore[method-assign]
    FakeTargetGroup.create_from_cloudformation_json = classmethod(make_target_group)  # type: ignore[assignment]
    CloudFormationResponse._validate_different_update = refuse_same  # type: ignore[method-assign]
    CloudFormationResponse.create_change_set = create_change_set  # type: ignore[method-assign]
    FakeLoadBalancer.create_from_cloudformation_json = classmethod(make_balancer)  # type: ignore[assignment]
    NatGateway.delete = delete_nat  # type: ignore[attr-defined]
    DBParameterGroup.update_from_cloudformation_json = classmethod(change_parameters)  # type: ignore[assignment]
    FileSystem.update_from_cloudformation_json = classmethod(change_media)  # type: ignore[assignment]
    ElasticAddress.delete = delete_address  # type: ignore[attr-defined]
    FakeTargetGroup.delete = delete_targets  # type: ignore[attr-defined]
    RouteTable.delete = delete_routes  # type: ignore[attr-defined]
    InternetGateway.delete = delete_gateway  # type: ignore[attr-defined]
    LaunchTemplate.delete = delete_template  # type: ignore[attr-defined]
    Stack.create_resources = create_or_roll_back  # type: ignore[method-assign]
    Stack.update = update_or_roll_back  # type: ignore[method-assign]
    Stack.status = property(shown_status, keep_status)  # type: ignore[assignment]
    ServiceQuotasBackend.get_service_quota = own_quota  # type: ignore[method-assign]
    ServiceQuotasResponse.get_aws_default_service_quota = quota_of_all  # type: ignore[attr-defined]


# --- stacks that fail -------------------------------------------------------------------------------------------------

_create_resources, _update_stack = Stack.create_resources, Stack.update


def note_failure(stack: Stack, refused: Refused) -> None:
    """The event of a resource that AWS has not made."""
    event = Event(stack.stack_id, stack.name, refused.resource, "", refused.kind, "CREATE_FAILED", refused.reason, None)
    # By which whoever has asked for it finds it.
    event.client_request_token = Recorder.token  # type: ignore[assignment]
    stack.events.append(event)


def create_or_roll_back(self: Stack) -> None:
    """As AWS does by default: of a stack that could not be made nothing is left but its name and its events."""
    try:
        _create_resources(self)
    except Refused as refused:
        note_failure(self, refused)
        self._add_stack_event("ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create.")
        self.resource_map.delete()
        self.resource_map._resource_json_map = {}
        self.output_map._output_json_map = {}
        self._add_stack_event("ROLLBACK_COMPLETE")
        self.status = "ROLLBACK_COMPLETE"


def update_or_roll_back(self: Stack, template: str, *arguments: t.Any, **named: t.Any) -> None:
    """As AWS does: a stack that could not be changed is as it was."""
    before = self.template
    try:
        _update_stack(self, template, *arguments, **named)
    except Refused as refused:
        events = list(self.events)
        _update_stack(self, str(before), *arguments, **named)
        self.events = events
        note_failure(self, refused)
        self._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create.")
        self._add_stack_event("UPDATE_ROLLBACK_COMPLETE")
        self.status = "UPDATE_ROLLBACK_COMPLETE"


# --- stacks that take their time --------------------------------------------------------------------------------------


def shown_status(self: Stack) -> str:
    """Its own, or the one that the test wants to be seen."""
    shown = json.loads(BUSY.read_text()) if BUSY.exists() else {}
    return str(shown.get(self.name) or self.__dict__["status"])


def keep_status(self: Stack, status: str) -> None:
    """What has become of it."""
    self.__dict__["status"] = status


# --- quotas -----------------------------------------------------------------------------------------------------------

OWN_QUOTAS = {"L-1216C47A": 64.0, "L-F678F1CE": 5.0, "L-0263D0A3": 5.0, "L-FE5A380F": 5.0}
QUOTAS_OF_ALL = {"L-7B6409FD": 40.0, "L-69A177A2": 50.0}


def own_quota(_self: t.Any, service_code: str, quota_code: str) -> Json:
    """One that the account has a value of its own for."""
    del service_code
    if quota_code not in OWN_QUOTAS:
        raise NoSuchResource
    return {"QuotaCode": quota_code, "Value": OWN_QUOTAS[quota_code]}


def quota_of_all(self: ServiceQuotasResponse) -> str:
    """One that has the value of all accounts."""
    code = str(json.loads(self.body)["QuotaCode"])
    if code not in QUOTAS_OF_ALL:
        raise NoSuchResource
    return json.dumps({"Quota": {"QuotaCode": code, "Value": QUOTAS_OF_ALL[code]}})


POLICY = re.compile(r"^ +(?:DeletionPolicy|UpdateReplacePolicy): .*$", re.MULTILINE)


def refuse_same(self: t.Any, incoming_params: t.Any, stack_body: str, old_stack: Stack) -> None:
    """AWS refuses an update that changes nothing; moto only where there are parameters, of which ours have none.

    What becomes of a resource with its stack is nothing that is changed by itself.
    """
    del self, incoming_params
    if POLICY.sub("", old_stack.template) == POLICY.sub("", stack_body):
        raise ValidationError(old_stack.name, message="No updates are to be performed.")


_create_change_set = CloudFormationResponse.create_change_set


def create_change_set(self: t.Any) -> t.Any:
    """Of a stack that is there, where nothing else is said; moto makes a second one. Without a change it has failed,
    which AWS says when it is asked for it, and does not refuse."""
    given = self._get_param
    self._get_param = lambda name, default=None: given(name, "UPDATE" if name == "ChangeSetType" else default)
    self._validate_different_update = lambda *_given: None
    return _create_change_set(self)


# --- the record -------------------------------------------------------------------------------------------------------


def call_in(environ: Json, body: bytes) -> Json:
    """Service and operation of a request, and the stack that it names."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", authorization)
    service = scope[1] if scope else ""
    form = parse_qs(body.decode("utf-8", "replace")) if body else {}
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    action = form["Action"][0] if "Action" in form else target.rpartition(".")[2]
    if not action:
        action = "{REQUEST_METHOD} {PATH_INFO}".format(**environ)
    return {"service": service, "action": action, "stack": form.get("StackName", [""])[0]}


class Recorder:
    """Notes every call in a file, with its moment, before it is answered."""

    token = ""
    """Of the last call that had one."""

    def __init__(self, application: t.Callable[..., t.Any], record: Path) -> None:
        self.application = application
        self.record = record

    def __call__(self, environ: Json, start_response: t.Callable[..., t.Any]) -> t.Any:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        token = parse_qs(body.decode("utf-8", "replace")).get("ClientRequestToken")
        Recorder.token = token[0] if token else Recorder.token
        if "moto-api" not in environ["PATH_INFO"]:
            with self.record.open("a") as file:
                file.write(json.dumps({**call_in(environ, body), "at": time.time()}) + "\n")
        return self.application(environ, start_response)


def log_fault(_application: t.Any, exception: BaseException, **_more: t.Any) -> None:
    """What an answer 500 hides, for the log."""
    traceback.print_exception(exception)


def main() -> None:
    extend()
    got_request_exception.connect(log_fault)
    application = Recorder(DomainDispatcherApplication(create_backend_app), Path(sys.argv[1]))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    print(server.server_port, flush=True)
    server.serve_forever()
