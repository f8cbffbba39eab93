# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a play and its hosts, with the types that YAML gave them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import NULL
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import file_problems, read_variables
from ansible_collections.waent.fleet.tests.support.certificates import Authority
from ansible_collections.waent.fleet.tests.support.scripted_api import certificate


class AnsibleVaultEncryptedUnicode:
    """As ansible-core before 2.19 has a value of the vault: no text, but it can be made one."""

    def __str__(self):
        return "from-the-vault"


class HostVars(dict):
    """Raw variables, and a count of how often a host's were filled in."""

    _loader = None

    def raw_get(self, name):
        return self[name]


def stringing(value):
    """A template as ansible-core before 2.19 fills it in: text comes out."""
    return "39" if value == "{{ 30 + 9 }}" else value


def read(task_vars, **hosts):
    hostvars = HostVars(hosts)
    return read_variables({**task_vars, "hostvars": hostvars, "groups": {"wa_cluster": list(hosts)}}, stringing)


def test_the_type_of_a_variable_that_stands_for_another_is_kept():
    found = read({"wa_cc": "{{ number }}", "number": "{{ other }}", "other": 39, "wa_pin": "{{ 30 + 9 }}"}).given
    assert found == {"cc": 39, "pin": "39"}


def test_names_that_stand_for_each_other_end():
    assert read({"wa_cc": "{{ a }}", "a": "{{ wa_cc }}"}).given["cc"] in ("{{ a }}", "{{ wa_cc }}")


def test_the_vault_is_text_and_nothing_is_null():
    secret = AnsibleVaultEncryptedUnicode()
    found = read({"wa_pin": secret, "wa_cc": None, "wa_extra_environment": {"A": secret, "B": None}}).given
    assert found == {"pin": "from-the-vault", "cc": NULL, "extra_environment": {"A": "from-the-vault", "B": None}}


def test_a_template_that_cannot_be_filled_in_is_reported_by_the_name_of_its_variable():
    def template(value):
        raise ValueError("'nothing' is undefined")

    (problem,) = read_variables({"wa_cc": "{{ nothing.x }}"}, template).problems
    assert (problem.code, problem.variable) == ("WA_VARIABLE_UNREADABLE", "wa_cc")
    assert problem.message == "wa_cc cannot be read: 'nothing' is undefined."


def test_what_a_host_has_otherwise():
    common = {"wa_media": "a", "wa_cc": "39"}
    reading = read(common, one=common, two={**common, "wa_media": "b"}, three={**common, "wa_odd": 1, "rack": "a"})
    assert reading.of_hosts == {"two": {"media": "b"}}
    assert reading.names == {"wa_media", "wa_cc", "wa_odd"}


def test_the_effort_grows_with_the_hosts_and_not_with_their_square():
    """Every host's variables are taken once, whatever the others have."""
    taken = []

    class Counting(HostVars):
        def raw_get(self, name):
            taken.append(name)
            return self[name]

        def __getitem__(self, name):
            taken.append("filled in")
            return super().__getitem__(name)

    hosts = {"host-{0}".format(number): {"wa_media": "m"} for number in range(200)}
    groups = {"wa_cluster": list(hosts), "wa_database_hosts": []}
    read_variables({"wa_media": "m", "hostvars": Counting(hosts), "groups": groups}, stringing)
    assert taken.count("filled in") == len(hosts), "by raw_get of this test alone"
    assert len(taken) == 2 * len(hosts)


@pytest.fixture
def authority(tmp_path):
    return certificate(tmp_path)[0]


def test_a_file_with_certificates_is_accepted(authority):
    for path in (str(authority), "", None, 5):
        assert file_problems({"api_ca_path": path}) == []


@pytest.mark.parametrize(
    "content, said",
    [
        (None, "does not exist"),
        (b"", "holds no certificate"),
        (b"no certificate", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificate"),
        (b"\x30\x82\x01\x0a", "holds no certificate"),
    ],
)
def test_a_file_that_cannot_verify_anything(tmp_path, content, said):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    (problem,) = file_problems({"api_ca_path": str(path)})
    assert (problem.code, problem.variable) == ("WA_API_CA_PATH", "wa_api_ca_path")
    assert said in problem.message and str(path) in problem.message


def test_a_file_that_is_made_later_need_not_be_there(tmp_path):
    assert file_problems({"api_ca_path": str(tmp_path / "ca.pem")}, ["wa_api_ca_path"]) == []


def test_a_directory_is_no_file(tmp_path):
    (problem,) = file_problems({"api_ca_path": str(tmp_path)})
    assert "is a directory" in problem.message


# --- files for TLS to the database ------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    authority = Authority(tmp_path)
    cert, key = authority.sign("client")
    return {"db_ssl_ca": str(authority.ca), "db_ssl_cert": str(cert), "db_ssl_key": str(key)}


def test_files_that_belong_together_are_accepted(files):
    assert file_problems(files) == [] and file_problems({}) == []


def changed(path, content):
    Path(path).write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["db_ssl_ca", "db_ssl_cert", "db_ssl_key"])
@pytest.mark.parametrize("content", [None, b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_every_file_that_is_not_fit_is_one_sentence_about_its_variable(files, name, content):
    files[name] = "/no/such/file.pem" if content is None else changed(files[name], content)
    (problem,) = file_problems(files)
    assert (problem.code, problem.variable, problem.value) == ("WA_DB_SSL_FILE", "wa_" + name, files[name])
    assert files[name] in problem.message


def test_a_key_of_another_certificate(files, tmp_path):
    files["db_ssl_key"] = str(Authority(tmp_path, "other").sign("client")[1])
    (problem,) = file_problems(files)
    assert (problem.code, problem.variable) == ("WA_DB_SSL_KEY", "wa_db_ssl_key")
    assert "does not belong to the certificate" in problem.message


@pytest.mark.parametrize(
    "first", [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED"]
)
def test_a_key_with_a_passphrase_that_nobody_can_give(files, first):
    changed(files["db_ssl_key"], first + b"\ncanary\n")
    (problem,) = file_problems(files)
    assert "is encrypted" in problem.message and "canary" not in problem.message
