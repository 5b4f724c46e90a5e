# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phase of the plan that says which VNIs a VXLAN device with a VNI filter takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from .later import Later
from .plan_stack import prefix
from .planner import Planner
from .state import key_text, vni_spans

if TYPE_CHECKING:
    from . import vni_operations
else:
    vni_operations = Later("vni_operations")


def assign(planner: Planner) -> None:
    """Take away the VNIs that are not listed, and give those that are missing or have another remote."""
    for want in planner.links:
        link = planner.model.link(want.key)
        if want.absent or link is None or "vnis" not in want.options:
            continue
        if not link.get("vnifilter"):
            if want.options["vnis"]:
                raise errors.Refused(
                    f"{prefix(want)}vnis: {key_text(want.key)} takes but one VNI, as 'vnifilter' is off"
                )
            continue
        wanted = want.options["vnis"]
        numbers = {vni.vni for vni in wanted}
        # The kernel can't take a remote off a VNI, and of one that it exchanges it keeps the FDB entry: such a VNI is made anew.
        going = [
            vni
            for vni in set(link.vnis) - set(wanted)
            if (vni.remote if vni.vni in numbers else "vnis" not in want.append)
        ]
        for vni, last in vni_spans(vni._replace(remote="") for vni in going):
            planner.do(vni_operations.VniDelete(*want.key, vni, last))
        left = planner.model.link(want.key)
        for vni, last in vni_spans(set(wanted) - set(left.vnis if left else ())):
            planner.do(vni_operations.VniAdd(*want.key, vni, last))
