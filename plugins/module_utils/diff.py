# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What differs between two states, in the options' words: one half of Ansible's diff at a time."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from . import kinds, sysctl
from .kinds.bridge_port import PORT_INITIAL, port_shown
from .rows import HANGS_ON_LINK
from .state import FileContent, Key, Link, State, Symlink, key_text, link_shown, nat_shown


def half(state: State, other: State, asked: Mapping[Key, set[str]]) -> dict[str, Any]:
    """What `state` has that `other` has not, or has otherwise. `asked`: by link, the options that were spoken of."""
    parts = {
        "namespaces": {name: {"name": name} for name in sorted(set(state.namespaces) - set(other.namespaces))},
        "links": dict(_links(state, other, asked)),
        "bridge_ports": dict(_ports(state, other)),
        **{kind.plural: list(_rows(kind.name, state, other)) for kind in (kinds.ROW_KINDS if state.rows else ())},
        "nats": {key_text(k): nat_shown(v) for k, v in sorted(state.nats.items()) if v and v != other.nats.get(k)},
        "ovs_bridges": {k: v.shown() for k, v in sorted(state.ovs.items()) if v and v != other.ovs.get(k)},
        "sysctls": {
            key_text(k): v
            for k, v in sorted(state.sysctls.items())
            if other.sysctls.get(k) != v and not _went_with_device(state, *k)
        },
        "files": {
            path: _content(path, v)
            for path, v in sorted(state.files.items())
            if v is not None and v != other.files.get(path)
        },
    }
    return {name: part for name, part in parts.items() if part}


def _links(state: State, other: State, asked: Mapping[Key, set[str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, link in sorted(state.links.items()):
        if link is None:
            continue
        if _without_rows(state, link) != _without_rows(other, other.links.get(key)):
            # A namespace's `lo` comes and goes with it, and needs no mention unless something is asked of it.
            shown = _without_rows(state, link)
            if shown and (link.kind != "loopback" or other.links.get(key) or key in asked):
                yield key_text(key), link_shown(state, shown, asked.get(key, set()), routes=True)
        elif link.kind == "bridge" and state.ports(key) != other.ports(key):
            yield key_text(key), {"name": key[1], "kind": "bridge", "ports": state.ports(key)}


def _ports(state: State, other: State) -> Iterator[tuple[str, dict[str, Any]]]:
    """What bridges know of their ports, as far as it differs."""
    for key, link in sorted(state.links.items()):
        before = other.links.get(key)
        if link and before and link.get("master") == before.get("master"):
            # One that joins anew is told no more than what is not usual.
            usual = PORT_INITIAL if link.port or before.port else {}
            port, was = (port_shown(replace(one, port={**usual, **one.port})) for one in (link, before))
            differing = {name: value for name, value in port.items() if was.get(name, value) != value}
            if differing:
                yield key_text(key), {"name": port["name"], **differing}


def _without_rows(state: State, link: Link | None) -> Link | None:
    """A link without what is told of by itself: rows of tables, and what a bridge knows of it."""
    if link is None:
        return None
    kept = {
        held: tuple(row for row in getattr(link, held) if row.key(*link.key) not in state.rows)
        for held in HANGS_ON_LINK.values()
    }
    return replace(link, port={}, vlans=()).holding(**kept)


def _rows(kind: str, state: State, other: State) -> Iterator[str]:
    """Rows as the commands of iproute2 have them behind the verb."""
    changed = [key for key, row in state.rows.items() if key[0] == kind and row and row != other.rows.get(key)]
    for key in sorted(changed):
        row = state.rows[key]
        if row:
            device = str(key[2]) if kind in ("neighbor", "fdb") else ""
            yield (f"{key[1]}: " if key[1] else "") + row.text(device)


def _went_with_device(state: State, netns: str, key: str) -> bool:
    """Whether a sysctl is that of a device which is not there."""
    device = (netns, key.split(".")[3].replace("/", ".")) if sysctl.is_of_device(key) else ("", "")
    return device in state.links and state.links[device] is None


def _content(path: str, content: FileContent) -> Any:
    """What a diff can show line by line; and of what is no text, what tells it from another one."""
    if isinstance(content, Symlink):
        return f"-> {content.target}"
    if not isinstance(content, str):
        return f"{len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}"
    if path.endswith(".json"):
        with contextlib.suppress(ValueError):  # a corrupt one is replaced
            return json.loads(content)
    return content.splitlines()
