# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the words in which netplan defines a device to those in which it defines a bridge on it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.owner_ifupdown import back, changed
from ansible_collections.linuxnet.vnet.plugins.module_utils.owner_netplan import (
    Source,
    definition_of,
    source_of,
    statics,
    written,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.owner_networkd import Bridge

MAC = "52:54:00:12:34:56"
PATH = "/etc/netplan/50-cloud-init.yaml"
CLOUD = """\
# as the installer left it
network:
  version: 2
  ethernets:
    # to the world
    lan0:
      match:
        macaddress: "52:54:00:12:34:56"
      set-name: lan0
      addresses:
      - 10.0.0.5/24
      - fd00::5/64:
          lifetime: 0
      nameservers: {addresses: [10.0.0.1], search: [lan]}
      routes:
      - to: default
        via: 10.0.0.1
      mtu: 1400

    # to the storage
    eth1:
      dhcp4: true
"""


def made(
    text: str, bridge: Bridge | None = None, iaid: int | None = None, name: str = "lan0"
) -> tuple[dict[str, Any], dict[str, Any], str, str]:
    """What a file is then, our own one, the drop-in, and the text of the first; and back it has to lead."""
    source = source_of(name, "lan0", "br0", {PATH: text})._replace(iaid=iaid)
    found = written("lan0", bridge or Bridge("br0", MAC), source)
    after = changed(text, [found.edit])
    assert back(after, [found.edit]) == text
    return yaml.safe_load(after)["network"], yaml.safe_load(found.own)["network"], found.drop_in, after


def test_what_concerns_ip_passes_to_the_bridge_and_nothing_else_changes() -> None:
    file, own, drop_in, after = made(CLOUD)
    assert file["ethernets"] == {
        "lan0": {"match": {"macaddress": MAC}, "set-name": "lan0", "mtu": 1400},
        "eth1": {"dhcp4": True},
    }
    for comment in (
        "# as the installer left it",
        "    # to the world\n    lan0:",
        "\n\n    # to the storage\n    eth1:",
    ):
        assert comment in after
    assert own == {
        "version": 2,
        "bridges": {
            "br0": {
                "renderer": "networkd",
                "interfaces": ["lan0"],
                "macaddress": MAC,
                "addresses": ["10.0.0.5/24", {"fd00::5/64": {"lifetime": 0}}],
                "nameservers": {"addresses": ["10.0.0.1"], "search": ["lan"]},
                "routes": [{"to": "default", "via": "10.0.0.1"}],
                "mtu": 1400,
            }
        },
    }
    assert drop_in == ""
    assert statics(Source(PATH, "lan0", CLOUD)) == {"10.0.0.5/24", "fd00::5/64"}


def test_what_the_task_asks_for_comes_to_it() -> None:
    shape = Bridge("br0", MAC, 9000, 77, ("10.0.0.5/24", "10.9.0.1/24"))
    _file, own, drop_in, _after = made(CLOUD, shape, iaid=5)
    assert own["bridges"]["br0"]["mtu"] == 9000
    assert own["bridges"]["br0"]["addresses"] == ["10.0.0.5/24", {"fd00::5/64": {"lifetime": 0}}, "10.9.0.1/24"]
    assert "[Link]\nGroup=77\n\n[DHCPv4]\nIAID=5\n" in drop_in


@pytest.mark.parametrize(
    "text",
    [
        "network: {version: 2, ethernets: {vlan0: {}, lan0: {dhcp4: true}}}\n",
        "network:\n  ethernets:\n    'lan0': {dhcp4: true}\n",
        'network:\n  ethernets: {"lan0": {"dhcp4": true}, wlan0: {}}\n',
        '{"network": {"ethernets": {"lan0": {"dhcp4": true}}}}\n',
        "network:\n    ethernets:\n        lan0:\n            dhcp4: true",
        "network:\n  ethernets:\n    other: {match: {name: lan0}, dhcp4: true}\n",
    ],
    ids=["all on a line", "the device on a line", "quotes", "JSON", "no last line end", "another name"],
)
def test_each_way_to_write_it(text: str) -> None:
    name = "other" if "other" in text else "lan0"
    file, own, _drop_in, _after = made(text, name=name)
    assert "dhcp4" not in file["ethernets"][name]
    assert own["bridges"]["br0"]["dhcp4"] is True
    assert own["bridges"]["br0"]["interfaces"] == [name]


def lan(options: str, more: str = "") -> str:
    return f"network:\n  ethernets:\n    lan0: {options}\n{more}"


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({}, "'lan0' is nowhere"),
        ({PATH: lan("{dhcp4: true}"), "/etc/netplan/b.yaml": lan("{mtu: 1400}")}, "in one file"),
        ({"/run/netplan/a.yaml": lan("{dhcp4: true}")}, "not under /etc/netplan"),
        ({PATH: lan("{dhcp4: true}"), "/etc/netplan/b.yaml": "network: {bridges: {br0: {}}}"}, "b.yaml defines br0"),
        ({PATH: lan("{dhcp4: true}", "  bonds: {bond0: {interfaces: [lan0]}}\n")}, "interfaces of bond0"),
        ({PATH: lan("{dhcp4: true}", "  tunnels: {t: {link: lan0}}\n")}, "link of t"),
        ({PATH: lan("{match: {name: 'lan*'}, dhcp4: true}")}, "may match other devices"),
        ({PATH: lan("{dhcp4: true, auth: {}}")}, "'auth', of which it is not known"),
        ({PATH: lan("{dhcp4: true, renderer: NetworkManager}")}, "renderer NetworkManager"),
        ({PATH: lan("&a {dhcp4: true}", "    eth1: *a\n")}, "aliases"),
        ({PATH: lan("{dhcp4: true")}, "is no YAML"),
        ({PATH: "network:\n  ethernets:\n    lan0:\n"}, "has nothing"),
    ],
)
def test_what_is_not_sure_is_refused(texts: dict[str, str], says: str) -> None:
    with pytest.raises(Refused, match=says.replace("*", r"\*")):
        source_of("lan0", "lan0", "br0", texts)


def test_a_vlan_of_it_stays_on_it() -> None:
    source_of("lan0", "lan0", "br0", {PATH: lan("{dhcp4: true}", "  vlans: {v7: {id: 7, link: lan0}}\n")})


def test_the_definition_is_in_the_name_of_what_netplan_wrote() -> None:
    assert definition_of("/run/systemd/network/10-netplan-all-en.network") == "all-en"


def test_what_a_definition_is_about_has_to_be_sure() -> None:
    with pytest.raises(Refused, match="not about lan0"):
        source_of("other", "lan0", "br0", {PATH: "network: {ethernets: {other: {dhcp4: true}}}"})
