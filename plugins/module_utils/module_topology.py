# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The rim of vnet_topology and of the modules of table rows: entries validated by the specs of the modules that make one such thing each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from . import (  # pylint: disable=unused-import
    archive,  # noqa: F401  # for what it does
    desired,
    errors,
    persist,
    plan_rows,
)
from .engine import Change
from .kinds import LINK_KINDS, ROW_KINDS
from .kinds.base import link_spec
from .kinds.bridge_port import port_shown, port_spec
from .kinds.link import LINK
from .kinds.nat import nat_spec
from .kinds.ovs_bridge import ovs_spec
from .kinds.row import RowKind
from .module import (
    FORWARD_SPEC,
    NAMESPACE_SPEC,
    as_written,
    bring_about,
    finish,
    in_one_sentence,
    main,
    misread,
    software,
    start,
)
from .state import State, key_text, nat_shown
from .topology import topology_wants

NOT_IN_ENTRIES = ("state", "persist", "confirm_timeout", "sysctl_file")

MODULE_SPECS: dict[str, dict[str, Any]] = {
    "namespaces": NAMESPACE_SPEC,
    **{kind.plural: link_spec(kind) for kind in (LINK, *LINK_KINDS)},
    **{kind.plural: kind.spec() for kind in ROW_KINDS},
    "ovs_bridges": ovs_spec(),
    "bridge_ports": port_spec(),
    "nats": nat_spec(),
    "forwarding": FORWARD_SPEC,
}

ENTRY_SPECS: dict[str, dict[str, Any]] = {
    plural: {name: option for name, option in spec.items() if name not in NOT_IN_ENTRIES}
    for plural, spec in MODULE_SPECS.items()
}
"""By the option that lists them, the argument spec of an entry."""

TOPOLOGY_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "netns": {"type": "str"},
    "prune": {"type": "bool", "default": True},
    "adopt": {"type": "bool", "default": False},
    "confirm_timeout": {"type": "int", "default": 0},
    "persist": {"type": "bool"},
    **{plural: {"type": "list", "elements": "dict"} for plural in ENTRY_SPECS},
}


def is_plain(entry: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    """Whether every value has the very type that the spec names, so that Ansible's validator would change nothing.

    That validator takes 0.1 ms for an entry, and there are thousands.
    """
    for name, value in entry.items():
        option = spec.get(name)
        if option is None or "choices" in option or type(value).__name__ != option["type"]:
            return False
        if isinstance(value, list) and (
            option["elements"] != "str" or not all(isinstance(item, str) for item in value)
        ):
            return False
    return all(name in entry for name, option in spec.items() if option.get("required"))


def validated(plural: str, entries: list[Any] | None, validator: ArgumentSpecValidator) -> list[dict[str, Any]]:
    """The entries of one list in the types of their spec; Refused begins with the entry and goes on in Ansible's words."""
    spec = ENTRY_SPECS[plural]
    found = []
    for number, entry in enumerate(entries or ()):
        where = f"{plural}[{number}]"
        if not isinstance(entry, dict):
            raise errors.Refused(f"{where}: {entry!r} is not a dictionary of options")
        plain = {name: value for name, value in entry.items() if name != "peer"}
        peer_spec = spec.get("peer", {}).get("options", {})
        if is_plain(plain, spec) and ("peer" not in entry or is_plain_dict(entry["peer"], peer_spec)):
            found.append(entry)
            continue
        result = validator.validate(entry)
        if result.error_messages:
            unknown = f"Unsupported parameters: {', '.join(sorted(map(dotted, result.unsupported_parameters)))}. "
            raise errors.Refused(
                f"{where}: {unknown if result.unsupported_parameters else '; '.join(result.error_messages)}".rstrip()
            )
        problem = misread(spec, entry)
        if problem:
            raise errors.Refused(f"{where}: {problem}")
        found.append(as_written(result.validated_parameters, entry))
    return found


def dotted(parameter: Any) -> str:
    """An option's name with those of the options that it stands in, as Ansible writes it."""
    return parameter if isinstance(parameter, str) else ".".join(parameter)


def is_plain_dict(value: Any, spec: Mapping[str, Any]) -> bool:
    """Whether the value is a dictionary that `is_plain` finds so."""
    return isinstance(value, dict) and is_plain(value, spec)


def rows_shown_briefly(kind: RowKind, wants: tuple[desired.Want, ...]) -> list[str]:
    """The rows of a kind by what identifies them: a thousand of them are not shown in full."""
    rows = [want for want in wants if isinstance(want, desired.RowWant) and want.kind is kind]
    return sorted((f"{want.netns}: " if want.netns else "") + kind.brief(want.key) for want in rows)


def run_topology() -> None:
    """The `main()` of vnet_topology."""
    module, _raw = start(TOPOLOGY_SPEC)
    with in_one_sentence(module):
        params = dict(module.params)
        for plural, spec in ENTRY_SPECS.items():
            params[plural] = validated(plural, module.params[plural], ArgumentSpecValidator(spec))
        topology, wants = topology_wants(params)
        shown = {
            "name": topology.name,
            "link_group": topology.link_group,
            "namespaces": sorted(want.name for want in wants if isinstance(want, desired.NamespaceWant)),
            "links": sorted(key_text(want.key) for want in wants if isinstance(want, desired.LinkWant)),
            "ovs_bridges": sorted(want.name for want in wants if isinstance(want, desired.OvsWant)),
            "bridge_ports": sorted(key_text(want.key) for want in wants if isinstance(want, desired.PortWant)),
            **{kind.plural: rows_shown_briefly(kind, wants) for kind in ROW_KINDS},
            "nats": sorted(key_text(want.key) for want in wants if isinstance(want, desired.NatWant)),
        }
        answer = {"topology": shown if not topology.absent else {}}
        kept = persist.keep(persist.TOPOLOGY, params, None, software)
        change = Change(wants, topology, kept, lambda _state: answer, f"{persist.TOPOLOGY} {topology.name}")
        result, armed = bring_about(module, change, params)
    finish(module, result, {**answer, **armed})


def run_row(kind: RowKind) -> None:
    """The `main()` of a module of table rows."""

    def resource(state: State, want: Any) -> dict[str, Any]:
        found = plan_rows.found(state, want)
        return {kind.name: kind.shown(*found[0]) if found and not want.absent else {}}

    main(kind.module, kind.spec(), partial(desired.row_want, kind), resource)


def run_port() -> None:
    """The `main()` of vnet_bridge_port."""

    def resource(state: State, want: Any) -> dict[str, Any]:
        link = state.link(want.key)
        return {"bridge_port": port_shown(link) if link else {}}

    main("vnet_bridge_port", port_spec(), desired.port_want, resource)


def run_nat() -> None:
    """The `main()` of vnet_nat."""

    def resource(state: State, want: Any) -> dict[str, Any]:
        nat = state.nats.get(want.key)
        return {"nat": nat_shown(nat) if nat else {}}

    main("vnet_nat", nat_spec(), desired.nat_want, resource)


def run_ovs() -> None:
    """The `main()` of vnet_ovs_bridge."""

    def resource(state: State, want: Any) -> dict[str, Any]:
        bridge = state.ovs.get(want.name)
        return {"ovs_bridge": bridge.shown() if bridge else {}}

    main("vnet_ovs_bridge", ovs_spec(), desired.ovs_want, resource)
