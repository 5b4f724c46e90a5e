# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have set on a device, or beside it, stays theirs, and is there again once a run was undone, or the device made anew."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import engine, netlink
from ansible_collections.linuxnet.vnet.plugins.module_utils.apply import Failed
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import (
    LinkWant,
    Want,
    forward_want,
    link_want,
    namespace_want,
    row_want,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import VnetError
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.link import LINK
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.route import ROUTE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.rule import RULE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.veth import VETH
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    ip,
    kinds_here,
    needs_root,
    on_a_new_host,
)

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import Plan

pytestmark = needs_root

FRA_DSCP = 25

A_LINK = (
    "netns add away",
    "link add v0 type veth peer name v1",
    "link set v0 up",
    "link set v1 up",
    "address add 10.0.0.1/24 dev v0",
    "address add 2001:db8::1/64 dev v0 nodad",
    "address add 2001:db8:1::1/64 dev v1 nodad",
)
GOES_DOWN = link_want(LINK, {"name": "v0", "admin_state": "down"})
HAS_NO_IPV6 = link_want(LINK, {"name": "v0", "mtu": 1000})
MOVES = link_want(LINK, {"name": "v0", "netns": "away"})


def made(*commands: str) -> None:
    for command in commands:
        ip("", *command.split())


def shown(command: str) -> list[str]:
    """The lines of a command's output, in the order of the alphabet."""
    done = subprocess.run(command.split(), check=True, capture_output=True, text=True)
    return sorted(line.strip() for line in done.stdout.splitlines())


def broken_off(*wants: Want) -> None:
    """Let a run do all that it takes, and fail then."""

    def fail(_left: Plan) -> None:
        raise VnetError("the end")

    engine.check_done = fail  # type: ignore[assignment]  # it goes with the process of the test
    with pytest.raises(Failed, match="the end; the host is as it was before"):
        engine.run(wants)


def link_local(device: str) -> list[str]:
    return [line.split()[3] for line in shown(f"ip -6 -o address show dev {device} scope link")]


def undone_with_what_lo_has() -> None:
    made(
        "netns add g",
        "-n g link set lo up",
        "-n g address add fd0f::1/128 dev lo",
        "-n g address add 10.0.0.1/32 dev lo",
    )
    made("-n g route add blackhole fd0b::/64", "-n g route add fd0c::/64 dev lo metric 7")
    before = shown("ip -n g address show dev lo"), shown("ip -n g -6 route show table all")
    want = namespace_want({"name": "g", "sysctl": {"net.ipv6.conf.all.disable_ipv6": 1}})
    said = "takes fd0f::1/128 of lo away"
    assert any(said in warning for warning in engine.run((want,), check=True).warnings)
    broken_off(want)
    assert (shown("ip -n g address show dev lo"), shown("ip -n g -6 route show table all")) == before


def test_ipv6_of_lo_is_back_where_disabling_it_is_undone() -> None:
    on_a_new_host(undone_with_what_lo_has)


def undone_with_its_own_link_local_address(want: Want) -> None:
    made(*A_LINK, "address add fe80::1/64 dev v0 nodad")
    before = link_local("v0")
    assert len(before) == 2
    broken_off(want)
    assert link_local("v0") == before


@pytest.mark.parametrize("want", [GOES_DOWN, HAS_NO_IPV6, MOVES], ids=["down", "mtu", "move"])
def test_a_link_local_address_that_somebody_gave_is_back(want: Want) -> None:
    on_a_new_host(undone_with_its_own_link_local_address, want)


def anew_with_its_own_link_local_address() -> None:
    engine.run((link_want(VXLAN, {"name": "vx", "vni": 5, "addresses": ["fe80::1/64"]}),))
    before = link_local("vx")
    assert len(before) == 2
    engine.run((link_want(VXLAN, {"name": "vx", "vni": 6, "recreate": True}),))
    assert link_local("vx") == before


def test_a_device_that_is_made_anew_keeps_its_link_local_address() -> None:
    on_a_new_host(anew_with_its_own_link_local_address)


def undone_with_its_routes(want: Want, *routes: str) -> None:
    made(*A_LINK, *routes)
    before = [shown("ip -4 route show"), shown("ip -6 route show")]
    broken_off(want)
    assert [shown("ip -4 route show"), shown("ip -6 route show")] == before


BESIDE = (
    "-6 route add 2001:db8:9::/64 dev v1",
    "-6 route append 2001:db8:9::/64 dev v0",
    "route add 10.9.0.0/16 via 10.0.0.2",
    "route append 10.9.0.0/16 via 10.0.0.3",
    "-6 route add 2001:db8:a::/64 nexthop via 2001:db8::9 nexthop via 2001:db8:1::9",
    "route add 10.10.0.0/16 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3",
)


@pytest.mark.parametrize("want", [GOES_DOWN, MOVES], ids=["down", "move"])
def test_routes_that_differ_in_nothing_but_where_they_lead_are_back(want: Want) -> None:
    on_a_new_host(undone_with_its_routes, want, *BESIDE)


BY_ANOTHER_ROUTE = ("route add 10.99.0.1 dev v0", "route add 10.98.0.0/16 via 10.99.0.1")


@pytest.mark.parametrize("want", [GOES_DOWN, MOVES], ids=["down", "move"])
def test_a_route_whose_gateway_another_route_leads_to_is_back(want: Want) -> None:
    on_a_new_host(undone_with_its_routes, want, *BY_ANOTHER_ROUTE)


OF_SOME_PACKETS = (
    "route add default via 10.0.0.2",
    "route add default tos 0x10 via 10.0.0.3",
    "-6 route add default via 2001:db8::98",
    "-6 route add default from 2001:db8:1::/48 via 2001:db8::99 dev v0",
)


@pytest.mark.parametrize("want", [GOES_DOWN, MOVES], ids=["down", "move"])
def test_routes_of_some_packets_only_are_back(want: Want) -> None:
    on_a_new_host(undone_with_its_routes, want, *OF_SOME_PACKETS)


def defaults() -> list[str]:
    lines = shown("ip -4 route show default") + shown("ip -6 route show default")
    return [" ".join(line.split()[:5]) for line in lines]


def left_alone() -> None:
    made(*A_LINK, *OF_SOME_PACKETS)
    others = ["default tos 0x10 via 10.0.0.3", "default from 2001:db8:1::/48 via 2001:db8::99"]
    for destination, gateway in (("0.0.0.0/0", "10.0.0.9"), ("::/0", "2001:db8::99")):
        want = row_want(ROUTE, {"destination": destination, "gateway": gateway})
        assert engine.run((want,)).changed
        assert not engine.run((want,)).changed
    assert len(defaults()) == 4
    assert set(others) < set(defaults())
    for destination in ("0.0.0.0/0", "::/0"):
        engine.run((row_want(ROUTE, {"destination": destination, "state": "absent"}),))
    assert defaults() == others


def test_routes_of_some_packets_only_are_none_of_vnet_route() -> None:
    on_a_new_host(left_alone)


def accept_ra(device: str) -> Path:
    return Path(f"/proc/sys/net/ipv6/conf/{device}/accept_ra")


def listening_as_before() -> None:
    made(*A_LINK)
    accept_ra("v0").write_text("0\n")
    for device, metric in (("v0", 100), ("v1", 101)):
        made(f"-6 route add default via fe80::99 dev {device} proto ra metric {metric}")
    engine.run((forward_want({"ipv6": True}),))
    assert [accept_ra(device).read_text() for device in ("v0", "v1")] == ["0\n", "2\n"]
    assert not engine.run((forward_want({"ipv6": True}),)).changed


def test_a_program_that_listens_to_routers_itself_goes_on_alone() -> None:
    on_a_new_host(listening_as_before)


def rules_of_others() -> None:
    made(
        "rule add priority 100 from 10.0.0.0/24 table 55 realms 4",
        "rule add priority 102 from 10.0.2.0/24 ipproto udp dport 53 table 55",
    )
    # The ip of Debian 12 has no word for dscp.
    message = netlink.rule_message(
        {"family": 2, "action": 1, "src_len": 24},
        [("FRA_PRIORITY", 101), ("FRA_TABLE", 55), ("FRA_SRC", "10.0.1.0")],
    )
    flags = netlink.NLM_F_CREATE | netlink.NLM_F_EXCL
    sock = netlink.Socket()
    sock.request(netlink.extended(message, ((FRA_DSCP, b"\x0a"),)), netlink.RTM_NEWRULE, flags)
    sock.close()
    there = shown("ip rule")
    for number in range(2):
        want = row_want(RULE, {"priority": 100 + number, "from": f"10.0.{number}.0/24", "table": 66})
        engine.run((want,))
        assert not engine.run((want,)).changed
    assert set(there) < set(shown("ip rule"))
    one_port = {"priority": 102, "from": "10.0.2.0/24", "ipproto": "udp", "dport": 53, "table": 55}
    assert not engine.run((row_want(RULE, one_port),)).changed


def test_rules_that_say_more_than_the_options_are_left_alone() -> None:
    on_a_new_host(rules_of_others)


def settings_of(device: str) -> dict[str, str]:
    """The sysctls of a device, but for those that nobody may read."""
    folders = [Path(f"/proc/sys/net/{family}/conf/{device}") for family in ("ipv4", "ipv6")]
    return {
        str(path): path.read_text() for folder in folders for path in folder.iterdir() if path.name != "stable_secret"
    }


def undone_with_its_settings(want: Want) -> None:
    made(*A_LINK)
    for key, value in (
        ("ipv4/conf/v0/rp_filter", 2),
        ("ipv4/conf/v0/arp_ignore", 1),
        ("ipv6/conf/v0/accept_ra", 0),
        ("ipv6/conf/v0/addr_gen_mode", 1),
        ("ipv4/conf/v0/forwarding", 1),
    ):
        Path(f"/proc/sys/net/{key}").write_text(f"{value}\n")
    before = settings_of("v0")
    broken_off(want)
    assert settings_of("v0") == before


PEER_MOVES = link_want(VETH, {"name": "v1", "peer": {"name": "v0", "netns": "away"}})


@pytest.mark.parametrize("want", [MOVES, PEER_MOVES], ids=["itself", "peer"])
def test_a_device_that_did_not_move_has_its_settings_again(want: Want) -> None:
    on_a_new_host(undone_with_its_settings, want)


def one_of_several() -> None:
    made(*A_LINK, *BESIDE[:4])
    both = shown("ip route show 10.9.0.0/16")
    for gateway in ("10.0.0.2", "10.0.0.3"):
        there = {"destination": "10.9.0.0/16", "gateway": gateway}
        assert not engine.run((row_want(ROUTE, there),)).changed
    for device in ("v0", "v1"):
        assert not engine.run((row_want(ROUTE, {"destination": "2001:db8:9::/64", "device": device}),)).changed
    other = row_want(ROUTE, {"destination": "10.9.0.0/16", "gateway": "10.0.0.4"})
    broken_off(other)
    assert shown("ip route show 10.9.0.0/16") == both


def test_of_several_routes_to_one_destination_the_one_that_is_meant_is_found() -> None:
    on_a_new_host(one_of_several)


TO_ONE_DESTINATION = (
    "address add 10.1.0.1/24 dev v1",
    "route add 10.9.0.0/16 via 10.0.0.2",
    "route append 10.9.0.0/16 via 10.1.0.2",
    "route append 10.9.0.0/16 via 10.0.0.3",
    "-6 route add 2001:db8:9::/64 via 2001:db8::9",
    "-6 route append 2001:db8:9::/64 dev v0",
    "-6 route append 2001:db8:9::/64 dev v1",
)


def to(destination: str) -> list[str]:
    """The routes to there, in the kernel's order."""
    command = ["ip", "-6" if ":" in destination else "-4", "route", "show", destination]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [" ".join(line.split()[:3]) for line in lines]


def not_one_is_left(destination: str, number: int) -> None:
    made(*A_LINK, *TO_ONE_DESTINATION)
    before = to(destination)
    want = row_want(ROUTE, {"destination": destination, "state": "absent"})
    check_done = engine.check_done
    broken_off(want)
    engine.check_done = check_done
    assert sorted(to(destination)) == sorted(before)
    assert ":" in destination or to(destination) == before
    promised = engine.run((want,), check=True)
    assert len(promised.operations) == number
    assert engine.run((want,)).operations == promised.operations
    assert to(destination) == []
    assert engine.run((want,)).operations == []


@pytest.mark.parametrize(("destination", "number"), [("10.9.0.0/16", 3), ("2001:db8:9::/64", 3)])
def test_of_several_routes_to_one_destination_all_go(destination: str, number: int) -> None:
    on_a_new_host(not_one_is_left, destination, number)


def only_one_goes() -> None:
    made(*A_LINK, *TO_ONE_DESTINATION)
    engine.run((row_want(ROUTE, {"destination": "10.9.0.0/16", "gateway": "10.1.0.2", "state": "absent"}),))
    assert to("10.9.0.0/16") == ["10.9.0.0/16 via 10.0.0.2", "10.9.0.0/16 via 10.0.0.3"]
    engine.run((row_want(ROUTE, {"destination": "10.9.0.0/16", "gateway": "10.0.0.3", "state": "absent"}),))
    assert to("10.9.0.0/16") == ["10.9.0.0/16 via 10.0.0.2"]


def test_of_several_routes_to_one_destination_the_one_that_is_meant_goes() -> None:
    on_a_new_host(only_one_goes)


def gone_with_their_address() -> None:
    made(*A_LINK, *TO_ONE_DESTINATION)
    route = row_want(ROUTE, {"destination": "10.9.0.0/16", "state": "absent"})
    for addresses, number in ((["10.0.0.1/24", "2001:db8::1/64"], 3), (["2001:db8::1/64"], 1)):
        wants = (link_want(LINK, {"name": "v0", "addresses": addresses}), route)
        deleted = [words for words in engine.run(wants, check=True).operations if "route delete" in words]
        assert len(deleted) == number
    engine.run(wants)
    assert to("10.9.0.0/16") == []


def test_of_several_routes_those_that_go_with_an_address_are_not_deleted() -> None:
    on_a_new_host(gone_with_their_address)


def undone_with_a_vlan_on_it() -> None:
    made(
        *A_LINK,
        "link add link v0 name on type vlan id 5",
        "link set on up",
        "address add 2001:db8:5::1/64 dev on nodad",
        "-6 route add 2001:db8:6::/64 via 2001:db8:5::9",
        "route add 10.6.0.0/16 dev on",
    )
    before = [shown(f"ip {family} route show dev on") for family in ("-4", "-6")]
    broken_off(MOVES)
    assert [shown(f"ip {family} route show dev on") for family in ("-4", "-6")] == before
    assert "2001:db8:5::1/64" in str(shown("ip -6 -o address show dev on"))


@pytest.mark.skipif(
    all(kind.name != "vlan" for kind in kinds_here()),
    reason="no vlan devices in this kernel: ./dev campaign vlans tries it on the second one",
)
def test_what_stands_on_a_device_that_did_not_move_has_all_again() -> None:
    on_a_new_host(undone_with_a_vlan_on_it)


def ways() -> list[str]:
    """The routes without what the kernel makes with an address, and without words that go with the carrier."""
    lines = shown("ip -4 route show") + shown("ip -6 route show")
    found = [line for line in lines if "proto kernel" not in line]
    return [" ".join(word for word in line.split() if word not in ("linkdown", "pref", "medium")) for line in found]


def has_its_routes_after(want: LinkWant, *routes: str) -> None:
    made(
        *A_LINK,
        "address add 10.1.0.1/24 dev v1",
        "link add vx type vxlan id 5 dstport 4789",
        "link set vx up",
        "address add 10.2.0.1/24 dev vx",
        "address add 2001:db8:2::1/64 dev vx nodad",
        *routes,
    )
    before = ways()
    engine.run((want,))
    assert ways() == before
    then = {"vni": 7} if want.kind == VXLAN else {"addresses": ("10.0.0.8/24", "2001:db8::1/64")}
    broken_off(want._replace(options={**want.options, **then}))
    assert ways() == before


ANEW = link_want(VXLAN, {"name": "vx", "vni": 6, "recreate": True})
ANOTHER_ADDRESS = link_want(LINK, {"name": "v0", "addresses": ["10.0.0.7/24", "2001:db8::1/64"]})


@pytest.mark.parametrize(
    ("want", "routes"),
    [
        (ANEW, ("route add 10.9.0.0/16 via 10.2.0.2", "route append 10.9.0.0/16 via 10.2.0.3")),
        (ANEW, ("route add 10.9.0.0/16 via 10.2.0.2", "route append 10.9.0.0/16 via 10.1.0.2")),
        (ANEW, ("-6 route add 2001:db8:9::/64 dev v1", "-6 route append 2001:db8:9::/64 dev vx")),
        (ANEW, ("-6 route add 2001:db8:a::/64 nexthop via 2001:db8:2::9 nexthop via 2001:db8:1::9",)),
        (ANEW, ("-6 route add 2001:db8:a::/64 nexthop via 2001:db8:1::9 nexthop via 2001:db8:2::9",)),
        (ANEW, ("route add 10.9.0.0/16 nexthop via 10.2.0.2 nexthop via 10.1.0.2",)),
        (ANEW, ("route add 10.99.0.1 dev vx", "route add 10.98.0.0/16 via 10.99.0.1")),
        (ANOTHER_ADDRESS, ("route add 10.9.0.0/16 via 10.0.0.2", "route append 10.9.0.0/16 via 10.0.0.3")),
        (ANOTHER_ADDRESS, ("route add 10.9.0.0/16 via 10.0.0.2", "route append 10.9.0.0/16 via 10.1.0.2")),
        (ANOTHER_ADDRESS, ("route add 10.99.0.1 dev v0", "route add 10.98.0.0/16 via 10.99.0.1")),
    ],
)
def test_routes_to_one_destination_are_there_after_a_change_that_takes_them(
    want: LinkWant, routes: tuple[str, ...]
) -> None:
    on_a_new_host(has_its_routes_after, want, *routes)


OVER_BOTH = (
    "route add 10.9.0.0/16 nexthop via 10.0.0.2 dev v0 nexthop via 10.1.0.2 dev v1",
    "-6 route add 2001:db8:9::/64 nexthop via 2001:db8::2 dev v0 nexthop via 2001:db8:1::2 dev v1",
)


def anew_with_a_route_over_both_ends() -> None:
    made(*A_LINK, "address add 10.1.0.1/24 dev v1", *OVER_BOTH)
    before = ways()
    engine.run((link_want(VETH, {"name": "v0", "num_rx_queues": 3, "peer": {"name": "v1"}, "recreate": True}),))
    assert ways() == before


def test_a_route_over_both_ends_of_a_veth_is_there_when_it_was_made_anew() -> None:
    on_a_new_host(anew_with_a_route_over_both_ends)


def undone_with_a_route_over_both(*wants: Want) -> None:
    made("netns add web")
    for number in range(2):
        made(
            f"-n web link add x{number} type veth peer name y{number}",
            f"-n web link set y{number} up",
            f"-n web link set x{number} up",
            f"-n web address add 10.{number}.0.1/24 dev x{number}",
            f"-n web address add 2001:db8:{number}::1/64 dev x{number} nodad",
        )
    made(
        "-n web route add 10.9.0.0/16 nexthop via 10.0.0.2 dev x0 nexthop via 10.1.0.2 dev x1",
        "-n web -6 route add 2001:db8:9::/64 nexthop via 2001:db8:0::2 dev x0 nexthop via 2001:db8:1::2 dev x1",
    )
    before = [shown(f"ip -n web {family} route show") for family in ("-4", "-6")]
    broken_off(*wants)
    assert [shown(f"ip -n web {family} route show") for family in ("-4", "-6")] == before


BOTH_GO = tuple(link_want(VETH, {"name": name, "netns": "web", "state": "absent"}) for name in ("x0", "x1"))
NO_IPV6 = namespace_want({"name": "web", "sysctl": {"net.ipv6.conf.all.disable_ipv6": True}})
TOO_SMALL = tuple(link_want(LINK, {"name": name, "netns": "web", "mtu": 1200}) for name in ("x0", "x1"))
DOWN = tuple(link_want(LINK, {"name": name, "netns": "web", "admin_state": "down"}) for name in ("x0", "x1"))


@pytest.mark.parametrize(
    "wants",
    [BOTH_GO, (NO_IPV6,), TOO_SMALL, DOWN, (TOO_SMALL[0], DOWN[1]), (DOWN[0], TOO_SMALL[1])],
    ids=["absent", "disable_ipv6", "mtu", "down", "mtu and down", "down and mtu"],
)
def test_a_route_over_two_devices_is_back_when_both_are(wants: tuple[Want, ...]) -> None:
    on_a_new_host(undone_with_a_route_over_both, *wants)
