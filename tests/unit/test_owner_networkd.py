# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the words in which systemd-networkd configures a device to those in which it configures a bridge on it."""

from __future__ import annotations

import configparser

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.owner_networkd import (
    Bridge,
    Source,
    check_others,
    iaid_of,
    sections,
    statics,
    written,
)

MAC = "02:00:00:00:00:05"
STATIC = """
# as it came from the installer
[Match]
Name=lan0

[Network]
Address=10.0.0.5/24
Address = fd00::5/64
Gateway=10.0.0.1
DNS=10.0.0.1 \\
    10.0.0.2
IPv6AcceptRA=no

; another table
[Route]
Destination=203.0.113.0/24
Gateway=10.0.0.1
Table=77
"""


def files(text: str, name: str = "10-lan.network", iaid: int | None = None, **bridge: object) -> dict[str, str]:
    shape = Bridge("br0", MAC, **bridge)  # type: ignore[arg-type]  # what each test has to say
    return written("lan0", shape, Source(name, text, iaid))


def of(text: str, section: str) -> list[tuple[str, str]]:
    """All settings of the sections of a name."""
    return [setting for found in sections(text) if found.name == section for setting in found.settings]


def test_addresses_and_routes_pass_to_the_bridge_and_none_stay() -> None:
    found = files(STATIC)
    assert set(found) == {"0-vnet-br0.netdev", "0-vnet-br0.network", "0-vnet-lan0.network"}
    assert of(found["0-vnet-br0.netdev"], "NetDev") == [("Name", "br0"), ("Kind", "bridge"), ("MACAddress", MAC)]
    assert of(found["0-vnet-br0.network"], "Match") == [("Name", "br0")]
    assert of(found["0-vnet-br0.network"], "Network") == [
        ("Address", "10.0.0.5/24"),
        ("Address", "fd00::5/64"),
        ("Gateway", "10.0.0.1"),
        ("DNS", "10.0.0.1      10.0.0.2"),
        ("IPv6AcceptRA", "no"),
    ]
    assert of(found["0-vnet-br0.network"], "Route")[-1] == ("Table", "77")
    assert of(found["0-vnet-lan0.network"], "Match") == [("Name", "lan0")]
    assert of(found["0-vnet-lan0.network"], "Network") == [
        ("Bridge", "br0"),
        ("LinkLocalAddressing", "no"),
        ("IPv6AcceptRA", "no"),
    ]
    assert of(found["0-vnet-lan0.network"], "Link") == [("RequiredForOnline", "no")]
    assert not of(found["0-vnet-lan0.network"], "Route")


@pytest.mark.parametrize(
    "match",
    ["Name=en* lan*", "Name=lan0 eth7", "MACAddress=02:00:00:00:00:05", "Type=ether\nName=!wl*", "Driver=veth\nPath=*"],
)
def test_whatever_the_file_matches_ours_are_for_one_device_each(match: str) -> None:
    found = files(f"[Match]\n{match}\n[Network]\nDHCP=yes\n")
    assert of(found["0-vnet-br0.network"], "Match") == [("Name", "br0")]
    assert of(found["0-vnet-lan0.network"], "Match") == [("Name", "lan0")]


def test_the_lease_is_asked_for_by_the_same_identifier() -> None:
    client_id = "ff" + "b7cc2f5c" + "00020000ab11d5f7d5d7d5d7d5d7"
    found = files("[Network]\nDHCP=ipv4\n[DHCPv4]\nUseDNS=no\nRouteMetric=50\n", iaid=iaid_of(client_id))
    assert of(found["0-vnet-br0.network"], "DHCPv4") == [
        ("UseDNS", "no"),
        ("RouteMetric", "50"),
        ("IAID", str(0xB7CC2F5C)),
    ]
    assert not of(found["0-vnet-lan0.network"], "DHCPv4")
    found = written("lan0", Bridge("br0", MAC), Source("10-lan.network", "[Network]\nDHCP=yes\n", None, 78))
    assert of(found["0-vnet-br0.network"], "DHCPv6") == [("IAID", "78")]
    # One by the MAC address needs nothing, as the bridge has the same.
    assert iaid_of("01" + MAC.replace(":", "")) is None
    assert iaid_of("") is None


def test_what_is_about_frames_stays_and_the_mtu_is_for_both() -> None:
    text = """
        [Link]
        MTUBytes=1400
        RequiredForOnline=routable
        [Network]
        VLAN=lan0.10
        VLAN=lan0.20
        LLDP=yes
        DHCP=yes
        [CAKE]
        Bandwidth=50M
        """
    found = files(text, mtu=1400)
    near, far = found["0-vnet-lan0.network"], found["0-vnet-br0.network"]
    assert of(near, "Network")[:3] == [("VLAN", "lan0.10"), ("VLAN", "lan0.20"), ("LLDP", "yes")]
    assert of(near, "CAKE") == [("Bandwidth", "50M")]
    assert of(near, "Link") == [("MTUBytes", "1400"), ("RequiredForOnline", "no")]
    assert of(far, "Network") == [("DHCP", "yes")]
    assert of(far, "Link") == [("MTUBytes", "1400"), ("RequiredForOnline", "routable")]
    assert not of(far, "CAKE")
    assert ("MTUBytes", "1400") in of(found["0-vnet-br0.netdev"], "NetDev")


def test_addresses_of_the_task_and_the_group_of_a_topology_come_besides() -> None:
    found = files(STATIC, addresses=("10.0.0.5/24", "10.5.0.1/24"), group=12345)
    assert of(found["0-vnet-br0.network"], "Network")[-1] == ("Address", "10.5.0.1/24")
    assert len([1 for key, _value in of(found["0-vnet-br0.network"], "Network") if key == "Address"]) == 3
    assert of(found["0-vnet-br0.network"], "Link") == [("Group", "12345")]


def test_sections_in_their_order_so_that_an_empty_setting_still_clears_what_is_before() -> None:
    # A drop-in comes after the file itself.
    found = files(STATIC + "\n[Network]\nDNS=\nDNS=192.0.2.53\n")
    dns = [value for key, value in of(found["0-vnet-br0.network"], "Network") if key == "DNS"]
    assert dns[-2:] == ["", "192.0.2.53"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[Network]\nBridge=br7\n", "Bridge="),
        ("[Network]\nMACVLAN=mv0\n", "MACVLAN="),
        ("[Network]\nBond=bond0\n", "Bond="),
        ("[Network]\nBindCarrier=lan0\n", "BindCarrier="),
        ("[Link]\nUnmanaged=yes\n", "Unmanaged="),
        ("[RoutingPolicyRule]\nIncomingInterface=lan0\nTable=7\n", "IncomingInterface="),
        ("[Bridge]\nCost=4\n", r"\[Bridge\]"),
        ("[Novelty]\nX=1\n", r"\[Novelty\]"),
        ("no section\n", "not understood"),
        ("[Network\nDHCP=yes\n", "not understood"),
    ],
)
def test_what_is_not_sure_is_refused(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        files(text)


@pytest.mark.parametrize("name", ["0-a.network", "-first.network", "0-vnet-br0.network"])
def test_a_file_that_ours_could_not_come_before_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="alphabet"):
        files(STATIC, name)


def test_ours_come_first_and_can_be_read_by_others() -> None:
    for name, text in files(STATIC, "00-first.network").items():
        assert name < "00-first.network"
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(text)
        assert parser.sections()


def test_static_addresses_are_known() -> None:
    text = STATIC + "[Address]\nAddress=10.9.0.1/16\nLabel=x\n"
    assert statics(Source("x", text)) == {"10.0.0.5/24", "fd00::5/64", "10.9.0.1/16"}


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("/etc/systemd/network/20-br.netdev", "[NetDev]\nName=br0\nKind=bridge\n", "makes a device br0 already"),
        ("/etc/systemd/network/10-lan.link", f"[Match]\nMACAddress={MAC.upper()}\n[Link]\nName=lan0\n", "Type=ether"),
        ("/run/systemd/network/0-vnet-br0.netdev", "[NetDev]\nName=br0\nKind=bridge\n", ""),
        ("/etc/systemd/network/10-lan.link", f"[Match]\nPermanentMACAddress={MAC}\n[Link]\nName=lan0\n", ""),
        ("/etc/systemd/network/10-lan.link", f"[Match]\nMACAddress={MAC}\nType=ether\n[Link]\nName=lan0\n", ""),
        (
            "/usr/lib/systemd/network/99-default.link",
            "[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent\n",
            "",
        ),
    ],
)
def test_files_that_would_mistake_the_bridge_are_refused(path: str, text: str, says: str) -> None:
    if says:
        with pytest.raises(Refused, match=says):
            check_others("br0", MAC, {path: text})
    else:
        check_others("br0", MAC, {path: text})
