# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The plan: from what is and what should be to the operations between them.

The planner keeps a model of the host. Each phase looks at the model, does the operations that are missing *on the
model*, and notes them with what would undo them. So a later phase sees what an earlier one will have done, side
effects included; the diff is the model before and after; check mode prints the very list that a real run carries
out. There is no I/O here and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from . import desired, plan_addresses, plan_host, plan_links
from .later import Later
from .planner import Planner, Step

if TYPE_CHECKING:
    from . import (
        diff,
        persist,
        plan_nat,
        plan_ovs,
        plan_owner,
        plan_persist,
        plan_ports,
        plan_rows,
        plan_topology,
        plan_uplink,
        plan_vnis,
    )
    from . import topology as topologies
    from . import uplink as uplinks
    from .state import Key, State
    from .topology import Topology
else:
    diff, plan_nat, plan_owner = Later("diff"), Later("plan_nat"), Later("plan_owner")
    plan_topology, plan_uplink, plan_ovs = Later("plan_topology"), Later("plan_uplink"), Later("plan_ovs")
    plan_persist, plan_ports, plan_rows = Later("plan_persist"), Later("plan_ports"), Later("plan_rows")
    plan_vnis, topologies, uplinks = Later("plan_vnis"), Later("topology"), Later("uplink")


class Plan(NamedTuple):
    """What to do. `missing` names what the wants refer to and the host has not: a failure, or in check mode a warning."""

    before: State
    after: State
    steps: tuple[Step, ...]
    missing: tuple[str, ...]
    asked: Mapping[Key, set[str]]

    @property
    def commands(self) -> list[str]:
        return [step.operation.command() for step in self.steps]

    def diff(self) -> dict[str, Any]:
        """`before` and `after`: the touched resources only, in the options' words."""
        if not self.steps:
            return {"before": {}, "after": {}}
        return {
            "before": diff.half(self.before, self.after, self.asked),
            "after": diff.half(self.after, self.before, self.asked),
        }


def plan(  # noqa: C901, PLR0912, PLR0915  # each branch is only whether a phase has anything to do, and need be loaded
    current: State, wants: tuple[desired.Want, ...], topology: Topology | None = None, keep: persist.Keep | None = None
) -> Plan:
    """Plan the way from `current` to what `wants` ask for; raise Refused where there is none.

    With a `topology`, what it made before and is not among the wants goes. `keep`: what is kept for the next boot.
    """
    if len(wants) > 1:
        topologies.check_names(wants)
    with_uplinks = about_uplinks(current, wants)
    if with_uplinks:
        wants = plan_uplink.implied(current, wants)
    if topology:
        wants = plan_topology.claimed(current, wants, topology, lambda want: plan(current, (want,)).commands)
    planner = Planner(current, wants, topology, keep)
    plan_host.make_namespaces(planner)
    if planner.nats:
        plan_nat.assign(planner)
    plan_host.set_up_namespaces(planner)
    if topology:
        plan_topology.clear_the_way(planner)
    if planner.ovs_bridges:
        plan_ovs.make(planner)
    plan_links.bring_about(planner)
    if planner.ports:
        plan_ports.assign(planner)
    if planner.ovs_bridges:
        plan_ovs.assign(planner)
    if with_uplinks:
        plan_uplink.let_go(planner)
    plan_addresses.assign(planner)
    plan_links.bring_up(planner)
    if with_uplinks:
        plan_uplink.take(planner)
        plan_ports.assign(planner, uplinks=True)
    plan_links.span_trees(planner)
    plan_host.set_sysctls(planner)
    if any("vnis" in want.options for want in planner.links):
        plan_vnis.assign(planner)
    plan_addresses.replicate(planner)
    if planner.rows:
        plan_rows.assign(planner)
    plan_links.check_limits(planner)
    plan_host.forward(planner)
    if planner.rows:
        plan_rows.delete(planner)
    if planner.nats:
        plan_nat.delete(planner)
    if planner.ovs_bridges:
        plan_ovs.delete(planner)
    going = plan_topology.bridges_going(planner) if topology else []
    if with_uplinks:
        plan_uplink.give_back_all(planner, going)
    plan_links.delete_links(planner)
    plan_host.delete_namespaces(planner)
    plan_host.keep_files(planner)
    if topology:
        plan_topology.prune(planner)
    if with_uplinks:
        plan_owner.keep(planner, going)
    if keeps(current, keep):
        plan_persist.keep(planner)
    plan_addresses.undo_routes_late(planner)
    return Plan(planner.before, planner.model, tuple(planner.steps), tuple(planner.missing), planner.asked)


def about_uplinks(current: State, wants: tuple[desired.Want, ...]) -> bool:
    """Whether some bridge has an uplink, or shall have one."""
    return any(isinstance(want, desired.LinkWant) and want.options.get("uplink") for want in wants) or any(
        content and path.startswith((uplinks.RECORDS, uplinks.KEPT, uplinks.UNCONFIRMED))
        for path, content in current.files.items()
    )


def keeps(current: State, keep: persist.Keep | None) -> bool:
    """Whether something is kept for the next boot, or shall be."""
    return keep is not None and (
        any(entry.persist for entry in keep.entries) or any(content is not None for content in current.files.values())
    )
