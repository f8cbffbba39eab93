# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of an account, and the sentence for what cannot be: without boto3, with answers as boto3 gives them."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import read_environment
from ansible_collections.waent.fleet.plugins.module_utils._io import aws as io_aws
from ansible_collections.waent.fleet.plugins.module_utils._io.aws import Reader, Unreadable

ENVIRONMENT = read_environment(
    {"environment": "production", "shards": 2, "name": "waent", "region": "eu-central-1", "cidr": "10.60.0.0/20"}
)[0]


class Refused(Exception):
    """As botocore's ClientError: with a code in its response."""

    def __init__(self, code, message=""):
        super().__init__("An error occurred ({0}): {1}".format(code, message))
        self.response = {"Error": {"Code": code, "Message": message}}


class NoCredentialsError(Exception):
    """Has the name that botocore gives to it."""


class Client:
    """One service: an answer or an exception for each operation, by name; several are given in turn."""

    def __init__(self, answers):
        self.answers = answers

    def __getattr__(self, operation):
        def call(**_arguments):
            answer = self.answers[operation]
            answer = answer.pop(0) if isinstance(answer, list) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def get_paginator(self, operation):
        outer = self

        class Pages:
            """All pages of one operation."""

            def paginate(self, **arguments):
                return [getattr(outer, operation)(**arguments)]

        return Pages()


@pytest.fixture
def reader(monkeypatch):
    """A reader whose services have their answers."""

    def make(**services):
        made = Reader("eu-central-1", session=object())
        made.clients = {name.replace("_", "-"): Client(answers) for name, answers in services.items()}
        return made

    monkeypatch.setattr(io_aws, "PAUSE_SECONDS", 0)
    return make


def problem_of(call):
    with pytest.raises(Unreadable) as caught:
        call()
    return caught.value.problem


@pytest.mark.parametrize("name", ["boto3", "ansible_collections.amazon.aws.plugins.modules.cloudformation"])
def test_a_library_that_is_missing_is_one_sentence(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    problem = problem_of(io_aws.check_collection if name != "boto3" else lambda: Reader("eu-central-1"))
    assert problem.code == "LIBRARY_MISSING"
    assert "only AWS needs it: pip install boto3" in problem.message


@pytest.mark.parametrize("error", [NoCredentialsError("Unable to locate credentials"), Refused("ExpiredToken", "old")])
def test_whoever_is_not_known_to_aws_is_shown_what_to_set(reader, error):
    asked = reader(sts={"get_caller_identity": error})
    problem = problem_of(lambda: asked.account(ENVIRONMENT, "c5.xlarge"))
    assert problem.code == "AWS_CREDENTIALS"
    assert "set AWS_PROFILE" in problem.message


def test_a_call_that_is_not_allowed_is_named(reader):
    asked = reader(sts={"get_caller_identity": Refused("AccessDenied", "not you")})
    problem = problem_of(lambda: asked.account(ENVIRONMENT, "c5.xlarge"))
    assert (problem.code, "sts:get_caller_identity" in problem.message) == ("AWS_ACCESS_DENIED", True)


def test_whatever_else_happens_is_one_line(reader):
    asked = reader(sts={"get_caller_identity": OSError("could not\nconnect")})
    problem = problem_of(lambda: asked.account(ENVIRONMENT, "c5.xlarge"))
    assert (problem.code, "\n" in problem.message) == ("AWS_UNREADABLE", False)


ABSENT = Refused("ValidationError", "Stack with id x does not exist")


def stack(status, **outputs):
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"Stacks": [{"StackStatus": status, "Outputs": listed}]}


def test_a_stack_that_is_not_there_is_none_and_one_that_cannot_be_read_is_no_such_stack(reader):
    assert reader(cloudformation={"describe_stacks": ABSENT})._stack("x") is None
    assert reader(cloudformation={"describe_stacks": stack("DELETE_COMPLETE")})._stack("x") is None
    other = Refused("ValidationError", "1 validation error detected")
    assert problem_of(lambda: reader(cloudformation={"describe_stacks": other})._stack("x")).code == "AWS_UNREADABLE"


def test_it_waits_for_what_aws_is_at_work_on(reader):
    answers = [stack("CREATE_IN_PROGRESS"), ABSENT, ABSENT, stack("CREATE_COMPLETE", VpcId="v"), ABSENT, ABSENT]
    found = reader(cloudformation={"describe_stacks": answers})._stacks(ENVIRONMENT, 60)
    assert (found["network"].stands, found["network"].outputs, found["db"]) == (True, {"VpcId": "v"}, None)
    assert answers == []


def event(resource, status, reason=None, kind="AWS::EC2::Instance"):
    return {
        "LogicalResourceId": resource,
        "ResourceType": kind,
        "ResourceStatus": status,
        **({"ResourceStatusReason": reason} if reason else {}),
    }


def test_the_reason_of_a_failure_is_the_first_one_of_the_last_operation(reader):
    own = "AWS::CloudFormation::Stack"
    events = [
        event("s", "ROLLBACK_COMPLETE", kind=own),
        event("Host2", "CREATE_FAILED", "Resource creation cancelled"),
        event("Host1", "CREATE_FAILED", "vCPU limit"),
        event("s", "CREATE_IN_PROGRESS", kind=own),
        event("Old", "CREATE_FAILED", "long ago"),
    ]
    asked = reader(
        cloudformation={"describe_stacks": stack("ROLLBACK_COMPLETE"), "describe_stack_events": {"StackEvents": events}}
    )
    found = asked._stack("s")
    assert [(one.resource, one.reason) for one in found.failed] == [("Host1", "vCPU limit")]


def test_a_quota_that_nobody_lets_us_read_is_not_none(reader):
    asked = reader(service_quotas={"get_service_quota": Refused("AccessDeniedException")})
    quota = asked._quota("vcpus", lambda: 1.0)
    assert (quota.limit, quota.why) == (None, "AccessDeniedException")
    known = reader(service_quotas={"get_service_quota": {"Quota": {"Value": 32.0}}})._quota("vcpus", lambda: 1.0)
    assert (known.limit, known.used) == (32.0, 1.0)
    lost = reader(service_quotas={"get_service_quota": NoCredentialsError()})
    assert problem_of(lambda: lost._quota("vcpus", lambda: 1.0)).code == "AWS_CREDENTIALS"


def test_a_quota_that_was_never_changed_is_that_of_all_accounts(reader):
    never = Refused("NoSuchResourceException")
    services = {"get_service_quota": never, "get_aws_default_service_quota": {"Quota": {"Value": 40.0}}}
    assert reader(service_quotas=services)._quota("databases", lambda: 1.0).limit == 40.0
    nobody = reader(service_quotas={"get_service_quota": never, "get_aws_default_service_quota": never})
    quota = nobody._quota("databases", lambda: 1.0)
    assert (quota.limit, quota.why) == (None, "NoSuchResourceException")


def test_a_quota_whose_use_cannot_be_counted_is_not_one_that_is_unused(reader):
    asked = reader(
        service_quotas={"get_service_quota": {"Quota": {"Value": 5.0}}},
        elbv2={"describe_load_balancers": Refused("AccessDenied")},
    )
    quota = asked._quota("balancers", asked._network_balancers)
    assert (quota.limit, quota.why) == (None, "AccessDenied")


def test_gateways_are_counted_in_the_zone_that_has_most(reader):
    subnets = [{"SubnetId": name, "AvailabilityZone": zone} for name, zone in (("s1", "a"), ("s2", "a"), ("s3", "b"))]
    gateways = [{"SubnetId": name} for name in ("s1", "s2", "s3")]
    answers = {"describe_nat_gateways": {"NatGateways": gateways}, "describe_subnets": {"Subnets": subnets}}
    assert reader(ec2=answers)._gateways_of_a_zone() == 2
    nothing = {"describe_nat_gateways": {"NatGateways": []}, "describe_subnets": {"Subnets": subnets}}
    assert reader(ec2=nothing)._gateways_of_a_zone() == 0


def test_balancers_of_another_kind_are_no_network_balancers(reader):
    found = {"LoadBalancers": [{"Type": "network"}, {"Type": "application"}, {"Type": "network"}]}
    assert reader(elbv2={"describe_load_balancers": found})._network_balancers() == 2


def test_a_key_pair_that_is_none_is_refused(reader):
    asked = reader(ec2={"describe_key_pairs": Refused("InvalidKeyPair.NotFound")})
    problem = problem_of(lambda: asked._check_key("nobody"))
    assert (problem.code, "'nobody'" in problem.message) == ("AWS_KEY_UNKNOWN", True)
    other = reader(ec2={"describe_key_pairs": Refused("UnauthorizedOperation")})
    assert problem_of(lambda: other._check_key("sre")).code == "AWS_ACCESS_DENIED"
    reader(ec2={"describe_key_pairs": {"KeyPairs": [{}]}})._check_key("sre")
    reader()._check_key("")


def test_vcpus_in_use_are_counted_by_instance(reader):
    instances = [{"CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2}}, {}]
    assert reader(ec2={"describe_instances": {"Reservations": [{"Instances": instances}]}})._vcpus_in_use() == 5


@pytest.mark.parametrize("image", ["ami-0", "/aws/service/nobody"])
def test_an_image_that_is_none_is_refused(reader, image):
    asked = reader(
        ec2={"describe_images": Refused("InvalidAMIID.NotFound")}, ssm={"get_parameter": Refused("ParameterNotFound")}
    )
    problem = problem_of(lambda: asked._image(image))
    assert (problem.code, image in problem.message) == ("AWS_IMAGE_UNKNOWN", True)
    nothing = reader(ec2={"describe_images": {"Images": []}}, ssm={"get_parameter": {"Parameter": {"Value": "ami-1"}}})
    assert problem_of(lambda: nothing._image(image)).code == "AWS_IMAGE_UNKNOWN"


def test_zones_are_those_that_are_there_and_offer_the_type(reader):
    zones = [{"ZoneName": "eu-central-1" + letter} for letter in "cab"]
    offered = [{"Location": "eu-central-1a"}, {"Location": "eu-central-1c"}]
    asked = reader(
        ec2={
            "describe_availability_zones": {"AvailabilityZones": zones},
            "describe_instance_type_offerings": {"InstanceTypeOfferings": offered},
        }
    )
    assert asked._zones("c5.xlarge") == ("eu-central-1a", "eu-central-1c")
