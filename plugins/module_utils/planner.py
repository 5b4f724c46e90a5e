# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What the phases of the plan work on: the model, the wants, and the steps so far."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from . import desired
from .kinds import ROWS
from .later import Later

if TYPE_CHECKING:
    from collections.abc import Mapping

    from . import operations, persist
    from . import uplink as uplinks
    from .state import Addr, Key, State
    from .topology import Topology
else:
    uplinks = Later("uplink")


class Step(NamedTuple):
    """An operation, and what puts back what it changes."""

    operation: operations.Operation
    undo: tuple[operations.Operation, ...]


def remembered(state: State, bridge: Key) -> uplinks.Record:
    """What is remembered of a bridge's uplink."""
    return uplinks.Record.read(state.text(uplinks.path_of(bridge)) or state.text(uplinks.kept_path(bridge)))


class Planner:
    """The model, the steps so far, and the wants, for the phases to work on."""

    def __init__(
        self,
        current: State,
        wants: tuple[desired.Want, ...],
        topology: Topology | None = None,
        keep: persist.Keep | None = None,
    ) -> None:
        self.before = current.copy()
        self.model = current.copy()
        self.wants = wants
        self.topology = topology
        self.keep = keep
        self.steps: list[Step] = []
        self.missing: list[str] = []
        self.asked: dict[Key, set[str]] = {}
        self.told: dict[tuple[Key, str], tuple[Any, Any]] = {}
        """What bridges were told of their ports, by (port, option): the value before, and the one asked for."""
        self.settled: set[Key] = set()
        """The sysctls that are wanted, (namespace, key) of each."""

    def do(self, operation: operations.Operation) -> None:
        undo = operation.inverse(self.model)
        operation.simulate(self.model)
        self.steps.append(Step(operation, undo))

    def do_first(self, operation: operations.Operation) -> None:
        """Do it before all that is planned so far, on the host as it is then."""
        undo = operation.inverse(self.before)
        operation.simulate(self.model)
        self.steps.insert(0, Step(operation, undo))

    def undo_also(self, number: int, operation: operations.Operation) -> None:
        """Let the undoing of a step end with something that is no inverse of its own."""
        step = self.steps[number]
        self.steps[number] = step._replace(undo=(*step.undo, operation))

    def lack(self, where: str, sentence: str) -> None:
        """Note a reference to what is not there."""
        sentence = f"{where}: {sentence}" if where else sentence
        if sentence not in self.missing:
            self.missing.append(sentence)

    def netns_exists(self, where: str, name: str, option: str = "netns") -> None:
        if not self.model.has_netns(name):
            how = "list it under 'namespaces'" if self.topology else "make it with vnet_netns first"
            self.lack(where, f"{option}: there is no network namespace {name!r} on this host: {how}")
            # So that the rest of a check run is about the host that will be; in both, as it is not this run's to make.
            self.model.namespaces[name] = self.before.namespaces[name] = {}

    def uplink_record(self, bridge: Key) -> uplinks.Record:
        """What is remembered of a bridge's uplink; nothing where there was no such bridge, whatever a file says."""
        if not self.before.link(bridge):
            return uplinks.Record()
        return remembered(self.before, bridge)

    def uplink_record_after(self, bridge: Key) -> uplinks.Record:
        """What will be remembered of it."""
        return remembered(self.model, bridge)

    def kept_uplink(self, bridge: Key) -> uplinks.KeptUplink | None:
        """How the uplink of a bridge that comes back at boot was configured before."""
        paths = (uplinks.kept_path(bridge), uplinks.unconfirmed_path(bridge))
        found = (uplinks.KeptUplink.read(path, self.before.text(path)) for path in paths)
        return next((kept for kept in found if kept), None)

    def persists(self, want: desired.LinkWant) -> bool:
        """Whether a bridge with an uplink is one that shall come back at boot."""
        entries = [entry for entry in self.keep.entries if entry.is_about(want)] if self.keep else []
        for entry in entries:
            if entry.persist is not None:
                return entry.persist
            if entry.want is None and self.before.text(entry.path) is not None:
                return True
        return self.kept_uplink(want.key) is not None

    def passing(self, bridge: Key) -> set[str]:
        """The addresses that a bridge will take over from its uplink."""
        uplinks = [self.model.link((bridge[0], name)) for name in self._uplinks.get(bridge, ())]
        return {addr.cidr for uplink in uplinks if uplink for addr in uplink.addresses}

    def is_source(self, key: Key, addr: Addr) -> bool:
        """Whether a route of this very run names the address as its source, for which it has to have passed detection."""
        return (key[0], addr.cidr.split("/")[0]) in self._sources

    @cached_property
    def _sources(self) -> set[tuple[str, str]]:
        return {(want.netns, want.said["source"]) for want in self.rows if want.said.get("source") and not want.absent}

    @cached_property
    def _uplinks(self) -> Mapping[Key, set[str]]:
        """The uplinks asked for, by bridge."""
        found: dict[Key, set[str]] = {}
        for want in self.links:
            if want.options.get("uplink"):
                found.setdefault(want.key, set()).add(want.options["uplink"])
        return found

    @cached_property
    def links(self) -> list[desired.LinkWant]:
        return [want for want in self.wants if isinstance(want, desired.LinkWant)]

    @property
    def ports(self) -> list[desired.PortWant]:
        return [want for want in self.wants if isinstance(want, desired.PortWant)]

    @property
    def rows(self) -> list[desired.RowWant]:
        """In the order in which rows are made."""
        rows = [want for want in self.wants if isinstance(want, desired.RowWant)]
        return sorted(rows, key=lambda want: ROWS.index(want.kind.name))

    @property
    def nats(self) -> list[desired.NatWant]:
        return [want for want in self.wants if isinstance(want, desired.NatWant)]

    @property
    def ovs_bridges(self) -> list[desired.OvsWant]:
        return [want for want in self.wants if isinstance(want, desired.OvsWant)]

    @property
    def namespaces(self) -> list[desired.NamespaceWant]:
        return [want for want in self.wants if isinstance(want, desired.NamespaceWant)]

    @property
    def forwardings(self) -> list[desired.ForwardWant]:
        return [want for want in self.wants if isinstance(want, desired.ForwardWant)]
