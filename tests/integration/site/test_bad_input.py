# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Input that can be refused without any host: site.yml does so before it contacts one, with all problems at once."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    Doorbell,
    Run,
    play,
    write_inventory,
    write_variables,
)


@pytest.fixture(scope="module")
def doorbell() -> t.Iterator[Doorbell]:
    """The SSH port of every host in these tests."""
    bell = Doorbell()
    yield bell
    bell.close()


@pytest.fixture(scope="module")
def site(doorbell: Doorbell, tmp_path_factory: pytest.TempPathFactory) -> t.Callable[..., tuple[Run, int]]:
    """Run site.yml with variables and host variables; returns the run and how often a host was contacted."""

    def work(
        variables: t.Mapping[str, t.Any],
        hosts: t.Mapping[str, t.Mapping[str, t.Any]] | None = None,
        *arguments: str,
        **groups: t.Sequence[str],
    ) -> tuple[Run, int]:
        directory = tmp_path_factory.mktemp("site")
        reached = {"ansible_host": "127.0.0.1", "ansible_port": doorbell.port}
        machines = {
            name: {**reached, "wa_address": "{0}.example.com".format(name), **extra}
            for name, extra in (hosts or {"one": {}}).items()
        }
        inventory = write_inventory(directory / "hosts.yml", machines, **groups)
        given = write_variables(directory / "variables.json", variables)
        before = doorbell.calls
        run = play("playbooks/site.yml", "-i", inventory, "-e", given, *arguments)
        return run, doorbell.calls - before

    return work


class Mistakes(t.NamedTuple):
    """Several mistakes made in one run, and all that must be said about them: (code, sentence) in any order."""

    variables: t.Mapping[str, t.Any]
    said: t.Sequence[tuple[str, str]]
    hosts: t.Mapping[str, t.Mapping[str, t.Any]] | None = None
    arguments: t.Sequence[str] = ()


ADMIN = "the first login must replace the password every new installation has"
REACH = "every node needs it to reach the database"
REGISTER = "registering the number needs it; set wa_register to false to leave the number alone"

WRONG = {
    "values": Mistakes(
        valid_variables.but(
            wa_shards=3,
            wa_version="2.19",
            wa_db_password="ab?{}&~!()^=cd",
            wa_db_port=0,
            wa_db_engine="ORACLE",
            wa_api_key="elevenchars",
            wa_admin_password="secret",
            wa_pin="12345",
            wa_media="./media",
            wa_registration_method="fax",
        ),
        [
            ("WA_SHARDS_INVALID", "wa_shards is 3; allowed are the whole numbers 1, 2, 4, 8, 16 and 32."),
            ("WA_VERSION_INVALID", "wa_version is '2.19'; allowed is vN.N.N or N.N.N, for example v2.19.4."),
            (
                "WA_DB_PASSWORD_CHARACTERS",
                "wa_db_password has ? { } & ~ ! ( ) ^ =; the client cannot use any of ? { } & ~ ! ( ) ^ ="
                " or control characters.",
            ),
            ("WA_DB_PORT_INVALID", "wa_db_port is 0; allowed is a port number from 1 to 65535."),
            ("WA_DB_ENGINE_INVALID", "wa_db_engine is 'ORACLE'; allowed are MYSQL and PGSQL."),
            ("WA_API_KEY_LENGTH", "wa_api_key has 11 characters; allowed are 12 to 128."),
            (
                "WA_ADMIN_PASSWORD_POLICY",
                "wa_admin_password lacks 8 to 64 characters, a digit, an upper-case letter and a special character"
                " out of !\"#$%&\\'()*+,-./:;<=>?@[]^_{|}~`.",
            ),
            ("WA_PIN_INVALID", "wa_pin must be exactly 6 digits."),
            (
                "WA_MOUNT_INVALID",
                "wa_media is './media'; allowed is a volume's name or an absolute path on the host.",
            ),
            ("WA_REGISTRATION_METHOD_INVALID", "wa_registration_method is 'fax'; allowed are sms and voice."),
        ],
    ),
    "short names": Mistakes(
        valid_variables.but(wa_api_key="x" * 129),
        [
            ("WA_SHARDS_INVALID", "wa_shards is '64'; allowed are the whole numbers 1, 2, 4, 8, 16 and 32."),
            ("WA_VERSION_INVALID", "wa_version is 'latest'; allowed is vN.N.N or N.N.N, for example v2.19.4."),
            ("WA_API_KEY_LENGTH", "wa_api_key has 129 characters; allowed are 12 to 128."),
        ],
        arguments=("-e", "shards=64", "-e", "version=latest"),
    ),
    "nothing set": Mistakes(
        {"wa_version": "v2.19.4", "wa_survive": {}},
        [
            ("WA_SETTING_MISSING", "wa_db_host is not set; {0}.".format(REACH)),
            ("WA_SETTING_MISSING", "wa_db_username is not set; {0}.".format(REACH)),
            ("WA_SECRET_MISSING", "wa_db_password is not set; {0}.".format(REACH)),
            ("WA_SECRET_MISSING", "wa_admin_password is not set; {0}.".format(ADMIN)),
            ("WA_SETTING_MISSING", "wa_cc is not set; {0}.".format(REGISTER)),
            ("WA_SETTING_MISSING", "wa_phone_number is not set; {0}.".format(REGISTER)),
            ("WA_SECRET_MISSING", "wa_cert is not set; {0}.".format(REGISTER)),
        ],
    ),
    "racks": Mistakes(
        valid_variables.but(wa_survive={"racks": 1}),
        [
            (
                "WA_RACK_MISSING",
                "{0}: rack is not set; it must name the host's rack, as wa_survive asks that the loss of 1 rack"
                " be survived.".format(host),
            )
            for host in ("two", "three")
        ],
        hosts={"one": {"rack": "a"}, "two": {}, "three": {"rack": ""}},
    ),
    "counts": Mistakes(
        valid_variables.but(wa_masters=1, wa_coreapps=1),
        [
            (
                "WA_NO_HA",
                "wa_masters fixes 1 master, fewer than the 2 that high availability needs; allow that with"
                " wa_allow_no_ha=true.",
            ),
            (
                "WA_NO_HA",
                "wa_coreapps fixes 1 coreapp, fewer than the 2 that high availability needs; allow that with"
                " wa_allow_no_ha=true.",
            ),
        ],
    ),
    "ports": Mistakes(
        valid_variables.but(wa_master_port=6252, wa_webapp_port=6258),
        [
            (
                "WA_PORTS_OVERLAP",
                "one: wa-master-1 and wa-coreapp-1 would both publish 6252, 6253; change wa_coreapp_port or"
                " wa_master_port so that the ranges are apart (a coreapp or master takes 4 ports, the next of its kind"
                " begins 8 further on).",
            ),
            (
                "WA_PORTS_OVERLAP",
                "one: wa-webapp-1 and wa-coreapp-2 would both publish 6258; change wa_coreapp_port or wa_webapp_port"
                " so that the ranges are apart (a coreapp or master takes 4 ports, the next of its kind begins 8"
                " further on).",
            ),
        ],
    ),
    "keys": Mistakes(
        valid_variables.but(wa_jwt_key="", wa_webapps=2),
        [
            (
                "WA_SECRET_MISSING",
                "wa_jwt_key is not set; the cluster has 2 webapps, which accept each other's tokens only with one"
                " common key.",
            ),
        ],
    ),
    "addresses": Mistakes(
        valid_variables.but(),
        [
            (
                "WA_ADDRESS_INVALID",
                "The address 192.0.2.300 (wa_address, wa_api_address, ansible_host, wa_publish_address or"
                " wa_extra_hosts) is not valid; allowed are an IPv4 or IPv6 address, or a DNS name.",
            ),
        ],
        hosts={"one": {"wa_address": "192.0.2.300"}},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_everything_that_is_wrong_is_said_at_once_and_no_host_is_contacted(site, name: str) -> None:
    wrong = WRONG[name]
    run, calls = site(wrong.variables, wrong.hosts, *wrong.arguments)
    assert run.code == FAILED, run.output
    assert sorted(run.problems) == sorted(wrong.said)
    number = len(wrong.said)
    words = "{0} problems were".format(number) if number > 1 else "1 problem was"
    assert "{0} found, nothing was changed.".format(words) in run.output
    assert calls == 0
    assert "Traceback" not in run.output
    assert all(host["changed"] == 0 for host in run.recap.values())


def goes_on_to_the_hosts(run: Run, calls: int) -> bool:
    """Whether the input passed: the next thing is that the host, which only notes who calls, cannot be read."""
    return calls > 0 and run.code == FAILED and run.codes == ["HOST_NOT_READ"]


def test_good_input_goes_on_to_the_hosts(site) -> None:
    """The other tests show something only because this is what happens without a mistake."""
    run, calls = site(valid_variables.but(wa_db_check_host=""))
    assert goes_on_to_the_hosts(run, calls), run.output


def test_fewer_nodes_are_accepted_where_that_is_allowed(site) -> None:
    run, calls = site(valid_variables.but(wa_db_check_host="", wa_masters=1, wa_coreapps=1, wa_allow_no_ha=True))
    assert goes_on_to_the_hosts(run, calls), run.output


def test_no_refusal_shows_a_secret(site) -> None:
    wrong = valid_variables.but(wa_db_password="Canary(db)=refused", wa_api_key="Canary-api", wa_pin="canary-pin")
    run, _calls = site(wrong, None, "-vvv", "--diff")
    assert sorted(run.codes) == ["WA_API_KEY_LENGTH", "WA_DB_PASSWORD_CHARACTERS", "WA_PIN_INVALID"]
    shown = {name for name in valid_variables.SECRETS if wrong[name] in run.output}
    assert shown == set()
