# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the words in which ifupdown configures a device to those in which it configures a bridge on it, and back."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.owner_ifupdown import (
    MAIN,
    Bridge,
    back,
    changed,
    edits,
    sources,
    stanzas,
    state_with,
    state_without,
    statics,
)

MAC = "02:00:00:00:00:05"
LAN = "/etc/network/interfaces.d/lan"
STATIC = """\
# The loopback network interface
auto lo
iface lo inet loopback

# the LAN
auto lan0
iface lan0 inet static
\taddress 10.0.0.5/24
    gateway 10.0.0.1
    # who knows names
    dns-nameservers 10.0.0.1
    up ip route add 203.0.113.0/24 via 10.0.0.1 dev lan0 table 77 || true

# and IPv6
iface lan0 inet6 static
    address fd00::5/64

auto other0
iface other0 inet dhcp
"""
OPTIONS = f"""\
    bridge_ports lan0
    bridge_hw {MAC}
    bridge_stp off
    bridge_waitport 30
    bridge_maxwait 0
"""


def rewritten(text: str, **bridge: object) -> str:
    found = edits("lan0", Bridge("br0", MAC, **bridge), {MAIN: text})  # type: ignore[arg-type]  # what each test has to say
    new = changed(text, found)
    assert back(new, found) == text
    return new


def options(text: str, device: str, family: str) -> list[tuple[str, str]]:
    return [
        option
        for stanza in stanzas(text)
        if stanza.words[:3] == ("iface", device, family)
        for option in stanza.options
        if not option[0].startswith("bridge")
    ]


def methods(text: str) -> list[str]:
    return [" ".join(stanza.words[1:]) for stanza in stanzas(text) if stanza.keyword == "iface"]


def test_the_stanzas_of_the_device_become_the_bridges() -> None:
    new = rewritten(STATIC)
    assert methods(new) == [
        "lo inet loopback",
        "lan0 inet manual",
        "br0 inet static",
        "br0 inet6 static",
        "other0 inet dhcp",
    ]
    assert OPTIONS in new
    assert new.count("bridge_ports") == 1
    assert options(new, "lan0", "inet") == []
    assert options(new, "br0", "inet") == [
        ("address", "10.0.0.5/24"),
        ("gateway", "10.0.0.1"),
        ("dns-nameservers", "10.0.0.1"),
        ("up", "ip route add 203.0.113.0/24 via 10.0.0.1 dev br0 table 77 || true"),
    ]
    assert options(new, "br0", "inet6") == [("address", "fd00::5/64")]
    assert "auto lan0\n" in new
    assert "auto br0\n" in new
    assert "# the LAN\n" in new
    assert "# and IPv6\n" in new
    assert new.endswith("\nauto other0\niface other0 inet dhcp\n")


@pytest.mark.parametrize(
    ("wakes", "comes"),
    [("auto lo lan0", True), ("allow-hotplug lan0", True), ("allow-auto lan0", True), ("auto lo", False), ("", False)],
)
def test_the_bridge_comes_up_where_the_device_did(wakes: str, comes: bool) -> None:
    new = rewritten(f"{wakes}\niface lan0 inet dhcp\n")
    assert ("auto br0\n" in new) == comes
    assert methods(new) == ["lan0 inet manual", "br0 inet dhcp"]


@pytest.mark.parametrize("methods_of", ["inet dhcp", "inet6 auto", "inet6 dhcp", "inet manual", "inet6 static"])
def test_each_method_passes(methods_of: str) -> None:
    family, method = methods_of.split()
    new = rewritten(f"iface lan0 {family} {method}\n    accept_ra 2\n")
    assert methods(new) == [f"lan0 {family} manual", f"br0 {family} {method}"]
    assert options(new, "br0", family) == [("accept_ra", "2")]


def test_what_is_about_the_device_stays_with_it() -> None:
    new = rewritten(
        "iface lan0 inet static\n    address 10.0.0.5\n    netmask 255.255.255.0\n    mtu 1400\n    ethernet-wol g\n"
        "    hwaddress 02:00:00:00:00:05\n    pre-up /sbin/ethtool -K $IFACE tso off\n    offload-gro off\n"
        "    post-up /usr/local/bin/tell-everybody\n    down ip route del 10.0.0.0/8 dev $IFACE\n"
    )
    assert [name for name, _value in options(new, "lan0", "inet")] == [
        "ethernet-wol",
        "hwaddress",
        "pre-up",
        "offload-gro",
    ]
    assert [name for name, _value in options(new, "br0", "inet")] == ["address", "netmask", "mtu", "post-up", "down"]


def test_vlans_on_the_device_stay_there() -> None:
    text = "auto lan0 lan0.10\niface lan0 inet dhcp\niface lan0.10 inet static\n    address 10.10.0.1/24\n    vlan-raw-device lan0\n"
    assert text[text.index("iface lan0.10") :] in rewritten(text)


def test_lines_that_go_on_are_one() -> None:
    new = rewritten(
        "iface lan0 inet static\n    address \\\n  10.0.0.5/24\n    dns-nameservers 10.0.0.1 \\\n    10.0.0.2\n"
    )
    found = dict(options(new, "br0", "inet"))
    assert found["address"] == "10.0.0.5/24"
    assert found["dns-nameservers"].split() == ["10.0.0.1", "10.0.0.2"]


def test_addresses_of_the_task_and_the_group_of_a_topology_come_besides() -> None:
    new = rewritten(STATIC, addresses=("10.5.0.1/24", "fd05::1/64"), group=12345)
    assert ("up", "ip link set dev br0 group 12345") in options(new, "br0", "inet")
    assert ("address", "10.5.0.1/24") in options(new, "br0", "inet")
    assert ("address", "fd05::1/64") in options(new, "br0", "inet6")


def test_a_stanza_in_a_file_that_is_read_besides() -> None:
    files = {
        MAIN: "source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n",
        LAN: "auto lan0\niface lan0 inet dhcp\n",
    }
    (edit,) = edits("lan0", Bridge("br0", MAC), files)
    assert edit.path == LAN
    assert sources(files[MAIN]) == [("source", "/etc/network/interfaces.d/*")]
    assert sources("source-directory interfaces.d\n") == [("source-directory", "interfaces.d")]


def test_a_file_that_is_written_anew_at_boot_is_refused() -> None:
    with pytest.raises(Refused, match="cloud-init writes it anew"):
        edits("lan0", Bridge("br0", MAC), {"/etc/network/interfaces.d/50-cloud-init": STATIC})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("auto lo\n", "has a stanza of lan0"),
        ("iface lan0 inet ppp\n", "lan0 inet ppp"),
        ("iface lan0 inet static inherits defaults\n", "inherits"),
        ("iface lan0 inet dhcp\niface lan0:1 inet static\n    address 10.0.0.9/24\n", "lan0:1"),
        ("iface lan* inet dhcp\n", "lan"),
        ("auto /lan*\niface lan0 inet dhcp\n", "lan"),
        ("iface lan0 inet dhcp\niface br0 inet dhcp\n", "br0 already"),
        ("auto br0\niface lan0 inet dhcp\n", "br0 already"),
        ("iface lan0 inet manual\niface br7 inet dhcp\n    bridge_ports lan0\n", "part of another"),
        ("iface lan0 inet manual\niface bond0 inet dhcp\n    bond-slaves lan0 lan1\n", "part of another"),
        ("mapping lan0\n    script x\niface lan0 inet dhcp\n", "mapping"),
        ("rename lan0=wan0\niface lan0 inet dhcp\n", "rename"),
        ("iface lan0 inet dhcp\n    wpa-ssid home\n", "wpa-ssid"),
        ("iface lan0 inet dhcp\n    up iptables -A INPUT -i lan0 -j DROP\n", "iptables"),
        ("iface lan0 inet dhcp\n    up ethtool -K lan0 tso off; ip route add 10.0.0.0/8 dev lan0\n", "nobody can say"),
        ("iface lan0 inet dhcp\n    up /bin/thing $IFACE\n", "thing"),
        ("iface lan0 inet dhcp\n\niface lan0 inet dhcp\n\niface lan0 inet dhcp\n", "more than once"),
        ("address 10.0.0.1\n", "not understood"),
    ],
)
def test_what_is_not_sure_is_refused(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        edits("lan0", Bridge("br0", MAC), {MAIN: text})


def test_the_way_back_needs_only_the_piece_that_was_changed() -> None:
    found = edits("lan0", Bridge("br0", MAC), {MAIN: STATIC})
    new = changed(STATIC, found)
    assert back(new + "\niface late0 inet dhcp\n", found) == STATIC + "\niface late0 inet dhcp\n"
    assert back(new.replace("10.0.0.5/24", "10.0.0.6/24"), found) is None


def test_static_addresses_are_known() -> None:
    text = STATIC + "iface lan0 inet static\n    address 10.1.0.1\n    netmask 255.255.0.0\n"
    assert statics("lan0", {MAIN: text}) == {"10.0.0.5/24", "fd00::5/64", "10.1.0.1/16"}


def test_what_is_up_is_noted_once() -> None:
    assert state_with("lo=lo\nlan0=lan0\n", "br0") == "lo=lo\nlan0=lan0\nbr0=br0\n"
    assert state_with("br0=br0\n", "br0") == "br0=br0\n"
    assert state_without("lo=lo\nbr0=br0\nlan0=lan0\n", "br0") == "lo=lo\nlan0=lan0\n"
