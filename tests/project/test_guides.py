# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples in the guides are true: what they say works, does."""

from __future__ import annotations

import re

import yaml
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS, SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import read_environment
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import read_cluster_spec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import BY_NAME
from ansible_collections.waent.fleet.plugins.module_utils._plan.aws import database_for, instance_type
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load

MEDIA = ROOT / "docs" / "guides" / "media.md"
GUIDE = ROOT / "docs" / "guides" / "two_clusters.md"
SHAPE = ("name_prefix", "webapp_port", "coreapp_port", "master_port")


def second_number() -> dict[str, object]:
    """The variables that the guide gives a second number."""
    block = re.search(r"```yaml\n(wa_name_prefix.*?)```", GUIDE.read_text(), re.DOTALL)
    assert block
    found: dict[str, object] = yaml.safe_load(block.group(1))
    return found


def nodes(**variables: object) -> dict[str, set[object]]:
    """Names and ports that the largest cluster takes on one host."""
    host = {"name": "rack-a-1", "kinds": list(KINDS), "pins": {"coreapp": 33, "master": 5, "webapp": 9}}
    spec, problems = read_cluster_spec({"shards": 32, "hosts": [host], **variables})
    assert spec and not problems
    placed = place(spec).nodes
    return {"names": {node.name for node in placed}, "ports": {port for node in placed for port in node.ports}}


def test_the_second_number_of_the_guide_shares_no_name_and_no_port_with_the_first() -> None:
    given = second_number()
    first, second = nodes(), nodes(**{name: given["wa_" + name] for name in SHAPE})
    for what in first:
        assert not first[what] & second[what], what


def test_it_differs_in_everything_that_the_defaults_have_in_common() -> None:
    given, defaults = second_number(), load(ROOT / "roles" / "variables" / "defaults" / "main.yml")
    assert not given.keys() - BY_NAME.keys()
    assert not [name for name in given if given[name] == defaults.get(name)]
    # The network, the media store and the volume of a database are called after the cluster.
    for name in ("wa_network", "wa_media", "wa_database_volume"):
        assert "wa_cluster_name" in defaults[name]


def test_every_reason_to_refuse_a_share_is_in_its_guide_and_no_other() -> None:
    code = re.compile(r"\bMEDIA_(?:SHARE|COPY|SERVER)_[A-Z_]+[A-Z]\b")
    names = ("_check/media_share", "_check/media_copy", "_desired/media_server", "_io/bounded")
    files = [*("module_utils/" + name for name in names), "modules/wa_media_copy", "plugin_utils/facts/media"]
    source = "".join((ROOT / "plugins" / f"{name}.py").read_text() for name in files)
    assert set(code.findall(source)) == set(code.findall(MEDIA.read_text()))


def test_every_reason_to_refuse_an_environment_on_aws_is_in_its_guide_and_no_other() -> None:
    code = re.compile(r"\bAWS_[A-Z]+(?:_[A-Z]+)*\b")
    names = ("_check/aws", "_check/aws_stack", "_desired/aws", "_io/aws", "_plan/aws", "_plan/stops")
    source = "".join((ROOT / "plugins" / "module_utils" / f"{name}.py").read_text() for name in names)
    # Made of a beginning and a word, and what boto3 reads.
    made = {"AWS_CIDR_TOO_SMALL", "AWS_CIDR_TOO_LARGE"}
    of_boto3 = {"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    guide = set(code.findall((ROOT / "docs" / "guides" / "aws.md").read_text()))
    assert (set(code.findall(source)) | made) - of_boto3 == guide - of_boto3


def test_the_guide_has_the_classes_that_are_chosen_on_aws() -> None:
    """One row for each number of shards, as the plan of a new environment has it."""
    text = (ROOT / "docs" / "guides" / "aws.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\| \d+ \|.*$", text, re.M)]
    raw = {"name": "waent", "region": "eu-central-1", "cidr": "10.60.0.0/20", "db_version": "8.0", "disk_gb": 40}
    expected = []
    for shards in SHARD_COUNTS:
        environment, problems = read_environment({**raw, "environment": "production", "shards": shards})
        assert environment, problems
        made = database_for(environment, None)
        size = (made.db_class, str(made.max_connections), "{0} GB".format(made.storage_gb))
        expected.append([str(shards), str(environment.hosts), instance_type(environment), *size])
    assert [row for row in rows if len(row) == len(expected[0])] == expected
