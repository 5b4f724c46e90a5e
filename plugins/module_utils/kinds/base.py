# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""How a kind of thing is described: as a table of its options.

Everything else derives from such a table: the argument spec, the netlink request, what is read back,
what counts as a difference, the words of iproute2, and whether a change needs the device made anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ..values import Address, Choice, DeviceName, Int, ListOf, Mac, NetnsName, Text, Type

Attributes = list[tuple[str, Any]]
"""Netlink attributes as pyroute2 takes them: (name, value) pairs."""


@dataclass(frozen=True)
class Option:
    """One option of a kind.

    - `attr`: the netlink attribute; `level` says where it stands: `link` (beside the name), `info` (in the
      data of the kind), `kind` (no attribute: it chooses between two kinds of netlink), `node` (it is one of the
      device's file), or `none` (no attribute: other requests carry it).
    - `attr6`: the attribute that carries the value instead where it is an IPv6 address.
    - `cli`: iproute2's words, `{}` for the value; `on|off` where a boolean has a word for each.
    - `default`: asked for even when omitted. `new`: what a new resource gets when omitted. `initial`: what the
      kernel gives it then.
    - `mutable`: whether the kernel can change it in place. `create_only`: it is compared never, as the kernel
      lets others change it.
    - `silent`: kernels may be built so that they don't tell of it; then it counts as being as asked for.
    - `clearable`: whether `""` can take it off a device. `displaces`: the options whose place it takes.
    - `since`: the kernel that has it first, for the message where the running one has not.
    """

    name: str
    type: Type
    attr: str = ""
    attr6: str = ""
    level: str = "info"
    cli: str = ""
    default: Any = None
    new: Any = None
    initial: Any = None
    mutable: bool = True
    create_only: bool = False
    silent: bool = False
    clearable: bool = True
    since: str = ""
    displaces: tuple[str, ...] = ()

    def read(self, attrs: Mapping[str, Any]) -> Any:
        """The canonical value in a message's attributes, None where the kernel says nothing of it."""
        raw = attrs.get(self.attr)
        if raw is None and self.attr6:
            raw = attrs.get(self.attr6)
        return None if raw is None else self.type.decode(raw)

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        """The netlink attributes that ask for the canonical `value`. `found` is what the device has now, by option."""
        attr = self.attr6 if self.attr6 and ":" in str(value) else self.attr
        raw = self.type.encode(value)
        return [] if raw is None else [(attr, raw)]

    def is_fixed(self, value: Any, found: Any) -> bool:
        """Whether only a new device would have `value`, where this one has `found`."""
        return not self.create_only and (not self.mutable or (value == "" and not self.clearable))

    def costs(self, value: Any) -> Mapping[str, Any]:
        """What a device that gets `value` has then of other options."""
        return dict.fromkeys(self.displaces, "") if value else {}

    def words(self, value: Any) -> str:
        """As iproute2 writes it, without the device."""
        cli = self.cli or self.name + " {}"
        if "|" in cli:
            return cli.split("|")[0 if value else 1]
        return cli.format(self.type.text(value))

    @property
    def usual(self) -> Any:
        """What a new resource has when nobody asked for anything, None where that can't be said."""
        return next((value for value in (self.default, self.new, self.initial) if value is not None), None)

    def change_words(self, value: Any, found: Mapping[str, Any]) -> str:
        """The same, for a device that has `found` now, by option."""
        return self.words(value)

    def argument(self) -> dict[str, Any]:
        spec = dict(self.type.spec)
        if self.default is not None:
            spec["default"] = self.default
        return spec


@dataclass(frozen=True)
class BitOption(Option):
    """One of the switches that share an attribute, by the number of its bit. The attribute has their values, and a mask of those meant."""

    bit: int = 0

    def read(self, attrs: Mapping[str, Any]) -> Any:
        found = attrs.get(self.attr)
        return bool(found["optval"] >> self.bit & 1) if found and found["optmask"] >> self.bit & 1 else None

    def write(self, value: Any, found: Mapping[str, Any]) -> Attributes:
        return [(self.attr, {self.bit: value})]


class FlowLabel(Option):
    """The flow label of IPv6, which iproute2 writes in hex."""

    def words(self, value: Any) -> str:
        return f"flowlabel {value:#x}"


class DeviceRef(DeviceName):
    """The name of another device, which the kernel wants as an index: the reader and the applier translate."""


class Master(Option):
    """The bridge that a device is a port of; iproute2 has a word of its own for none."""

    def words(self, value: Any) -> str:
        return f"master {value}" if value else "nomaster"


MTU = Option("mtu", Int(68, 65535, " bytes"), "IFLA_MTU", level="link", initial=1500)
MAC = Option("mac", Mac(), "IFLA_ADDRESS", level="link", cli="address {}")
MASTER = Master("master", DeviceRef(unset=True), "IFLA_MASTER", level="link")
ALIAS = Option("alias", Text(255), "IFLA_IFALIAS", level="link")
ADMIN_STATE = Option("admin_state", Choice({"up": 1, "down": 0}), level="none", cli="{}", default="up")
ADDRESSES = Option("addresses", ListOf(Address()), level="none")
ALTNAMES = Option("altnames", ListOf(DeviceName(limit=127)), level="none")
LINK_GROUP = Option("link_group", Int(0, 2**32 - 1), "IFLA_GROUP", level="link", cli="group {}", initial=0)
"""No option of any module: the mark of the topology that made the device (see topology.py)."""
LINK_NETNS = Option("link_netns", NetnsName(), level="none", mutable=False)
PARENT = Option("parent", DeviceRef(), "IFLA_LINK", level="link", cli="link {}", mutable=False)
"""The device on which a VLAN, macvlan or ipvlan device stands."""

COMMON: tuple[Option, ...] = (ADMIN_STATE, MTU, MAC, MASTER, ADDRESSES, ALIAS, ALTNAMES)
"""What all link modules share, besides name, state, netns, append and recreate."""


def nothing_to_say(_options: Mapping[str, Any], _found: Mapping[str, Any] | None) -> str | None:
    """The `check` of a kind whose options never clash."""
    return None


def none_together(_options: Mapping[str, Any], _found: Mapping[str, Any]) -> tuple[str, ...]:
    """The `fixed_together` of a kind whose options each know by themselves what the kernel can change."""
    return ()


def never(_attrs: Mapping[str, Any]) -> bool:
    """The least of what a kind says."""
    return False


def always(_attrs: Mapping[str, Any]) -> bool:
    """The `carries_frames` of Ethernet devices."""
    return True


@dataclass(frozen=True)
class LinkKind:
    """A kind of network device.

    - `name`: its word in iproute2; `info`: in netlink, where that differs. `module`, `plural`: its module, and its key in `vnet_topology`.
    - `needed`: options without which none can be made; `a|b` where one of them is enough.
    - `late`: options that its creating request ignores or caps, so that they are sent after it.
    - `lower`: the option that names the device under it, with which it goes.
    - `flat`: the kernel puts one that should stand on one of its own kind on what is under that.
    - `exclusive`: it takes the frames of what it stands on, which can't be a port of a bridge then, nor carry another such kind.
    - `unique`: options in all of which no two devices of the kind may be the same.
    - `follows`: in what it follows the device under it. `admin_state`: up and down with that. `mtu`: never more than
      that one's; `same mtu`: always that one's. `loose`: the option by which it no longer goes up and down with that.
    - `same_mac`: whether a device with these attributes has the MAC of the one under it: who changes one changes both.
    - `tap_info`: the netlink kind that its option `tap` makes of it, one with a file under /dev.
    - `shared`: options that are not its own but those of the device under it, for all that stand there.
    - `retold`: options that iproute2 wants to be told again with each change.
    - `check`: what can be said of options together, and of what the device has already ({} for a new one, None while
      that is not known): a sentence that says what is wrong, or None.
    - `fixed_together`: of the options asked for, given what the device has, those that only a new device would have as none of
      them can change without the others.
    - `by_ioctl`: made through /dev/net/tun and not by netlink.
    - `holds_ports`: other devices can be its ports, whose MTU and MAC it follows; so it comes up after them.
    - `routes_ports`: other devices can be its ports, and take their addresses' routes into its table: on joining and
      on leaving they go down and up, as the kernel has it, and forget their other routes and IPv6 addresses.
    - `tunnels`: carries its frames in IP packets, whose headers take of the MTU that a new one gets.
    - `own_fdb`: has an FDB, with entries that say where a MAC is. Others have only a list of MACs that they take frames for.
    - `carries_frames`: whether a device with these attributes can be a port.
    - `after_up`: options that are better turned on when the ports forward.
    - `paired`: comes in pairs, the other end described by the option `peer`. `mirrored`: the options of the one end that say
      what the other one gets, by the name of the other's.
    """

    name: str
    module: str
    plural: str
    options: tuple[Option, ...] = ()
    info: str = ""
    needed: tuple[str, ...] = ()
    late: tuple[str, ...] = ("alias",)
    lower: str = ""
    check: Callable[[Mapping[str, Any], Mapping[str, Any] | None], str | None] = nothing_to_say
    fixed_together: Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[str, ...]] = none_together
    by_ioctl: bool = False
    holds_ports: bool = False
    routes_ports: bool = False
    flat: bool = False
    exclusive: bool = False
    unique: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    loose: str = ""
    same_mac: Callable[[Mapping[str, Any]], bool] = never
    tap_info: str = ""
    retold: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    after_up: tuple[str, ...] = ()
    tunnels: bool = False
    own_fdb: bool = False
    carries_frames: Callable[[Mapping[str, Any]], bool] = always
    paired: bool = False
    peer: tuple[Option, ...] = ()
    mirrored: Mapping[str, str] = field(default_factory=dict)
    common: tuple[Option, ...] = COMMON

    @property
    def table(self) -> Mapping[str, Option]:
        """All its options by name, the shared ones first."""
        return _tables(self)

    @property
    def has_data(self) -> bool:
        """Whether any of its options is in the data of the kind."""
        return any(option.level == "info" for option in self.options)

    @property
    def netlink(self) -> str:
        return self.info or self.name

    def netlink_of(self, options: Mapping[str, Any]) -> str:
        """What netlink calls a device with these options."""
        return self.tap_info if self.tap_info and options.get("tap") else self.netlink

    @property
    def has_ports(self) -> bool:
        """Whether other devices can name it as their master."""
        return self.holds_ports or self.routes_ports

    def read(self, link: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        """The options' canonical values in a link message; device references are still indexes."""
        found = {}
        for option in self.table.values():
            if option.level in ("link", "info"):
                value = option.read(link if option.level == "link" else data)
                if value is not None:
                    found[option.name] = value
        return found


_TABLES: dict[str, Mapping[str, Option]] = {}


def _tables(kind: LinkKind) -> Mapping[str, Option]:
    if kind.name not in _TABLES:
        _TABLES[kind.name] = {option.name: option for option in (*kind.common, *kind.options, LINK_GROUP)}
    return _TABLES[kind.name]


def link_spec(kind: LinkKind) -> dict[str, Any]:
    """Ansible's argument spec of a link module."""
    spec: dict[str, Any] = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "netns": {"type": "str"},
        "append": {"type": "bool", "default": False},
        "recreate": {"type": "bool", "default": False},
        "persist": {"type": "bool"},
    }
    if kind.holds_ports:
        spec["confirm_timeout"] = {"type": "int", "default": 0}
    if not kind.name:
        spec["from_netns"] = {"type": "str"}
    for option in kind.common + kind.options:
        spec[option.name] = option.argument()
    if kind.paired:
        peer: dict[str, Any] = {"name": {"type": "str"}, "netns": {"type": "str"}}
        peer.update({option.name: option.argument() for option in kind.peer})
        spec["peer"] = {"type": "dict", "options": peer}
    return spec
