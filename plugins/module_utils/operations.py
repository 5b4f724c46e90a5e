# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations that a plan is made of.

Here are those on namespaces and sysctls; link_operations.py has those on links, attachments.py those on what is
attached to links, file_operations.py those on files. Each is a plain value that knows three things: what it does to the model
of the host (`simulate`), what undoes it (`inverse`, asked before it is done), and the command line that would do the
same (`command`). Carrying it out is apply.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .later import Later
from .state import OF_LOOPBACK, Link, State
from .sysctl import DISABLE_IPV6
from .values import quoted

if TYPE_CHECKING:
    from . import attachments
else:
    attachments = Later("attachments")


def ip(netns: str, *words: str) -> str:
    """Join words to a command line of iproute2, in a namespace where one is named."""
    return " ".join(["ip", *(["-n", quoted(netns)] if netns else []), *(word for word in words if word)])


class Operation:
    """Base of all operations."""

    def simulate(self, model: State) -> None:
        raise NotImplementedError

    def inverse(self, model: State) -> tuple[Operation, ...]:
        raise NotImplementedError

    def command(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class NamespaceAdd(Operation):
    """Make a named namespace; with an `owner` its mark is on it before it has its name."""

    name: str
    owner: str = ""
    loopback: bool = False

    def simulate(self, model: State) -> None:
        model.namespaces[self.name] = {"owner": self.owner} if self.owner else {}
        admin_state = "up" if self.loopback else "down"
        addresses = OF_LOOPBACK if self.loopback else ()
        model.put(Link(self.name, "lo", "loopback", {"admin_state": admin_state, "alias": self.owner}, addresses))

    def inverse(self, model: State) -> tuple[Operation, ...]:
        return (NamespaceDelete(self.name),)

    def command(self) -> str:
        words = ["alias", quoted(self.owner)] if self.owner else []
        words += ["up"] if self.loopback else []
        then = f" && {ip(self.name, 'link set dev lo', *words)}" if words else ""
        return f"ip netns add {quoted(self.name)}{then}"


@dataclass(frozen=True)
class NamespaceDelete(Operation):
    """Its inverse is exact as long as something holds the namespace open: see apply.py."""

    name: str

    def simulate(self, model: State) -> None:
        model.namespaces.pop(self.name, None)
        gone = model.links_in(self.name)
        while gone:
            link = gone.pop()
            model.links[link.key] = None
            if link.peer and model.links.get(link.peer):
                model.links[link.peer] = None
            gone += [upper for upper in model.uppers(link.key) if upper.netns != self.name]
        for key in [key for key in model.rows if key[1] == self.name]:
            model.rows[key] = None
        for place in [place for place in model.nats if place[0] == self.name]:
            model.nats[place] = None

    def inverse(self, model: State) -> tuple[Operation, ...]:
        return (NamespaceRestore(self.name),)

    def command(self) -> str:
        return f"ip netns delete {quoted(self.name)}"


@dataclass(frozen=True)
class NamespaceRestore(Operation):
    """Give a namespace its name back. Only ever an inverse, so its content need not be modelled."""

    name: str

    def simulate(self, model: State) -> None:
        model.namespaces[self.name] = {}

    def inverse(self, model: State) -> tuple[Operation, ...]:
        return (NamespaceDelete(self.name),)

    def command(self) -> str:
        return f"ip netns attach {quoted(self.name)}"


@dataclass(frozen=True)
class SysctlSet(Operation):
    """Write one value under /proc/sys. `key` is with dots, but a device's own dots: see sysctl.py.

    `passes`: it is not asked for, but passes from one device to another, so no topology remembers it as its own.
    """

    netns: str
    key: str
    value: str
    passes: bool = False

    def simulate(self, model: State) -> None:
        effects = sysctl_effects(model, self.netns, self.key, self.value)
        for link in losing_ipv6(model, self.netns, effects):
            model.put(link.without_ipv6())
        for key, value in effects.items():
            model.sysctls[self.netns, key] = value

    def inverse(self, model: State) -> tuple[Operation, ...]:
        before = {key: value for (netns, key), value in model.sysctls.items() if netns == self.netns}
        if self.key not in before:
            return ()
        after = model.copy()
        losing = losing_ipv6(model, self.netns, sysctl_effects(model, self.netns, self.key, self.value))
        self.simulate(after)
        back: tuple[Operation, ...] = (SysctlSet(self.netns, self.key, before[self.key]),)
        back[0].simulate(after)
        # Writing the old value back has side effects of its own: end with all that then still differs.
        back += tuple(
            SysctlSet(self.netns, key, value)
            for key, value in before.items()
            if after.sysctls.get((self.netns, key)) != value
        )
        for link in losing:
            back += attachments.put_back(link, link.without_ipv6())
        return back

    def command(self) -> str:
        prefix = f"ip netns exec {quoted(self.netns)} " if self.netns else ""
        return f"{prefix}sysctl -w {quoted(self.key + '=' + self.value)}"


def sysctl_effects(model: State, netns: str, key: str, value: str) -> dict[str, str]:
    """What else changes with a sysctl: `inet_forward_change()` and `addrconf_fixup_forwarding()` in the kernel."""
    effects = {key: value}
    known = [name for (space, name) in model.sysctls if space == netns]
    unchanged = model.sysctls.get((netns, key)) == value
    if key in ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"):
        if not unchanged:
            effects.update(
                {name: value for name in known if name.startswith("net.ipv4.conf.") and name.endswith(".forwarding")}
            )
            effects["net.ipv4.ip_forward"] = value
            effects["net.ipv4.conf.all.accept_redirects"] = "0" if value == "1" else "1"
    elif key == "net.ipv6.conf.all.forwarding":
        if value == "0" and not unchanged:
            effects.update({name: "0" for name in known if name.endswith(".force_forwarding")})
        effects.update(
            {name: value for name in known if name.startswith("net.ipv6.conf.") and name.endswith(".forwarding")}
        )
    elif key == "net.ipv6.conf.all" + DISABLE_IPV6:
        effects.update({name: value for name in known if name.endswith(DISABLE_IPV6)})
    return {name: new for name, new in effects.items() if name == key or name in known}


def losing_ipv6(model: State, netns: str, effects: Mapping[str, str]) -> list[Link]:
    """The links from which sysctls take all of IPv6 (`addrconf_disable_change()` in the kernel)."""
    links = [
        model.link((netns, key[len("net.ipv6.conf.") : -len(DISABLE_IPV6)].replace("/", ".")))
        for key, value in effects.items()
        if key.endswith(DISABLE_IPV6) and value == "1" and model.sysctls.get((netns, key)) == "0"
    ]
    return [link for link in links if link]
