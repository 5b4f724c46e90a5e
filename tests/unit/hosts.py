# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random hosts, as the reader would show them, and the kernel's part in what a plan leaves behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.linuxnet.vnet.plugins.module_utils import sysctl
from ansible_collections.linuxnet.vnet.plugins.module_utils.attachments import same_subnet
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import kind_of
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import MULTICAST
from ansible_collections.linuxnet.vnet.plugins.module_utils.operations import (
    NamespaceDelete,
    NamespaceRestore,
    Operation,
)
from ansible_collections.linuxnet.vnet.plugins.module_utils.rows import ALL_ZEROS, Fdb, Neighbor, Route
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import (
    IFA_F_NODAD,
    IFA_F_PERMANENT,
    IFA_F_STABLE_PRIVACY,
    Addr,
    Key,
    Link,
    State,
)
from ansible_collections.linuxnet.vnet.tests.unit.strategies import (
    ADDRESSES,
    KIND_OF,
    MACS,
    MTUS,
    NAMES,
    NAMESPACES,
    Draw,
    altnames_of,
    peer_name,
    some_of,
)
from hypothesis import strategies as st

SHARED = {"admin_state": "down", "mtu": 1500, "master": "", "alias": "", "altnames": ()}
OF_KIND: dict[str, dict[str, Any]] = {
    "bridge": {
        "stp": False,
        "priority": 32768,
        "forward_delay": 15,
        "hello_time": 2,
        "max_age": 20,
        "ageing_time": 300,
        "vlan_filtering": False,
        "vlan_protocol": "802.1q",
        "vlan_default_pvid": 1,
        "mcast_snooping": True,
        "mcast_querier": False,
        "group_fwd_mask": 0,
        "nf_call_iptables": False,
        "nf_call_ip6tables": False,
        **{option.name: option.initial for option in MULTICAST},
        "no_linklocal_learn": False,
        "mst_enabled": False,
        "fdb_max_learned": 0,
        "vlan_stats_enabled": False,
        "nf_call_arptables": False,
    },
    "veth": {"num_tx_queues": 1, "num_rx_queues": 1},
    "tun": {"mode": "tap", "multi_queue": False, "vnet_hdr": False, "packet_info": False},
    "vxlan": {
        "vni": 42,
        "local": "",
        "remote": "",
        "group": "",
        "dev": "",
        "dstport": 4789,
        "srcport_min": 0,
        "srcport_max": 0,
        "ttl": "auto",
        "tos": 0,
        "df": "unset",
        "learning": True,
        "ageing": 300,
        "limit": 0,
        "proxy": False,
        "rsc": False,
        "l2miss": False,
        "l3miss": False,
        "udp_csum": True,
        "udp6_zero_csum_tx": False,
        "udp6_zero_csum_rx": False,
        "label": 0,
        "localbypass": True,
        "external": False,
    },
    "dummy": {},
    "geneve": {
        "vni": 43,
        "remote": "10.9.9.9",
        "dstport": 6081,
        "ttl": "auto",
        "tos": 0,
        "label": 0,
        "df": "unset",
        "udp_csum": False,
    },
    "vlan": {
        "vid": 7,
        "protocol": "802.1q",
        "reorder_hdr": True,
        **dict.fromkeys(("gvrp", "mvrp", "loose_binding", "bridge_binding"), False),
        "ingress_qos_map": (),
        "egress_qos_map": (),
    },
    "macvlan": {"mode": "vepa", "tap": False, "macaddrs": (), "bcqueuelen": 1000},
    "ipvlan": {"mode": "l3", "flag": "bridge", "tap": False},
}
"""What a new device has, as Linux 6.18 tells it."""

FORWARDING = {
    "net.ipv4.ip_forward": "0",
    "net.ipv4.conf.all.accept_redirects": "1",
    "net.ipv4.conf.all.forwarding": "0",
    "net.ipv4.conf.default.forwarding": "0",
    "net.ipv6.conf.all.forwarding": "0",
    "net.ipv6.conf.default.forwarding": "0",
}


class RandomHost(State):
    """A state that prints without all that is as usual."""

    def __repr__(self) -> str:
        links = ", ".join(brief(link) for link in self.links.values() if link)
        sysctls = {key: value for key, value in self.sysctls.items() if value != FORWARDING.get(key[1], "0")}
        return f"RandomHost({list(self.namespaces)}, [{links}], {sysctls}, {self.files})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # what hypothesis asks before it looks at a dataclass's fields


def brief(link: Link) -> str:
    usual = {**SHARED, **OF_KIND.get(link.kind, {}), "link_netns": link.netns}
    words = [link.kind or "physical", *(str(key) for key in (link.key, link.peer) if key)]
    words += [f"{name}={value!r}" for name, value in link.attrs.items() if usual.get(name) != value]
    words += [
        f"{name}={value!r}"
        for name, value in vars(link).items()
        if name in ("addresses", "routes", "fdb", "neighbors", "busy") and value
    ]
    return " ".join(words)


def own_mac(key: Key) -> str:
    """The MAC that the kernel picked for a device: any, as long as no other has it."""
    netns, name = (sum(word.encode()) % 256 for word in key)
    return f"0a:00:00:00:{netns:02x}:{name:02x}"


def with_defaults(link: Link) -> Link:
    """A link with all that the kernel says of it, asked for or not."""
    attrs = {**SHARED, "mac": own_mac(link.key), **OF_KIND.get(link.kind, {}), **link.attrs}
    if kind_of(link.kind).lower:
        attrs.setdefault("link_netns", link.netns)
    if attrs.get("mode") == "tun":
        attrs.pop("mac")
    return replace(link, attrs=attrs)


def settled(state: State) -> State:
    """The host as it would be read after the plan: nothing else than the plan made, but told in full."""
    state = state.copy()
    for link in list(state.links.values()):
        if link:
            state.put(with_defaults(link))
    return state


@st.composite
def hosts(draw: Draw) -> State:
    """A host in which anything may be there already, foreign devices and kernel-made addresses included."""
    state = RandomHost({name: {} for name in draw(some_of(NAMESPACES[1:]))})
    spaces = ["", *state.namespaces]
    for name in state.namespaces:
        state.put(Link(name, "lo", "loopback", {**SHARED, "admin_state": draw(st.sampled_from(["up", "down"]))}))
    for place in draw(some_of([(netns, name) for netns in spaces for name in NAMES], 8)):
        if place not in state.links:
            add_device(draw, state, place)
    for link in [link for link in state.links.values() if link and link.kind not in ("loopback",)]:
        state.put(attach(draw, state, link))
    add_sysctls(draw, state)
    return state


@st.composite
def kinds_at(draw: Draw, state: State, place: Key) -> tuple[str, list[Key]]:
    """A kind, mostly the one that goes with the name, and the devices on which one of it could stand."""
    usual = KIND_OF[place[1][:2]].netlink if place[1][:2] in KIND_OF else None
    kind = usual if usual and draw(st.integers(0, 9)) else draw(st.sampled_from([*OF_KIND, ""]))
    standing = [
        key for key, link in state.links.items() if link and link.kind in ("", "dummy", "veth") and key != place
    ]
    if kind_of(kind).lower == "parent" and not standing:
        kind = "dummy"
    return kind, standing


def add_device(draw: Draw, state: State, place: Key) -> None:
    kind, standing = draw(kinds_at(state, place))
    attrs: dict[str, Any] = {"admin_state": draw(st.sampled_from(["up", "down"])), "mtu": draw(st.sampled_from(MTUS))}
    attrs["alias"] = draw(st.sampled_from(["", "somebody's"]))
    attrs["altnames"] = tuple(draw(some_of(altnames_of(*place))))
    if draw(st.booleans()):
        attrs["mac"] = draw(st.sampled_from(MACS))
    if kind == "tun":
        attrs["mode"] = draw(st.sampled_from(["tap", "tun"]))
        if draw(st.booleans()):
            attrs["owner"] = "root"
        if attrs["mode"] == "tun":
            attrs.pop("mac", None)
    if kind == "vxlan":
        attrs.update(draw(st.sampled_from([{}, {"remote": "10.9.9.9"}, {"local": "10.0.0.1", "vni": 7}])))
        under = [key for key, link in state.links.items() if link and link.kind in ("", "dummy") and key != place]
        if draw(st.booleans()) and under:
            attrs["link_netns"], attrs["dev"] = draw(st.sampled_from(under))
    if kind_of(kind).lower == "parent":
        attrs["link_netns"], attrs["parent"] = draw(st.sampled_from(standing))
        attrs.pop("mtu")
    peer = None
    if kind == "veth":
        # Or it is away, in a namespace without a name.
        peer = draw(st.sampled_from([*((netns, peer_name(place)) for netns in ["", *state.namespaces]), None]))
        peer = None if peer in state.links else peer
        if peer:
            state.put(with_defaults(Link(*peer, "veth", {"mac": own_mac(peer)}, peer=place)))
    busy = "the program that has it open" if kind == "tun" and draw(st.integers(0, 5)) == 0 else ""
    mac_is_set = kind != "bridge" or draw(st.booleans())
    link = Link(*place, kind, attrs, peer=peer, busy=busy, mac_is_set=mac_is_set, index=len(state.links))
    state.put(with_defaults(link))


def attach(draw: Draw, state: State, link: Link) -> Link:
    """Give a device a bridge, addresses, routes and FDB entries, as far as it can have them."""
    bridges = [
        other.name for other in state.links.values() if other and other.kind == "bridge" and other.netns == link.netns
    ]
    if draw(st.booleans()) and bridges and link.kind != "bridge" and link.attrs.get("mode") != "tun":
        link = link.having(master=draw(st.sampled_from(bridges)))
    up, six = link.get("admin_state") == "up", link.get("mtu") >= 1280
    addresses: list[Addr] = []
    for cidr in draw(some_of([cidr for cidr in (*ADDRESSES, "10.7.7.7/24") if ":" not in cidr or (up and six)])):
        addresses.append(draw(address_values(cidr, addresses)))
    if up and six and draw(st.booleans()):
        by_kernel = IFA_F_STABLE_PRIVACY if draw(st.booleans()) else 0
        addresses.append(Addr("fe80::1/64", scope=253, flags=IFA_F_PERMANENT | by_kernel))
    routes: list[Route] = []
    if up:
        for addr in addresses:
            if addr.ours and draw(st.booleans()):
                host = addr.cidr.split("/")[0]
                target = "172.16.0.0/12" if addr.family == 4 else "2001:db8:f::/48"
                source = draw(st.sampled_from(["", host]))
                route = Route(target, addr.family, source=source, metric=len(routes) + 1, device=link.name)
                routes.append(route)
    fdb = []
    if link.kind == "vxlan":
        default = link.get("remote")
        fdb = [Fdb(ALL_ZEROS, far) for far in draw(some_of(["10.9.9.7", "10.9.9.5"])) if far != default]
    neighbors = [
        Neighbor(address, "02:00:00:00:00:09")
        for address in draw(some_of(["10.0.0.9", "2001:db8::9"]))
        if link.kind != "loopback" and (six or ":" not in address)
    ]
    return replace(link, addresses=tuple(addresses), routes=tuple(routes), fdb=tuple(fdb), neighbors=tuple(neighbors))


@st.composite
def address_values(draw: Draw, cidr: str, others: list[Addr]) -> Addr:
    addr = Addr(cidr)
    if addr.family == 4 and draw(st.booleans()):
        addr = addr._replace(broadcast="10.0.0.255", label="x")
    if draw(st.integers(0, 3)) == 0:
        # Autoconfigured or leased: it has a lifetime, and is not ours.
        addr = addr._replace(flags=addr.flags & ~IFA_F_PERMANENT, valid=3600, preferred=1800)
    return addr._replace(secondary=any(same_subnet(addr, other) for other in others))


def add_sysctls(draw: Draw, state: State) -> None:
    for netns in NAMESPACES:
        if state.has_netns(netns):
            forward = draw(st.sampled_from("01"))
            for key, value in FORWARDING.items():
                state.sysctls[netns, key] = forward if key.endswith(("forward", "forwarding")) else value
            for link in [link for link in state.links.values() if link and link.netns == netns]:
                for family in ("ipv4", "ipv6"):
                    key = sysctl.of_device(family, link.name, "forwarding")
                    state.sysctls[netns, key] = draw(st.sampled_from("01"))
                state.sysctls[netns, sysctl.of_device("ipv6", link.name, "accept_ra")] = "1"
            up = [
                link.name
                for link in state.links.values()
                if link and link.netns == netns and link.get("admin_state") == "up"
            ]
            state.ra_devices[netns] = tuple(draw(some_of(up))) if up else ()
    content = st.sampled_from([None, "", "# mine\nnet.ipv4.ip_forward=0\n", "net.core.somaxconn = 9\n"])
    state.files["/etc/sysctl.d/30-ipforward.conf"] = draw(content)


class Simulation:
    """A model to carry operations out on, one that can also give a deleted namespace back as the kernel does."""

    def __init__(self, state: State) -> None:
        self.state = state.copy()
        self._gone: dict[str, State] = {}

    def carry_out(self, operation: Operation) -> None:
        if isinstance(operation, NamespaceDelete):
            self._gone[operation.name] = self.state.copy()
        operation.simulate(self.state)
        if isinstance(operation, NamespaceRestore):
            # Its descriptor was kept open, so that nothing in it ever died.
            before = self._gone.pop(operation.name)
            for key, link in before.links.items():
                if link and self.state.links.get(key) is None:
                    self.state.links[key] = link


def comparable(state: State) -> dict[str, Any]:
    """A host as far as undoing has to give it back: without what the kernel picks and without the order of sets."""
    return {
        "namespaces": sorted(state.namespaces),
        "links": {key: comparable_link(link) for key, link in sorted(state.links.items()) if link},
        "sysctls": {key: value for key, value in state.sysctls.items() if state.has_netns(key[0])},
        "files": {path: content for path, content in state.files.items() if content is not None},
    }


def comparable_link(link: Link) -> dict[str, Any]:
    attrs = {name: value for name, value in link.attrs.items() if value not in ("", (), False)}
    attrs["altnames"] = sorted(link.attrs.get("altnames", ()))
    return {
        "kind": link.kind,
        "attrs": attrs,
        # Duplicate address detection is over for an address that comes back. Which of a subnet's addresses is the
        # first is compared below, where it matters.
        "addresses": sorted(
            addr._replace(flags=addr.flags & ~IFA_F_NODAD) for addr in link.addresses if not link.brings(addr)
        ),
        "routes": sorted(link.routes),
        "fdb": sorted(link.fdb),
        "neighbors": sorted(link.neighbors),
        "peer": link.peer,
    }
