# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of role nat_container_host: who gets which address, and which variables are refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.linuxnet.vnet.plugins.filter.container_addresses import container_addresses
from ansible_collections.linuxnet.vnet.plugins.filter.container_network import container_network
from ansible_collections.linuxnet.vnet.plugins.plugin_utils.layouts import derived_mac, device_name
from hypothesis import given
from hypothesis import strategies as st

GATEWAY = "192.168.9.1/24"
DEFAULT = {
    "destination": "default",
    "device": "eth0",
    "family": "inet",
    "metric": 0,
    "table": "main",
    "type": "unicast",
}
FOUND: dict[str, Any] = {
    "host": {
        "links": {"eth0": {"addresses": ["192.168.3.101/24"]}, "eth1": {"master": "br7"}},
        "routes": [DEFAULT],
    },
    "namespaces": {"db": {"links": {"eth0": {"addresses": ["192.168.9.7/24"]}}}},
}
NAMES = st.lists(st.sampled_from("abcdefghijkl"), unique=True)


def named(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


@given(NAMES, NAMES)
def test_nobody_is_renumbered_as_others_come_and_go(before: list[str], after: list[str]) -> None:
    had = container_addresses(named(*before), GATEWAY)
    has = container_addresses(named(*after), GATEWAY, existing={name: [address] for name, address in had.items()})
    assert {name: has[name] for name in after if name in had} == {name: had[name] for name in after if name in had}
    assert len(set(has.values())) == len(after)
    assert GATEWAY not in has.values()


def test_the_next_free_one_is_the_lowest() -> None:
    containers = [{"name": "a"}, {"name": "b", "address": "192.168.9.2"}, {"name": "c"}]
    addresses = container_addresses(containers, GATEWAY, existing={"c": ["10.0.0.9/24", "192.168.9.4/24"]})
    assert addresses == {"a": "192.168.9.3/24", "b": "192.168.9.2/24", "c": "192.168.9.4/24"}


def test_one_that_was_given_to_another_is_not_kept() -> None:
    containers = [{"name": "a"}, {"name": "b", "address": "192.168.9.2"}]
    assert container_addresses(containers, GATEWAY, existing={"a": ["192.168.9.2/24"]})["a"] == "192.168.9.3/24"


def test_a_network_is_used_to_its_last_address_and_no_further() -> None:
    assert len(container_addresses(named(*"abcde"), "10.0.0.6/29")) == 5
    with pytest.raises(AnsibleFilterError, match=r"10\.0\.0\.0/29 has no address left for f"):
        container_addresses(named(*"abcdef"), "10.0.0.6/29")


def test_a_network_too_large_to_be_listed() -> None:
    assert container_addresses(named("a"), "fd00:9::1/64", key="address6") == {"a": "fd00:9::2/64"}


def test_an_empty_variable_gives_the_picture() -> None:
    plan = container_network(named("c1", "c2"), found=FOUND)
    assert plan["bridges"] == [
        {"name": "br0", "mac": derived_mac("nat_container_host", "br0"), "addresses": [GATEWAY]},
    ]
    assert [veth["peer"]["addresses"] for veth in plan["veths"]] == [["192.168.9.2/24"], ["192.168.9.3/24"]]
    assert plan["routes"][0] == {"netns": "c1", "destination": "default", "gateway": "192.168.9.1"}
    assert plan["nats"][0]["out_interface"] == ["eth0"]
    assert plan["nats"][0]["source"] == ["192.168.9.0/24"]


def test_what_is_kept_goes_before_what_somebody_made_of_it() -> None:
    kept = {"options": {"veths": [{"name": "v", "peer": {"netns": "db", "addresses": ["192.168.9.9/24"]}}]}}
    assert container_network(named("db"), found=FOUND, kept=kept)["containers"][0]["address"] == "192.168.9.9/24"
    assert container_network(named("db"), found=FOUND)["containers"][0]["address"] == "192.168.9.7/24"


def test_a_port_forward_is_of_both_families_where_the_container_is() -> None:
    plan = container_network(
        named("web"), gateway6="fd00:9::1/64", port_forwards=[{"container": "web", "port": 80}], found=FOUND
    )
    assert [forward["to_address"] for forward in plan["nats"][0]["port_forwards"]] == ["192.168.9.2", "fd00:9::2"]
    plan = container_network(
        named("web"),
        gateway6="fd00:9::1/64",
        port_forwards=[{"container": "web", "port": 80, "in_address": ["192.168.3.101"]}],
        found=FOUND,
    )
    assert [forward["in_address"] for forward in plan["nats"][0]["port_forwards"]] == [["192.168.3.101"]]


@pytest.mark.parametrize(
    ("containers", "options", "says"),
    [
        ([{"name": "w", "address": "10.0.0.5"}], {}, ["containers: w", "10.0.0.5", "not in 192.168.9.0/24"]),
        (named("w", "w"), {}, ["two entries", "'w'"]),
        (
            [{"name": "w", "address": "192.168.9.5"}, {"name": "v", "address": "192.168.9.5/24"}],
            {},
            ["w and v", "192.168.9.5"],
        ),
        ([{"name": "w", "address": "192.168.9.1"}], {}, ["w", "gateway's own"]),
        ([{"name": "w", "address": "192.168.9.255"}], {}, ["w", "192.168.9.255"]),
        ([{"name": "w", "address": "web"}], {}, ["w", "'web'", "no address"]),
        ([{"name": "w", "address": "192.168.9.5/16"}], {}, ["w", "prefix length is 24"]),
        ([{"name": "w", "address6": "fd00:9::5"}], {}, ["address6", "nat_container_host_gateway6"]),
        (named("a b"), {}, ["'a b'"]),
        (named("w"), {"bridge": "br;0"}, ["nat_container_host_bridge", "'br;0'"]),
        (named("w"), {"gateway": "192.168.9.0/24"}, ["nat_container_host_gateway", "192.168.9.0/24"]),
        (named("w"), {"gateway": "192.168.9.1"}, ["nat_container_host_gateway", "prefix length"]),
        (named("w"), {"gateway": "fd00::1/64"}, ["nat_container_host_gateway", "gateway6"]),
        (named("w"), {"gateway": "192.168.3.1/24"}, ["eth0", "192.168.3.0/24", "another network"]),
        (named("w"), {"uplink": "eth9"}, ["nat_container_host_uplink", "'eth9'"]),
        (named("w"), {"uplink": "eth1"}, ["nat_container_host_uplink", "eth1", "port of br7"]),
        (named("w"), {"uplink": "br0"}, ["nat_container_host_uplink", "br0", "own bridge"]),
        (named("w"), {"port_forwards": [{"container": "x", "port": 80}]}, ["port 80", "'x'"]),
        (
            named("w"),
            {"port_forwards": [{"container": "w", "port": 80, "in_address": ["fd00::1"]}]},
            ["port 80", "w has none"],
        ),
        (
            named("w"),
            {"port_forwards": [{"container": "w", "port": 80, "in_address": ["here"]}]},
            ["port 80", "'here'"],
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    containers: list[dict[str, str]], options: dict[str, Any], says: list[str]
) -> None:
    plan = container_network(containers, found=FOUND, **options)
    assert list(plan) == ["problem"]
    assert all(word in plan["problem"] for word in says), plan["problem"]
    assert plan["problem"].startswith("nat_container_host_")


def test_a_host_without_a_default_route_needs_the_uplink_named() -> None:
    nothing = {"host": {"links": {"eth0": {}}, "routes": []}, "namespaces": {}}
    assert "no default route" in container_network([], found=nothing)["problem"]
    assert container_network([], found=nothing, uplink="eth0")["uplink"] == "eth0"


def test_a_check_run_does_not_miss_devices_that_others_would_have_made() -> None:
    assert container_network([], found=FOUND, uplink="br-later", checking=True)["uplink"] == "br-later"


@given(st.text("abcdefgh-.", min_size=1, max_size=40))
def test_device_names_fit_and_differ(name: str) -> None:
    assert len(device_name("veth-", name)) <= 15
    assert device_name("veth-", name) == device_name("veth-", name)
    assert device_name("veth-", "x" * 20 + name) != device_name("veth-", "y" + "x" * 19 + name)
