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
from dataclasses import dataclass
from typing import Any

from . import plan_addresses, plan_host, plan_links, plan_routes, plan_topology
from .desired import Want
from .planner import Planner, Step
from .state import Key, State, key_text, link_shown, route_text
from .topology import Topology


@dataclass(frozen=True)
class Plan:
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
        return {"before": self._shown(self.before, self.after), "after": self._shown(self.after, self.before)}

    def _shown(self, state: State, other: State) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        if not self.steps:
            return shown
        for name in sorted(set(state.namespaces) - set(other.namespaces)):
            shown.setdefault("namespaces", {})[name] = {"name": name}
        for key, link in sorted(state.links.items()):
            if link and link != other.links.get(key) and not (link.kind == "loopback" and key not in other.links):
                shown.setdefault("links", {})[key_text(key)] = link_shown(
                    state, link, self.asked.get(key, set()), routes=True
                )
        for place, route in sorted(state.routes.items()):
            if route and route != other.routes.get(place):
                shown.setdefault("routes", []).append((f"{place[0]}: " if place[0] else "") + route_text(route))
        for setting, value in sorted(state.sysctls.items()):
            if other.sysctls.get(setting) != value:
                shown.setdefault("sysctls", {})[key_text(setting)] = value
        for path, content in sorted(state.files.items()):
            if content is not None and content != other.files.get(path):
                shown.setdefault("files", {})[path] = content
        for bridge in sorted(key for key, link in state.links.items() if link and link.kind == "bridge"):
            if other.links.get(bridge) == state.links[bridge] and state.ports(bridge) != other.ports(bridge):
                entry = {"name": bridge[1], "kind": "bridge", "ports": state.ports(bridge)}
                shown.setdefault("links", {})[key_text(bridge)] = entry
        return shown


def plan(current: State, wants: tuple[Want, ...], topology: Topology | None = None) -> Plan:
    """Plan the way from `current` to what `wants` ask for; raise Refused where there is none.

    With a `topology`, what it made before and is not among the wants goes.
    """
    if topology:
        wants = plan_topology.claimed(current, wants, topology, lambda want: len(plan(current, (want,)).steps))
    planner = Planner(current, wants, topology)
    plan_host.make_namespaces(planner)
    plan_links.make_links(planner)
    plan_links.move_peers(planner)
    plan_links.change_links(planner)
    plan_links.assign_ports(planner)
    plan_addresses.assign(planner)
    plan_links.bring_up(planner)
    plan_host.set_sysctls(planner)
    plan_addresses.replicate(planner)
    plan_routes.assign(planner)
    plan_topology.check_limits(planner)
    plan_host.forward(planner)
    plan_routes.delete(planner)
    plan_links.delete_links(planner)
    plan_host.delete_namespaces(planner)
    plan_host.keep_files(planner)
    plan_topology.prune(planner)
    return Plan(planner.before, planner.model, tuple(planner.steps), tuple(planner.missing), planner.asked)
