# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What differs between two states, in the options' words: one half of Ansible's diff at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from .state import FileContent, Key, State, Symlink, key_text, link_shown, nat_shown, route_text


def half(state: State, other: State, asked: Mapping[Key, set[str]]) -> dict[str, Any]:
    """What `state` has that `other` has not, or has otherwise. `asked`: by link, the options that were spoken of."""
    parts = {
        "namespaces": {name: {"name": name} for name in sorted(set(state.namespaces) - set(other.namespaces))},
        "links": dict(_links(state, other, asked)),
        "routes": list(_routes(state, other)),
        "nats": {key_text(k): nat_shown(v) for k, v in sorted(state.nats.items()) if v and v != other.nats.get(k)},
        "sysctls": {key_text(k): v for k, v in sorted(state.sysctls.items()) if other.sysctls.get(k) != v},
        "files": {
            path: _content(v) for path, v in sorted(state.files.items()) if v is not None and v != other.files.get(path)
        },
    }
    return {name: part for name, part in parts.items() if part}


def _links(state: State, other: State, asked: Mapping[Key, set[str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, link in sorted(state.links.items()):
        if link is None:
            continue
        if link != other.links.get(key):
            # A namespace's `lo` goes with it, and needs no mention.
            if link.kind != "loopback" or key in other.links:
                yield key_text(key), link_shown(state, link, asked.get(key, set()), routes=True)
        elif link.kind == "bridge" and state.ports(key) != other.ports(key):
            yield key_text(key), {"name": key[1], "kind": "bridge", "ports": state.ports(key)}


def _routes(state: State, other: State) -> Iterator[str]:
    for key, route in sorted(state.routes.items()):
        if route and route != other.routes.get(key):
            yield (f"{key[0]}: " if key[0] else "") + route_text(route)


def _content(content: FileContent) -> str:
    """Of what is no text, what tells it from another one."""
    if isinstance(content, Symlink):
        return f"-> {content.target}"
    return (
        content if isinstance(content, str) else f"{len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}"
    )
