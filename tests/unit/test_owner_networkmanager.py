# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the profile by which NetworkManager configures a device to those of a bridge and of its port."""

from __future__ import annotations

import configparser

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.owner_ifupdown import Edit, back
from ansible_collections.linuxnet.vnet.plugins.module_utils.owner_networkmanager import (
    ASLEEP,
    Bridge,
    Source,
    all_statics,
    asleep,
    check_others,
    eui64,
    iid_of,
    profile,
    state_with,
    uuids,
    written,
)

MAC = "02:00:00:00:00:05"
UUID = "5d0f3f2e-0f0c-4b52-9a55-6b1a0a0e7d11"
PATH = "/etc/NetworkManager/system-connections/lan.nmconnection"
BEGIN = f"[connection]\nid=lan\nuuid={UUID}\ntype=ethernet\ninterface-name=lan0\n"
STATIC = f"""{BEGIN}autoconnect-priority=7
zone=trusted
timestamp=1700000000

[ethernet]
wake-on-lan=64

[ethtool]
ring-rx=512

[ipv4]
address1=10.0.0.5/24,10.0.0.1
address2=10.0.0.6/24
dns=10.0.0.1;10.0.0.2;
method=manual
route1=203.0.113.0/24,10.0.0.1

[ipv6]
address1=fd00::5/64
method=manual

[proxy]
"""


def profiles(
    text: str, source: dict[str, str] | None = None, **bridge: object
) -> tuple[dict[str, dict[str, str]], ...]:
    """Those of the bridge and of its port."""
    shape = Bridge("br0", MAC, **bridge)  # type: ignore[arg-type]  # what each test has to say
    found = written("lan0", shape, Source(PATH, text, UUID, **(source or {})))
    assert list(found) == ["vnet-br0.nmconnection", "vnet-br0-port.nmconnection"]
    return tuple(map(profile, found.values()))


def test_what_concerns_ip_passes_to_the_bridge_and_what_concerns_ethernet_stays() -> None:
    bridge, port = profiles(STATIC)
    of_bridge, of_port = uuids(UUID, "br0")
    assert bridge == {
        "connection": {
            "id": "vnet-br0",
            "uuid": of_bridge,
            "type": "bridge",
            "interface-name": "br0",
            "autoconnect-slaves": "1",
            "autoconnect-priority": "7",
            "zone": "trusted",
        },
        "ethernet": {"cloned-mac-address": MAC},
        "bridge": {"stp": "false"},
        "ipv4": {
            "address1": "10.0.0.5/24,10.0.0.1",
            "address2": "10.0.0.6/24",
            "dns": "10.0.0.1;10.0.0.2;",
            "method": "manual",
            "route1": "203.0.113.0/24,10.0.0.1",
        },
        "ipv6": {"address1": "fd00::5/64", "method": "manual"},
        "proxy": {},
    }
    assert port == {
        "connection": {
            "id": "vnet-br0-port",
            "uuid": of_port,
            "type": "ethernet",
            "interface-name": "lan0",
            "master": "br0",
            "slave-type": "bridge",
            "autoconnect-priority": "7",
        },
        "ethernet": {"wake-on-lan": "64"},
        "ethtool": {"ring-rx": "512"},
    }
    assert all_statics(STATIC) == {"10.0.0.5/24", "10.0.0.6/24", "fd00::5/64"}


def test_profiles_have_names_of_their_own_that_stay_the_same() -> None:
    assert uuids(UUID, "br0") == uuids(UUID, "br0")
    assert len({UUID, *uuids(UUID, "br0"), *uuids(UUID, "br1")}) == 5


def test_the_leases_are_asked_for_by_the_same_identifiers_and_routes_have_the_same_metric() -> None:
    text = f"{BEGIN}[ipv4]\nmethod=auto\ndhcp-client-id=stable\n[ipv6]\nmethod=auto\nroute-metric=50\n"
    noted = {"metric": "101", "client_id": "01:02:00:00:00:00:05", "iaid": "3099433919", "duid": "00:04:e5"}
    bridge, _port = profiles(text, noted)
    assert bridge["ipv4"] == {"method": "auto", "dhcp-client-id": "01:02:00:00:00:00:05", "route-metric": "101"}
    assert bridge["ipv6"] == {
        "method": "auto",
        "route-metric": "50",
        "dhcp-iaid": "3099433919",
        "dhcp-duid": "00:04:e5",
    }


def test_addresses_from_advertisements_have_the_same_lower_half() -> None:
    text = f"{BEGIN}[ipv6]\naddr-gen-mode=stable-privacy\nmethod=auto\n"
    bridge, _port = profiles(text, {"iid": "::6659:8de2:7ae4:e4f5"})
    assert bridge["ipv6"] == {"addr-gen-mode": "eui64", "token": "::6659:8de2:7ae4:e4f5", "method": "auto"}
    # One that is made from the MAC address is so on the bridge, which has the same.
    assert eui64(MAC) == "::ff:fe00:5"
    bridge, _port = profiles(f"{BEGIN}[ipv6]\nmethod=auto\n", {"iid": eui64(MAC)})
    assert bridge["ipv6"] == {"method": "auto"}


def test_the_lower_half_is_read_of_addresses_that_are_made_from_advertisements() -> None:
    lines = [
        "fe800000000000005fb0c7f5a8f16e63 02 40 20 80     lan0",
        "fd00000000000000000000000000016d 02 80 00 00     lan0",
        "fd000000000000000000000000000005 02 40 00 80     lan0",
        "fd00000000000000aaaabbbbccccdddd 02 40 00 01     lan0",
        "fd01000000000000111122223333ffff 03 40 00 00     lan1",
    ]
    assert iid_of("lan0", "\n".join(lines)) == ""
    lines += ["fd0000000000000066598de27ae4e4f5 02 40 00 00     lan0"]
    assert iid_of("lan0", "\n".join(lines)) == "::6659:8de2:7ae4:e4f5"
    lines += ["fd0200000000000066598de27ae4e4f6 02 40 00 00     lan0"]
    with pytest.raises(Refused, match="addr-gen-mode=eui64"):
        iid_of("lan0", "\n".join(lines))


def test_addresses_of_the_task_come_besides() -> None:
    bridge, _port = profiles(STATIC, addresses=("10.0.0.5/24", "10.5.0.1/24"))
    assert bridge["ipv4"]["address3"] == "10.5.0.1/24"
    assert "address4" not in bridge["ipv4"]
    bridge, _port = profiles(f"{BEGIN}[ipv6]\nmethod=disabled\n", addresses=("fd05::1/64", "10.5.0.1/24"))
    assert bridge["ipv6"] == {"method": "manual", "address1": "fd05::1/64"}
    assert bridge["ipv4"] == {"method": "auto", "address1": "10.5.0.1/24"}


def test_the_mtu_is_for_both() -> None:
    bridge, port = profiles(f"{BEGIN}[ethernet]\nmtu=1400\n", mtu=1400)
    assert bridge["ethernet"] == {"cloned-mac-address": MAC, "mtu": "1400"}
    assert port["ethernet"] == {"mtu": "1400"}


def test_a_profile_may_be_for_a_mac_address() -> None:
    text = f"[connection]\nid=lan\nuuid={UUID}\ntype=802-3-ethernet\n[802-3-ethernet]\nmac-address={MAC}\n"
    _bridge, port = profiles(text)
    assert port["ethernet"] == {"mac-address": MAC}
    assert port["connection"]["interface-name"] == "lan0"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BEGIN.replace("ethernet", "vlan"), "type vlan"),
        (f"{BEGIN}master=bond0\nslave-type=bond\n", "master=bond0, so lan0 is part"),
        (f"{BEGIN}controller=br7\n", "controller=br7"),
        (f"{BEGIN}autoconnect=false\n", "autoconnect=false"),
        (f"{BEGIN}multi-connect=3\n", "multi-connect=3"),
        (BEGIN.replace("interface-name=lan0\n", ""), "let it have interface-name=lan0"),
        (BEGIN.replace("=lan0", "=lan1"), "let it have interface-name=lan0"),
        (f"{BEGIN}novelty=1\n", "novelty="),
        (f"{BEGIN}[802-1x]\neap=tls;\n", r"\[802-1x\]"),
        (f"{BEGIN}[match]\ndriver=e1000\n", r"\[match\]"),
        (f"{BEGIN}[bridge-port]\npriority=7\n", r"\[bridge-port\]"),
        (f"{BEGIN}[ethernet]\ncloned-mac-address=random\n", "cloned-mac-address=random"),
        (f"{BEGIN}[ipv4]\nmethod=shared\n", "method=shared"),
        (f"{BEGIN}[ipv6]\nmethod=shared\n", "method=shared"),
        (f"{BEGIN}[ipv4]\nmethod=auto\nrouting-rule1=priority 5 iif lan0 table 7\n", "routing-rule1="),
        (f"{BEGIN}[ipv4]\nmethod=manual\naddress1=10.0.0.5\n", "prefix length"),
        (f"{BEGIN}[ipv4]\nmethod=manual\naddresses1=10.0.0.5;24;10.0.0.1;\n", "prefix length"),
        (f"{BEGIN}[ipv4]\nmethod=manual\naddress1=here/24\n", "not understood"),
        ("no section\n", "not understood"),
    ],
)
def test_what_is_not_sure_is_refused(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        profiles(text)


def test_a_profile_without_a_uuid_is_refused() -> None:
    with pytest.raises(Refused, match="uuid"):
        uuids("", "br0")


@pytest.mark.parametrize(
    "text",
    [
        STATIC,
        f"# by hand\n\n{BEGIN}autoconnect=true\n\n[ipv4]\nmethod=auto\n",
        f"[ipv4]\nmethod=auto\n\n{BEGIN.rstrip()}",
        "[connection]\nautoconnect = yes\nid=lan\n[ipv4]\nautoconnect=true\n",
    ],
)
def test_the_profile_that_was_there_sleeps_and_wakes(text: str) -> None:
    sleeping, lost = asleep(text)
    assert profile(sleeping)["connection"]["autoconnect"] == "false"
    assert {**profile(sleeping)["connection"], "autoconnect": ""} == {**profile(text)["connection"], "autoconnect": ""}
    assert back(sleeping, [Edit(PATH, ASLEEP, lost)]) == text


def test_ours_can_be_read_by_others() -> None:
    for text in written("lan0", Bridge("br0", MAC), Source(PATH, STATIC, UUID)).values():
        parser = configparser.RawConfigParser()
        parser.read_string(text)
        assert parser["connection"]["uuid"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[connection]\nid=b\ntype=bridge\ninterface-name=br0\n", "is about br0 already"),
        ("[connection]\nid=v\ntype=vlan\n[vlan]\nid=7\nparent=lan0\n", r"parent=lan0 in \[vlan\]"),
        (f"[connection]\nid=v\ntype=macvlan\n[macvlan]\nparent={UUID}\n", "parent="),
        (f"[connection]\nid=p\ntype=ethernet\nmaster={UUID}\n", "master="),
        ("[connection]\nid=v\ntype=vlan\n[vlan]\nid=7\nparent=lan1\n", ""),
        ("not one\n", ""),
    ],
)
def test_profiles_that_would_not_go_together_with_the_bridge_are_refused(text: str, says: str) -> None:
    source = Source(PATH, STATIC, UUID)
    if says:
        with pytest.raises(Refused, match=says):
            check_others("lan0", source, "br0", {"/run/x.nmconnection": text})
    else:
        check_others("lan0", source, "br0", {"/run/x.nmconnection": text})


def test_what_is_noted_of_a_device_names_the_profile_and_keeps_the_address_that_it_has_for_its_own() -> None:
    noted = (
        f"[device]\nmanaged=false\nperm-hw-addr-fake={MAC}\nconnection-uuid=old\n\n[dhcp4]\ndhcp4.ip_address=10.0.0.9\n"
    )
    found = profile(state_with(noted, UUID, is_ours=False))
    assert found == {
        "device": {"managed": "true", "perm-hw-addr-fake": MAC, "connection-uuid": UUID, "nm-owned": "false"}
    }
    assert profile(state_with("", UUID, is_ours=True))["device"]["nm-owned"] == "true"
