# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What YAML makes of a value that was meant otherwise is noticed, however Ansible's types would bend it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import link_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import link_spec
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.module import as_written, misread


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"mtu": True}, "mtu: true is a boolean and no number"),
        ({"ageing_time": False}, "ageing_time: false is a boolean and no number"),
        ({"name": True}, "name: true is a boolean and no string: quote it"),
        ({"ports": ["tap0", True]}, "ports: true is not an element of this list"),
        ({"ports": [None]}, "ports: null is not an element of this list"),
        ({"ports": [["tap0"]]}, "ports: ['tap0'] is not an element of this list"),
        ({"uplink": ["eth0"]}, "uplink: ['eth0'] is a list and no string"),
        ({"name": {"br0": None}}, "name: {'br0': None} is a dictionary and no string"),
    ],
)
def test_what_is_no_such_value_at_all_is_named(params: dict[str, Any], said: str) -> None:
    assert misread(link_spec(BRIDGE), {"name": "br0", **params}) == said


def test_what_was_misread_of_a_peer_is_named_as_the_peer_s() -> None:
    spec = link_spec(VETH)
    assert misread(spec, {"name": "ve0", "peer": {"mtu": True}}) == "peer: mtu: true is a boolean and no number"
    assert misread(spec, {"name": "ve0", "peer": "ve1"}) == "peer: 've1' is not a dictionary of options"


@pytest.mark.parametrize(
    "params",
    [
        {"name": "br0", "mtu": 1500, "stp": True, "ports": ["a"], "ageing_time": 300.0},
        {"name": "br0", "mtu": "1500", "stp": "yes", "ports": [], "alias": None},
        {},
        None,
        "br0",
    ],
)
def test_what_ansible_may_judge_is_left_to_it(params: Any) -> None:
    assert misread(link_spec(BRIDGE), params) is None


@pytest.mark.parametrize("number", [525400123456, 1234.5])
def test_a_mac_that_yaml_made_a_number_of_is_told_to_be_quoted(number: float) -> None:
    # Ansible has made a string of it by then, which reads as no MAC at all.
    bent = {"name": "ve0", "mac": str(number), "peer": {"name": "ve1", "mac": str(number)}}
    written = as_written(bent, {"name": "ve0", "mac": number, "peer": {"name": "ve1", "mac": number}})
    assert (written["mac"], written["peer"]["mac"]) == (number, number)
    with pytest.raises(Refused, match=rf"^mac: {number} is a number, .* quote it$"):
        link_want(VETH, written)
    with pytest.raises(Refused, match=rf"^peer: mac: {number} is a number, .* quote it$"):
        link_want(VETH, {**written, "mac": None})
    assert bent["mac"] == str(number)


def test_a_mac_in_words_is_taken_as_ansible_gives_it() -> None:
    params = {"name": "ve0", "mac": "02:00:00:00:00:01", "peer": {"name": "ve1", "mac": None}}
    for raw in (params, {"name": "ve0"}, None, {"peer": "ve1"}):
        assert as_written(params, raw) == params


OLD_PYTHON = """
from ansible_collections.linuxnet.vnet.plugins.module_utils import python

python.OLDEST = (9, 8)
python.refuse_older()
"""


def test_a_python_that_is_too_old_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", OLD_PYTHON], capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)
    assert said["failed"]
    assert said["msg"].startswith(f"Python 9.8 or newer is needed on this host, and {sys.executable} is 3.")
    assert said["msg"].endswith("name another one in 'ansible_python_interpreter'")
