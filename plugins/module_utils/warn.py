# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What a user should hear of although nothing failed."""

from __future__ import annotations

from itertools import product

from . import desired, file_operations, nat_table, persist, sysctl
from .kinds import kind_of
from .kinds.nat import clash, common_ports, is_inside
from .plan import Plan
from .planner import remembered
from .state import Key, Nat, key_text

USUAL_ROOM = 1024
"""What the kernel has `sysctl.NEIGHBOR_ROOM` at (net/ipv4/arp.c, net/ipv6/ndisc.c), where it can't be read."""

FORWARDING = ("ip_forward", "forwarding")
"""How the sysctls end any of which makes something forward."""


def warnings_for(plan: Plan, wants: tuple[desired.Want, ...]) -> list[str]:
    """Only for what this run changes: whoever was told once need not hear it on every run."""
    if not plan.steps:
        return []
    found = about_boot(plan) + about_neighbors(plan, wants) + about_lost(plan)
    for want in wants:
        if isinstance(want, desired.LinkWant) and not want.absent:
            found += about_stranded(plan, want)
            if want.kind.holds_ports:
                found += about_bridge(plan, want) + about_uplink(plan, want)
            if want.kind.name == "vxlan":
                found += about_overlay(plan, want)
            if want.kind.paired:
                found += about_pair(plan, want)
        elif isinstance(want, desired.NamespaceWant) and not want.absent:
            found += about_ipv6(plan, want)
        elif isinstance(want, desired.NatWant) and not want.absent:
            found += about_nat(plan, want, wants)
    return found


def about_boot(plan: Plan) -> list[str]:
    """Where nothing will restore what is kept."""
    writes = any(
        isinstance(step.operation, file_operations.FileWrite) and step.operation.path == persist.UNIT
        for step in plan.steps
    )
    if not writes or plan.after.systemd:
        return []
    return [
        f"persist: this host has no systemd, so let whatever starts its services at boot run 'python3 {persist.ENGINE}' early"
    ]


def about_ipv6(plan: Plan, want: desired.NamespaceWant) -> list[str]:
    """What the kernel takes away with IPv6, as no option says so."""
    key = next((key for key in want.sysctls if key.endswith(sysctl.DISABLE_IPV6)), "")
    lost = []
    for (netns, name), link in plan.before.links.items() if key else ():
        after = plan.after.link((netns, name))
        if netns == want.name and link and after:
            has = {addr.cidr for addr in after.addresses}
            lost += [
                f"{addr.cidr} of {name}"
                for addr in link.addresses
                if addr.ours and not link.brings(addr) and addr.cidr not in has
            ]
    return [f"the sysctl {key} takes {', '.join(lost)} away, and the IPv6 routes that lead there"] if lost else []


def about_neighbors(plan: Plan, wants: tuple[desired.Want, ...]) -> list[str]:
    """Where packets would be lost because the kernel can't remember so many neighbours.

    A device that has an address takes two entries as soon as it talks to its gateway: one here, one there.
    """
    keys = [
        key for want in wants if isinstance(want, desired.LinkWant) and not want.absent for key in ends_of(plan, want)
    ]
    links = [link for link in map(plan.after.link, keys) if link]
    found = []
    for family, key in sysctl.NEIGHBOR_ROOM.items():
        number = sum(any((":" in address) == (family == 6) for address in link.get("addresses")) for link in links)
        known = plan.before.sysctls.get(("", key))
        room = int(known or USUAL_ROOM)
        if 2 * number > room * 0.9:
            where = "" if known else " (the kernel's default, as only the initial network namespace can read it)"
            found.append(
                f"{number} devices with IPv{family} addresses may take {2 * number} entries of the neighbour table that all network namespaces"
                f" share, which has room for {room}{where}: packets get lost when it overflows, so set the sysctl {key} to {4 * number} on the host"
            )
    return found


def ends_of(plan: Plan, want: desired.LinkWant) -> list[Key]:
    """A device, and the other end of a pair."""
    link = plan.after.link(want.key)
    return [want.key, link.peer] if link and link.peer else [want.key]


def about_bridge(plan: Plan, want: desired.LinkWant) -> list[str]:
    """A bridge without a MAC of its own changes it with its ports."""
    found = []
    link = plan.after.link(want.key)
    if (
        link
        and link.get("addresses")
        and "mac" not in want.options
        and not want.options.get("uplink")
        and (plan.before.link(want.key) is None or not link.mac_is_set)
    ):
        found.append(
            f"{key_text(want.key)} has addresses and no 'mac' of its own: it takes the lowest MAC of its ports,"
            " and changes it as they come and go, which neighbours and DHCP servers notice"
        )
    chain = plan.before.dropping.get(want.netns)
    if chain:
        found.append(
            f"br_netfilter shows the frames that {key_text(want.key)} forwards to the firewall, and its chain '{chain}' drops"
            " what it does not accept: accept them there, or set the sysctl net.bridge.bridge-nf-call-iptables to 0"
        )
    return found


def about_stranded(plan: Plan, want: desired.LinkWant) -> list[str]:
    """Addresses on a bridge's port: what is sent to them comes in on the bridge, and ARP is soon at a loss."""
    found = []
    for key, bridge in desired.becoming_ports(want, plan.before):
        port, above = plan.after.link(key), plan.after.link(bridge)
        addresses = [addr.cidr for addr in port.addresses if not addr.linklocal] if port else []
        if addresses and above and kind_of(above.kind).holds_ports:
            found.append(
                f"{key_text(key)} becomes a port of {key_text(bridge)} and keeps its addresses ({', '.join(addresses)}), by which this host"
                f" may soon not be reached any more: with 'uplink: {key[1]}' the bridge takes them over"
            )
    return found


def about_nat(plan: Plan, want: desired.NatWant, wants: tuple[desired.Want, ...]) -> list[str]:
    """What keeps packets from being forwarded at all, where translating them is then no use."""
    nat = plan.after.nats.get(want.key)
    if nat is None or nat == plan.before.nats.get(want.key):
        return []
    found = []
    for family, mark in (("ipv4", "."), ("ipv6", ":")):
        sysctls = {key: value for (netns, key), value in plan.after.sysctls.items() if netns == want.netns}
        forwards = [
            value for key, value in sysctls.items() if key.startswith(f"net.{family}.") and key.endswith(FORWARDING)
        ]
        if any(mark in network for network in nat.source) and forwards and "1" not in forwards:
            found.append(
                f"{key_text(want.key)} translates addresses, but nothing forwards {family.replace('ip', 'IP')}: switch it on with vnet_sysctl_forward"
            )
    found += [
        f"the firewall chain '{chain}' drops what it does not accept of what is forwarded, also what {key_text(want.key)} lets"
        f" through: {let_pass(chain, nat)}"
        for chain, versions in plan.before.obstacles.get(want.netns, ())
        if {nat_table.version_of(network) for network in nat.source} & set(versions)
    ]
    found += about_other_nats(plan, nat)
    hairpins = any(isinstance(other, desired.PortWant) and other.options.get("hairpin") for other in wants)
    if want.netns in plan.before.dropping and nat.port_forwards and not hairpins:
        found.append(
            f"br_netfilter shows bridged frames to the firewall, so that a port forward of {key_text(want.key)} does not lead a"
            " container back to itself: give its port of the bridge 'hairpin: true', or set the sysctl net.bridge.bridge-nf-call-iptables to 0"
        )
    return found


def about_other_nats(plan: Plan, nat: Nat) -> list[str]:
    """Where another entry of the same namespace is in the way of this one, or this one in its."""
    found = []
    for other in plan.after.nats.values():
        if other is None or other.netns != nat.netns or other.name == nat.name:
            continue
        found += [
            f"{key_text(nat.key)} and {key_text(other.key)} both forward {mine.protocol} {common_ports(mine, its)}:"
            " the kernel follows only one of the two, so take it out of the other"
            for mine, its in product(nat.port_forwards, other.port_forwards)
            if clash(mine, its)
        ]
        found += [
            f"{key_text(by.key)} isolates {forward.to_address}, to which {key_text(one.key)} forwards"
            f" {forward.protocol} {forward.port}: put that into the 'port_forwards' of {by.name}"
            for one, by in ((nat, other), (other, nat))
            for forward in one.port_forwards
            if by.isolate and is_inside(forward.to_address, by.source) and forward not in by.port_forwards
        ]
    return found


def let_pass(chain: str, nat: Nat) -> str:
    """What to do about a chain that drops, in the words of whose it is most likely."""
    networks = ", ".join(nat.source)
    if chain.startswith("firewalld "):
        return f"put {networks} into a zone that may forward, such as by firewall-cmd --zone=trusted --add-source"
    if chain == "filter FORWARD":
        return f"accept {networks} there in both directions, with Docker in its chain DOCKER-USER, with ufw by ufw route allow"
    return f"accept {networks} there in both directions"


def about_uplink(plan: Plan, want: desired.LinkWant) -> list[str]:
    """What names the uplink and is not told that the addresses moved."""
    uplink = want.options.get("uplink")
    facts = plan.before.uplinks.get((want.netns, uplink or ""))
    if not facts or not facts.bound:
        return []
    return [
        f"{uplink} is named by what stays as it is: {', '.join(facts.bound)}; look whether it has to name {want.name} now"
    ]


def about_lost(plan: Plan) -> list[str]:
    """What an uplink does not get back, as the bridge has not got it any more, or is itself gone."""
    found = []
    for key, bridge in plan.before.links.items():
        record = remembered(plan.before, key)
        given_back = not remembered(plan.after, key).uplink
        if record.uplink and (given_back or bridge is None):
            after = plan.after.link(key), plan.after.link((key[0], record.uplink))
            has = {addr.cidr for link in (bridge, *after) if link for addr in link.addresses}
            lost = [cidr for cidr in record.taken if cidr not in has]
            if lost:
                why = f"somebody took that off {key_text(key)}" if bridge else f"somebody deleted {key_text(key)}"
                to = f"{record.uplink} by vnet_link" if given_back else f"{key_text(key)} by 'addresses'"
                found.append(
                    f"{record.uplink} does not get back {', '.join(lost)}: {why}, which had it from {record.uplink};"
                    f" where it is still wanted, give it to {to}"
                )
    return found


def about_pair(plan: Plan, want: desired.LinkWant) -> list[str]:
    """A device drops what comes in and is larger than its own MTU, and nobody is told."""
    ends = [link for link in map(plan.after.link, ends_of(plan, want)) if link]
    mtus = [link.get("mtu") or want.kind.table["mtu"].initial for link in ends]
    if len(set(mtus)) < 2:
        return []
    one, other = (f"{key_text(link.key)} ({mtu})" for link, mtu in zip(ends, mtus))
    return [
        f"the two ends {one} and {other} of a pair differ in 'mtu': packets larger than the smaller one get lost, so give both the same"
    ]


def about_overlay(plan: Plan, want: desired.LinkWant) -> list[str]:
    """RFC 7348: outer Ethernet, IP, UDP and VXLAN headers are 50 bytes, 70 over IPv6."""
    link = plan.after.link(want.key)
    lower = want.options.get("dev")
    under = plan.after.link((want.options.get("link_netns", want.netns), lower)) if lower else None
    if link is None or under is None or under.get("mtu") is None or link.get("mtu") is None:
        return []
    endpoints = [str(link.get(name) or "") for name in ("local", "remote", "group")]
    overhead = 70 if any(":" in address for address in endpoints) else 50
    room = under.get("mtu") - overhead
    if link.get("mtu") > room:
        return [
            f"{key_text(want.key)} has an MTU of {link.get('mtu')}, but its underlay {lower} ({under.get('mtu')}) carries no more than {room}"
        ]
    return []
