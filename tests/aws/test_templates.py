# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The templates: what cfn-lint and the security rules of cfripper say of every shape they may have."""

from __future__ import annotations

import itertools
import json
import logging
import subprocess
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import STACKS, hosts_of, read_environment
from ansible_collections.waent.fleet.plugins.module_utils._plan.aws import MAKE, REMOVE, plan_aws, values_of, zones_for
from ansible_collections.waent.fleet.plugins.module_utils._plan.removal import Asked
from ansible_collections.waent.fleet.plugins.module_utils._state.aws import Account, Subnet, Vpc
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, TOOLS
from cfripper.config.config import Config
from cfripper.rule_processor import RuleProcessor
from cfripper.rules import DEFAULT_RULES
from pycfmodel import parse as parse_model

#: As Ansible's own lookup renders a template.
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(str(ROOT / "roles" / "aws" / "templates")),
    trim_blocks=True,
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
)
MOST_CHARACTERS = 51200
"""A longer template has to lie in a bucket."""

EXCEPTIONS = {
    ("HardcodedRDSPasswordRule", "Database"): "it is a reference to the secret, in a text that names it",
}
"""What a rule says of a resource, and why it does not hold."""

ACCOUNT = Account(
    "1",
    "eu-central-1",
    ("eu-central-1a", "eu-central-1b", "eu-central-1c"),
    dict.fromkeys(STACKS),
    vpcs=(Vpc("vpc-0123456789abcdef0", ("10.0.0.0/16",)),),
    subnets=(
        Subnet("subnet-0123456789abcdef0", "vpc-0123456789abcdef0", "eu-central-1a", 99),
        Subnet("subnet-0123456789abcdef1", "vpc-0123456789abcdef0", "eu-central-1b", 99),
    ),
    vcpus=4,
    image="ami-0123456789abcdef0",
    root_device="/dev/xvda",
)
RAW = {"name": "waent", "region": "eu-central-1", "cidr": "10.60.0.0/20", "db_version": "8.0", "disk_gb": 40}
RANGES = {"clients": ["192.0.2.0/24"], "admins": ["198.51.100.0/24", "203.0.113.7/32"], "key_name": "sre"}
LOGS = {"log_days": 30}
EXISTING = {"vpc": "vpc-0123456789abcdef0", "subnets": [subnet.subnet for subnet in ACCOUNT.subnets]}


def shapes() -> dict[str, dict[str, t.Any]]:
    """What the templates are made of, by a name: both environments, the ends of the table, all that may be left out."""
    found = {}
    for name, shards, more in (
        ("production", 2, {}),
        ("production", 2, RANGES),
        ("production", 2, {**RANGES, **EXISTING}),
        ("production", 32, RANGES),
        ("staging", 1, {}),
        ("production", 2, LOGS),
    ):
        environment, problems = read_environment({**RAW, **more, "environment": name, "shards": shards})
        assert environment, problems
        plan = plan_aws(environment, ACCOUNT, MAKE)
        assert plan.problems == ()
        words = ["existing" if "vpc" in more else "own"]
        words.append("logs" if "log_days" in more else "ranges" if more else "plain")
        found["-".join([name, str(shards), *words])] = dict(plan.aws)
    environment = read_environment({**RAW, "environment": "production", "shards": 2})[0]
    assert environment
    zones = zones_for(environment, ACCOUNT)
    found["removed"] = values_of(environment, ACCOUNT, zones, [], REMOVE, Asked(True, environment.label))
    return found


SHAPES = shapes()


def rendered(kind: str, values: dict[str, t.Any]) -> str:
    """One template."""
    return TEMPLATES.get_template(kind + ".yml.j2").render(_wa_aws=values)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All of them in all shapes."""
    directory = tmp_path_factory.mktemp("templates")
    made = []
    for (name, values), kind in itertools.product(SHAPES.items(), STACKS):
        if kind == "enterprise" and not values["hosts"]:
            continue
        made.append(directory / f"{name}-{kind}.yml")
        made[-1].write_text(rendered(kind, values))
    return made


def test_cfn_lint_finds_nothing(files: list[Path]) -> None:
    done = subprocess.run([TOOLS / "cfn-lint", *files], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


def test_none_is_too_long_to_be_sent(files: list[Path]) -> None:
    assert [file.name for file in files if len(file.read_text()) > MOST_CHARACTERS] == []


class Loader(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation."""


def short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, t.Any]:
    """C(!Ref x) as C({Ref: x})."""
    name = suffix if suffix == "Ref" else "Fn::" + suffix
    if isinstance(node, yaml.ScalarNode):
        value: t.Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    assert isinstance(node, yaml.SequenceNode)
    return {name: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", short_form)


def template_in(file: Path) -> dict[str, t.Any]:
    """A rendered template as CloudFormation reads it."""
    return yaml.load(file.read_text(), Loader)


@pytest.fixture(autouse=True)
def _quiet() -> t.Iterator[None]:
    """The rules log everything that they know nothing of."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def findings(template: dict[str, t.Any]) -> list[tuple[str, str, str]]:
    """Rule, resource and sentence of everything that the rules of cfripper find."""
    config = Config(stack_name="s", rules=list(DEFAULT_RULES))
    rules = [DEFAULT_RULES[name](config) for name in config.rules]
    model = parse_model(template).resolve(extra_params={})
    result = RuleProcessor(*rules).process_cf_template(model, config)
    assert result.exceptions == []
    return sorted(
        (failure.rule, resource, failure.reason)
        for failure in result.failures
        for resource in failure.resource_ids or {""}
    )


def test_the_security_rules_find_nothing_but_what_has_a_reason(files: list[Path]) -> None:
    found = {(file.name, *finding) for file in files for finding in findings(template_in(file))}
    assert {one for one in found if one[1:3] not in EXCEPTIONS} == set()
    assert {one[1:3] for one in found} == set(EXCEPTIONS), "an exception that nothing needs any more"


def test_the_security_rules_find_what_is_wrong(files: list[Path]) -> None:
    """A check that cannot fail is none."""
    file = next(file for file in files if file.name == "production-2-own-ranges-network.yml")
    template = template_in(file)
    template["Resources"]["SshFrom1"]["Properties"]["CidrIp"] = "0.0.0.0/0"
    assert [rule for rule, resource, _reason in findings(template) if resource == "SshFrom1"]


def resources(values: dict[str, t.Any], kind: str) -> dict[str, dict[str, t.Any]]:
    """The resources of one template."""
    return yaml.load(rendered(kind, values), Loader)["Resources"]


def of_type(values: dict[str, t.Any], kind: str, name: str) -> dict[str, dict[str, t.Any]]:
    """Properties of the resources of one type."""
    found = resources(values, kind).items()
    return {logical: one["Properties"] for logical, one in found if one["Type"] == name}


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "removed"])
def test_what_must_hold_of_every_shape(name: str) -> None:
    values = SHAPES[name]
    templates = of_type(values, "enterprise", "AWS::EC2::LaunchTemplate")
    assert len(templates) == len(values["zones"])
    for template in templates.values():
        data = template["LaunchTemplateData"]
        assert data["MetadataOptions"]["HttpTokens"] == "required"
        assert [disk["Ebs"]["Encrypted"] for disk in data["BlockDeviceMappings"]] == [True]
        assert [nic["AssociatePublicIpAddress"] for nic in data["NetworkInterfaces"]] == [False]
    assert len(of_type(values, "enterprise", "AWS::EC2::Instance")) == len(values["hosts"])
    assert len(of_type(values, "enterprise", "AWS::EFS::MountTarget")) == len(values["zones"])
    (media,) = of_type(values, "enterprise", "AWS::EFS::FileSystem").values()
    assert media["Encrypted"] is True
    (database,) = of_type(values, "db", "AWS::RDS::DBInstance").values()
    assert (database["StorageEncrypted"], database["MultiAZ"], database["PubliclyAccessible"]) == (True, True, False)
    (group,) = of_type(values, "db", "AWS::RDS::DBParameterGroup").values()
    assert group["Parameters"]["require_secure_transport"] == "1"
    (health,) = of_type(values, "enterprise", "AWS::ElasticLoadBalancingV2::TargetGroup").values()
    assert (health["HealthCheckProtocol"], health["HealthCheckPath"]) == ("HTTPS", "/")


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "removed"])
def test_groups_open_exactly_the_ports_of_the_product(name: str) -> None:
    values = SHAPES[name]
    inside = of_type(values, "network", "AWS::EC2::SecurityGroupIngress")
    opened = {(one["FromPort"], one["ToPort"]) for one in inside.values() if "SourceSecurityGroupId" in one}
    assert opened == {*map(tuple, values["ports"]), (9090, 9090), (3306, 3306), (2049, 2049)}
    from_outside = {one["FromPort"] for one in inside.values() if "CidrIp" in one}
    assert from_outside == ({22, 9090} if values["admins"] else set())
    groups = of_type(values, "network", "AWS::EC2::SecurityGroup")
    out = {rule["FromPort"] for rule in groups["HostGroup"]["SecurityGroupEgress"]}
    assert out == {80, 443, 5222}
    assert all(group["SecurityGroupEgress"] for group in groups.values()), "without one AWS allows everything"


def test_data_stays_when_a_stack_goes() -> None:
    for name, values in SHAPES.items():
        database = resources(values, "db")["Database"]
        assert database["DeletionPolicy"] == ("Delete" if name == "removed" else "Snapshot")
        assert database["UpdateReplacePolicy"] == "Snapshot"


def test_what_holds_data_says_so_whatever_happens_to_its_stack() -> None:
    """A database, a file system and a group of logs have both policies; production protects its database besides."""
    for name, values in SHAPES.items():
        kept, kind = ("Delete", "Delete") if name == "removed" else ("Snapshot", "Retain")
        found = {**resources(values, "db"), **resources(values, "enterprise")}
        policies = {
            logical: (one.get("DeletionPolicy"), one.get("UpdateReplacePolicy"))
            for logical, one in found.items()
            if one["Type"] in HOLD_DATA
        }
        expected = {"Database": (kept, "Snapshot"), "Media": (kind, "Retain")}
        assert policies == {**expected, **({"Logs": (kind, "Retain")} if values["log_days"] else {})}
        protected = found["Database"]["Properties"]["DeletionProtection"]
        assert protected is (name.startswith("production"))


def test_a_stack_that_is_to_lose_its_data_differs_by_more_than_that() -> None:
    """AWS takes another DeletionPolicy only with another change: without one the data would stay, unsaid."""
    environment = read_environment({**RAW, "environment": "staging", "shards": 1})[0]
    assert environment
    hosts = hosts_of(environment, zones_for(environment, ACCOUNT))
    kept, gone = (
        values_of(environment, ACCOUNT, zones_for(environment, ACCOUNT), hosts, REMOVE, asked)
        for asked in (Asked(), Asked(True, environment.label))
    )
    for kind in ("db", "enterprise"):
        before, after = resources(kept, kind), resources(gone, kind)
        assert [name for name in before if before[name]["Properties"] != after[name]["Properties"]], kind
    backups = [resources(values, "db")["Database"]["Properties"]["DeleteAutomatedBackups"] for values in (kept, gone)]
    assert backups == [False, True]


HOLD_DATA = ("AWS::RDS::DBInstance", "AWS::EFS::FileSystem", "AWS::Logs::LogGroup")


def test_the_stack_policy_names_what_is_in_the_templates() -> None:
    policy = json.loads((ROOT / "roles" / "aws" / "files" / "stack_policy.json").read_text())
    denied = {
        one["Resource"].removeprefix("LogicalResourceId/"): one["Action"]
        for one in policy["Statement"]
        if one["Effect"] == "Deny"
    }
    values = SHAPES["production-2-own-ranges"]
    logical = {**resources(values, "db"), **resources(values, "enterprise")}
    hosts = {name for name, one in logical.items() if one["Type"] == "AWS::EC2::Instance"}
    assert denied == {
        "Host*": "Update:Replace",
        "Database": ["Update:Replace", "Update:Delete"],
        "Media": ["Update:Replace", "Update:Delete"],
    }
    assert set(denied) - {"Host*"} <= set(logical) and hosts
    assert all(name.startswith("Host") for name in hosts)


def test_logs_go_to_a_group_that_hosts_may_write_and_no_more() -> None:
    """Without days there is no group, no right to one, and no tag that has the inventory use it."""
    with_logs, without = (resources(SHAPES[f"production-2-own-{name}"], "enterprise") for name in ("logs", "plain"))
    assert with_logs["Logs"]["Properties"]["RetentionInDays"] == 30
    (policy,) = with_logs["Role"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == [{"Fn::GetAtt": ["Logs", "Arn"]}]
    tags = [tag for tag in with_logs["Host1"]["Properties"]["Tags"] if tag["Key"] == "waent_fleet_log_group"]
    assert tags == [{"Key": "waent_fleet_log_group", "Value": {"Ref": "Logs"}}]
    assert "Logs" not in without and "Policies" not in without["Role"]["Properties"]
    assert "waent_fleet_log_group" not in str(without)


def test_an_existing_network_is_left_as_it_is() -> None:
    kinds = {one["Type"] for one in resources(SHAPES["production-2-existing-ranges"], "network").values()}
    assert kinds == {"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"}
