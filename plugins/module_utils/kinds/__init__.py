# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The kinds that the collection knows. The imports are static, as a module's payload holds only what is imported by name."""

from __future__ import annotations

from .base import LinkKind
from .bridge import BRIDGE
from .dummy import DUMMY
from .fdb import FDB
from .geneve import GENEVE
from .ipvlan import IPVLAN
from .link import LINK
from .macvlan import MACVLAN
from .neighbor import NEIGHBOR
from .route import ROUTE
from .row import RowKind
from .rule import RULE
from .tuntap import TUNTAP
from .veth import VETH
from .vlan import VLAN
from .vrf import VRF
from .vxlan import VXLAN

LINK_KINDS: tuple[LinkKind, ...] = (
    VRF,
    BRIDGE,
    DUMMY,
    VETH,
    TUNTAP,
    VXLAN,
    GENEVE,
    MACVLAN,
    IPVLAN,
    VLAN,
)

ROW_KINDS: tuple[RowKind, ...] = (NEIGHBOR, FDB, ROUTE, RULE)
"""In the order in which rows are made: a rule leads to a table with routes in it."""

BY_NETLINK: dict[str, LinkKind] = {name: kind for kind in LINK_KINDS for name in (kind.netlink, kind.tap_info) if name}
"""The kinds by what netlink calls them (`IFLA_INFO_KIND`)."""


def kind_of(netlink: str) -> LinkKind:
    """The kind by its netlink name; one that has only what all links share for those that are not ours to make."""
    return BY_NETLINK.get(netlink, LINK)
