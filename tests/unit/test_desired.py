# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input is refused in one sentence that names the option and the value, before anything is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import (
    LinkWant,
    forward_want,
    link_want,
    namespace_want,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import LINK_KINDS
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import LinkKind
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.geneve import GENEVE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.ipvlan import IPVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.macvlan import MACVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.tuntap import TUNTAP
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vlan import VLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vrf import VRF
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants

NEEDED: dict[str, dict[str, Any]] = {
    "bridge": {},
    "veth": {"peer": {"name": "other"}},
    "tuntap": {"mode": "tap"},
    "vxlan": {"vni": 1},
    "geneve": {"vni": 1, "remote": "10.9.9.9"},
    "dummy": {},
    "vrf": {"table": 10},
    "vlan": {"parent": "eth0", "vid": 5},
    "macvlan": {"parent": "eth0"},
    "ipvlan": {"parent": "eth0"},
}

FOR_ALL_KINDS: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name: '' has 0 bytes"),
    ({"name": "a" * 16}, f"name: '{'a' * 16}' has 16 bytes"),
    ({"name": "a/b"}, "name: 'a/b' is no device name"),
    ({"name": "a b"}, "name: 'a b' is no device name"),
    ({"name": None}, "name: null is not a name"),
    ({"netns": "a/b"}, "netns: 'a/b' is no namespace name"),
    ({"mtu": 0}, "mtu: 0 is not between 68 and 65535 bytes"),
    ({"mtu": 65536}, "mtu: 65536 is not between 68 and 65535 bytes"),
    ({"mtu": True}, "mtu: true is not a whole number"),
    ({"mtu": 1000, "addresses": ["2001:db8::1/64"]}, "mtu: 1000 is less than the 1280 bytes that IPv6 needs"),
    ({"mac": "01:00:5e:00:00:01"}, "mac: '01:00:5e:00:00:01' is a multicast MAC address"),
    ({"mac": 525400123456}, "mac: 525400123456 is a number"),
    ({"addresses": ["192.0.2.1/33"]}, "addresses: '192.0.2.1/33' has the prefix length '33'"),
    ({"addresses": ["192.0.2.1/x"]}, "addresses: '192.0.2.1/x' has the prefix length 'x'"),
    ({"addresses": ["192.0.2.1"]}, "addresses: '192.0.2.1' has no prefix length"),
    ({"admin_state": "sideways"}, "admin_state: 'sideways' is not one of up, down"),
    ({"master": "a b"}, "master: 'a b' is no device name"),
    ({"alias": "x" * 256}, "longer than 255 bytes"),
    (
        {"altnames": ["a b"]},
        "altnames: 'a b' is no device name: no '/', ':' or blank in it, and not '.' or '..' itself",
    ),
    ({"altnames": ["dev0"]}, "altnames: 'dev0' is the device's own name"),
    ({"name": "all"}, "name: 'all' is no device name: sysctls of that name are for all devices"),
    ({"name": "default"}, "name: 'default' is no device name"),
]

BAD: list[tuple[LinkKind, dict[str, Any], str]] = [
    *(
        (kind, entry, said)
        for kind in LINK_KINDS
        for entry, said in FOR_ALL_KINDS
        if kind is not VRF or "mtu" not in entry
    ),
    *((kind, {"master": "dev0"}, "master: 'dev0' is the ") for kind in LINK_KINDS),
    *((kind, {"addresses": ["::1/128"]}, "addresses: ::1 is an addr") for kind in LINK_KINDS if kind is not VRF),
    (VXLAN, {"local": "fe80::1%eth0"}, "local: 'fe80::1%eth0' names a device behind its '%'"),
    (VETH, {"peer": {"name": "p", "master": "p"}}, "peer: master: 'p' is the device itself"),
    (VETH, {"peer": {"name": "p", "addresses": ["::1/128"]}}, "peer: addresses: ::1 is an address of loopback"),
    (VETH, {"peer": {"addresses": ["::1/128"]}}, "VRFs, and it is neither"),
    (VRF, {"mtu": 1279}, "mtu: 1279 is not between 1280 and 65575"),
    (VRF, {"table": 0}, "table: 0 is not between 1 and 4294967295"),
    (VRF, {"table": "side"}, "table: 'side' is not a whole number (nor one of the words default, main, local)"),
    (VLAN, {"vid": 4095}, "vid: 4095 is not between 0 and 4094"),
    (VLAN, {"protocol": "802.1x"}, "protocol: '802.1x' is not one of 802.1q, 802.1ad"),
    (VLAN, {"parent": "dev0"}, "parent: 'dev0' is the device itself"),
    (MACVLAN, {"mode": "open"}, "mode: 'open' is not one of private, vepa, bridge, passthru, source"),
    (MACVLAN, {"tap": False, "owner": "root"}, "owner: it is that of the file under /dev"),
    (MACVLAN, {"tap": True, "group": "nobody-has-this-name"}, "group: this host knows no group"),
    (MACVLAN, {"parent": ""}, "parent: '' has 0 bytes"),
    (IPVLAN, {"mac": "02:00:00:00:00:01"}, "mac: an ipvlan device has that of its parent"),
    (IPVLAN, {"mode": "l4"}, "mode: 'l4' is not one of l2, l3, l3s"),
    (IPVLAN, {"flag": "open"}, "flag: 'open' is not one of bridge, private, vepa"),
    (GENEVE, {"remote": "239.0.0.1"}, "remote: '239.0.0.1' is a multicast address"),
    (GENEVE, {"vni": 16777216}, "vni: 16777216 is not between 0 and 16777215"),
    (GENEVE, {"external": True}, "vni: an 'external' device takes it from each packet's metadata"),
    (GENEVE, {"dstport": 0}, "dstport: 0 is not between 1 and 65535"),
    (VXLAN, {"vni": 0}, "vni: 0 is not between 1 and 16777215"),
    (VXLAN, {"vni": 16777216}, "vni: 16777216 is not between 1 and 16777215"),
    (VXLAN, {"remote": "10.0.0.1", "group": "239.0.0.1"}, "group: a VXLAN device has either 'remote'"),
    (VXLAN, {"remote": "239.0.0.1"}, "remote: '239.0.0.1' is a multicast address"),
    (VXLAN, {"group": "10.0.0.1"}, "group: '10.0.0.1' is not a multicast address"),
    (VXLAN, {"local": "2001:db8::1", "remote": "10.0.0.1"}, "local: 2001:db8::1 is IPv6 and remote 10.0.0.1 is IPv4"),
    (VXLAN, {"local": "10.0.0.1", "remotes": ["2001:db8::9"]}, "2001:db8::9 is IPv6 and local 10.0.0.1 is IPv4"),
    (VXLAN, {"srcport_min": 4000}, "srcport_min"),
    (VXLAN, {"srcport_min": 5000, "srcport_max": 4000}, "srcport_min"),
    (VXLAN, {"ttl": 256}, "ttl: 256 is not between 0 and 255"),
    (VXLAN, {"external": True}, "vni"),
    (BRIDGE, {"ports": ["br0", "dev0"]}, "ports: 'dev0' is the bridge itself"),
    (BRIDGE, {"master": "dev0"}, "'dev0' is the bridge itself"),
    (BRIDGE, {"ageing_time": -1}, "ageing_time: -1 is not between 0 and 10000000 seconds"),
    (BRIDGE, {"stp": True, "forward_delay": 1}, "forward_delay: 1 is not possible with 'stp'"),
    (BRIDGE, {"vlan_protocol": "802.1x"}, "vlan_protocol: '802.1x' is not one of 802.1q, 802.1ad"),
    (TUNTAP, {"mode": "tun", "master": "br0"}, "master: "),
    (TUNTAP, {"mode": "tun", "mac": "02:00:00:00:00:01"}, "mac: "),
    (TUNTAP, {"mode": "bridge"}, "mode: 'bridge' is not one of tun, tap"),
    (TUNTAP, {"owner": "nobody-has-this-name"}, "owner: this host knows no user 'nobody-has-this-name'"),
    (VETH, {"peer": {"name": "dev0"}}, "peer: name: 'dev0' is the first end's own name"),
    (VETH, {"peer": {"name": "a" * 16}}, "peer: name: "),
    (VETH, {"peer": {"name": "p", "mtu": 0}}, "peer: mtu: 0 is not between"),
    (VETH, {"peer": {"name": "p", "mac": 525400123456}}, "peer: mac: 525400123456 is a number"),
    (VETH, {"peer": {"name": "p", "netns": "."}}, "'.' is no namespace name: no '/' or blank in it, and not '.'"),
]


def refusal(make: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        make(*arguments, **more)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert not sentence.endswith(".")
    assert "None" not in sentence
    return sentence


@pytest.mark.parametrize(("kind", "entry", "said"), BAD, ids=lambda case: ascii(getattr(case, "name", case))[:50])
def test_bad_input_for_a_link_is_named_with_its_value(kind: LinkKind, entry: dict[str, Any], said: str) -> None:
    whole = {"name": "dev0", "state": "present", **NEEDED[kind.name], **entry}
    sentence = refusal(link_want, kind, whole)
    assert said in sentence
    assert sentence.split(":", maxsplit=1)[0] in {**kind.table, "name": 0, "netns": 0, "peer": 0}
    assert refusal(link_want, kind, whole, where="links[3]") == f"links[3]: {sentence}"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"name": ""}, "name: '' has 0 bytes"),
        ({"name": "a/b"}, "name: 'a/b' is no namespace name"),
        ({"name": 7}, "name: 7 is not a name: quote it"),
        (
            {"name": "n", "sysctl": {"kernel.panic": 1}},
            "sysctl: 'kernel.panic' is not the name of a sysctl under 'net.'",
        ),
        ({"name": "n", "sysctl": {"net": 1}}, "sysctl: 'net' is not"),
        ({"name": "n", "sysctl": {"net/../kernel/panic": 1}}, "sysctl: 'net/../kernel/panic' is not"),
        ({"name": "n", "sysctl": {7: 1}}, "sysctl: 7 is not"),
        (
            {"name": "n", "sysctl": {"net.ipv4.ip_forward": 1, "net/ipv4/ip_forward": 0}},
            "sysctl: net.ipv4.ip_forward is given twice, in two spellings",
        ),
        ({"name": "n", "sysctl": {"net.ipv4.ip_forward": ""}}, "sysctl: net.ipv4.ip_forward has the value ''"),
        ({"name": "n", "sysctl": {"net.ipv4.ip_forward": [1]}}, "sysctl: net.ipv4.ip_forward has the value [1]"),
    ],
)
def test_bad_input_for_a_namespace_is_named_with_its_value(entry: dict[str, Any], said: str) -> None:
    assert said in refusal(namespace_want, entry)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "ipv4: say what should be"),
        ({"ipv4": True, "interfaces": []}, "interfaces: an empty list says nothing"),
        ({"ipv4": True, "interfaces": ["a b"]}, "interfaces: 'a b' is no device name"),
        ({"ipv4": True, "sysctl_file": "relative.conf"}, "sysctl_file: 'relative.conf' is not the absolute path"),
        ({"ipv4": True, "sysctl_file": "/etc/passwd"}, "sysctl_file: '/etc/passwd' is not the absolute path"),
        ({"ipv4": True, "sysctl_file": "/etc/../x.conf"}, "sysctl_file: '/etc/../x.conf' is not the absolute path"),
    ],
)
def test_bad_input_for_forwarding_is_named_with_its_value(entry: dict[str, Any], said: str) -> None:
    assert said in refusal(forward_want, entry)


@pytest.mark.parametrize("kind", LINK_KINDS, ids=lambda kind: kind.name)
def test_what_is_needed_to_create_is_not_needed_to_delete(kind: LinkKind) -> None:
    want = link_want(kind, {"name": "dev0", "state": "absent"})
    assert want.absent
    assert want.key == ("", "dev0")


@pytest.mark.parametrize("kind", LINK_KINDS, ids=lambda kind: kind.name)
def test_nothing_is_asked_for_by_what_is_omitted(kind: LinkKind) -> None:
    assert dict(link_want(kind, {"name": "dev0"}).options) == {"admin_state": "up"}


def options_of(kind: LinkKind, **entry: Any) -> dict[str, Any]:
    want = link_want(kind, {"name": "dev0", **entry})
    assert isinstance(want, LinkWant)
    return dict(want.options)


def test_values_count_and_spellings_do_not() -> None:
    assert (
        options_of(BRIDGE, ageing_time=300)
        == options_of(BRIDGE, ageing_time=300.0)
        == options_of(BRIDGE, ageing_time="300")
    )
    assert options_of(BRIDGE, mac="02:AB:00:00:00:01") == options_of(BRIDGE, mac="02-ab-00-00-00-01")
    assert options_of(BRIDGE, addresses=["::0:2/64"]) == options_of(BRIDGE, addresses=["::2/64", "0::2/64"])
    assert options_of(TUNTAP, owner="root") == options_of(TUNTAP, owner=0) == options_of(TUNTAP, owner="0")


def test_a_vrf_takes_the_address_of_loopback_devices() -> None:
    assert options_of(VRF, addresses=["::1/128"])["addresses"] == ("::1/128",)
    assert options_of(VRF, altnames=["all"])["altnames"] == ("all",)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("net.ipv4.ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/conf/eth0.100/forwarding", "net.ipv4.conf.eth0/100.forwarding"),
        ("net.ipv4.conf.eth0/100.forwarding", "net.ipv4.conf.eth0/100.forwarding"),
    ],
)
def test_a_sysctl_has_one_name_and_a_value_as_the_kernel_shows_it(written: str, key: str) -> None:
    assert namespace_want({"name": "n", "sysctl": {written: True}}).sysctls == {key: "1"}
    assert namespace_want({"name": "n", "sysctl": {written: " 4096  87380\t6 "}}).sysctls == {key: "4096 87380 6"}


def test_a_device_under_one_of_its_own_name_in_another_namespace_is_no_loop() -> None:
    entry = {"name": "x", "vni": 9, "dev": "x", "link_netns": "a"}
    assert len(topology_wants({"name": "t", "vxlans": [entry]})[1]) == 1
    with pytest.raises(Refused, match="is the device itself"):
        topology_wants({"name": "t", "vxlans": [{**entry, "link_netns": ""}]})


def test_an_address_is_on_one_device_of_a_routing_domain() -> None:
    def refusal(*dummies: dict[str, Any]) -> str:
        entries = [
            {"name": f"d{number}", "addresses": ["10.0.0.1/24"], **entry} for number, entry in enumerate(dummies)
        ]
        vrfs = [
            {"name": "red", "table": 10, "addresses": ["127.0.0.1/8"]},
            {"name": "blue", "table": 11, "addresses": ["127.0.0.1/8"]},
        ]
        try:
            topology_wants(
                {"name": "t", "bridges": [{"name": "br0"}, {"name": "br1"}], "vrfs": vrfs, "dummies": entries}
            )
        except Refused as refused:
            return str(refused)
        return ""

    assert refusal({"master": "red"}, {"master": "blue"}, {}) == ""
    assert refusal({"netns": "a"}, {"netns": "b"}) == ""
    assert refusal({"master": "theirs"}, {}) == "", "it may be a VRF"
    assert refusal({"addresses": ["fe80::1/64"]}, {"addresses": ["fe80::1/64"]}) == "", "each link has its own"
    twice = "dummies[0]: addresses: fe80::1 is also in dummies[0], and can be on one device only"
    assert refusal({"addresses": ["fe80::1/64", "fe80::1/128"]}) == twice
    said = "dummies[1]: addresses: 10.0.0.1 is also in dummies[0], and can be on one device only"
    assert refusal({}, {}) == said
    assert refusal({"master": "red"}, {"master": "red"}) == said
    assert refusal({"master": "br0"}, {"master": "br1"}) == said


def test_a_peer_whose_name_goes_without_saying_can_be_told_to_be_nobodys_port() -> None:
    want = link_want(VETH, {"name": "v0", "peer": {"master": ""}})
    assert want.peer
    assert (want.peer.name, want.peer.options["master"]) == (None, "")
