# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""From what `persist` keeps to wants: by module, what makes one of its options. All kinds are loaded with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Callable

from . import desired
from .kinds import LINK_KINDS, ROW_KINDS
from .kinds.link import LINK

PARSERS: dict[str, Callable[[Mapping[str, Any], str], desired.Want]] = {
    "vnet_netns": desired.namespace_want,
    "vnet_nat": desired.nat_want,  # so that what it isolates never is without that
    **{kind.module: partial(desired.link_want, kind) for kind in (*LINK_KINDS, LINK)},
    "vnet_ovs_bridge": desired.ovs_want,
    "vnet_bridge_port": desired.port_want,
    **{kind.module: partial(desired.row_want, kind) for kind in ROW_KINDS},
    "vnet_sysctl_forward": desired.forward_want,
}
"""By module, what makes a want of its options, in the order in which they are best restored."""
