# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The kinds that the collection knows. Each is loaded when it is first asked for: most tasks are about one or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import archive  # noqa: F401  # for what it does
from ..later import Later
from .base import LinkKind
from .link import LINK

if TYPE_CHECKING:
    # A module's payload holds only what is imported by name.
    from . import bridge, dummy, fdb, geneve, ipvlan, macvlan, neighbor, route, rule, tuntap, veth, vlan, vrf, vxlan  # noqa: F401
    from .row import RowKind

    LINK_KINDS: tuple[LinkKind, ...]
    ROW_KINDS: tuple[RowKind, ...]

LINKS = ("vrf", "bridge", "dummy", "veth", "tuntap", "vxlan", "geneve", "macvlan", "ipvlan", "vlan")
ROWS = ("neighbor", "fdb", "route", "rule")
"""In the order in which rows are made: a rule leads to a table with routes in it."""

BY_NETLINK = {
    **{name: name for name in LINKS if name != "tuntap"},
    "tun": "tuntap",
    "macvtap": "macvlan",
    "ipvtap": "ipvlan",
}
"""By what netlink calls a kind (`IFLA_INFO_KIND`), the file here that knows it."""

_files = {file: Later(f"kinds.{file}") for file in (*LINKS, *ROWS)}
_loaded: dict[str, LinkKind] = {}


def kind_of(netlink: str) -> LinkKind:
    """The kind by its netlink name; one that has only what all links share for those that are not ours to make."""
    if netlink not in _loaded:
        _loaded[netlink] = _from(BY_NETLINK[netlink]) if netlink in BY_NETLINK else LINK
    return _loaded[netlink]


def __getattr__(name: str) -> Any:
    """`LINK_KINDS` and `ROW_KINDS`: all of them."""
    lists = {"LINK_KINDS": LINKS, "ROW_KINDS": ROWS}
    if name not in lists:
        raise AttributeError(name)
    globals()[name] = found = tuple(_from(file) for file in lists[name])
    return found


def _from(file: str) -> Any:
    """The kind that a file here has, under its name in capitals."""
    return getattr(_files[file], file.upper())
