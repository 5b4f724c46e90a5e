# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine's own network looks like, in a form that reads the same as long as nobody changes it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from throwaway_host import PATH

QUERIES = {
    "links": "ip -j -d link show",
    "addresses": "ip -j -d addr show",
    "routes4": "ip -j -d -4 route show table all",
    "routes6": "ip -j -d -6 route show table all",
    "rules4": "ip -j -d -4 rule show",
    "rules6": "ip -j -d -6 rule show",
    "nft": "nft -j list ruleset",
}

# Clocks and counters, which move while nothing is changed.
VOLATILE = {
    "age",
    "bytes",
    "expires",
    "fdb_n_learned",
    "forward_delay_timer",
    "gc_timer",
    "hello_timer",
    "hold_timer",
    "message_age_timer",
    "packets",
    "preferred_life_time",
    "tcn_timer",
    "topology_change_timer",
    "used",
    "users",
    "valid_life_time",
}

# Sysctls that aren't settings: a count of connections, and keys that the kernel draws at random on first use.
NOT_SETTINGS = re.compile(r"net\.(netfilter\.nf_conntrack_count|core\.netdev_rss_key|ipv[46]\.tcp_fastopen_key)")

# Sysctls of an interface: new ones mean that one appeared. Others appear when a module is loaded.
OF_AN_INTERFACE = re.compile(r"net\.(ipv[46]|mpls)\.(conf|neigh)\.")

FILES = ("/etc/sysctl.d", "/etc/netns", "/etc/vnet", "/etc/iproute2")


def snapshot() -> dict[str, Any]:
    """Return links, addresses, routes, rules, nft ruleset, sysctls, named namespaces and hashes of files.

    What can't be read (nft without root) is None.
    """
    taken: dict[str, Any] = {name: _query(command) for name, command in QUERIES.items()}
    taken["sysctls"] = _sysctls()
    taken["namespaces"] = _names(Path("/run/netns"))
    taken["files"] = {path: _hash(Path(path)) for path in FILES}
    return taken


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one line for each thing that changed between two snapshots.

    New sysctls count only where they belong to an interface: others mean that a kernel module was loaded.
    """
    old, new = before["sysctls"], after["sysctls"]
    lines = [
        f"{part}: {json.dumps(before[part], sort_keys=True)} -> {json.dumps(after[part], sort_keys=True)}"
        for part in sorted(set(after) - {"sysctls"})
        if before[part] != after[part]
    ]
    return lines + [
        f"{key}: {old.get(key)!r} -> {new.get(key)!r}"
        for key in sorted(set(old) | set(new))
        if old.get(key) != new.get(key) and (key in old or OF_AN_INTERFACE.match(key))
    ]


def _query(command: str) -> Any:
    try:
        environment = {"PATH": PATH, "LANG": "C.UTF-8"}
        done = subprocess.run(command.split(), capture_output=True, text=True, check=True, env=environment)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return _settle(json.loads(done.stdout or "[]"))


def _settle(value: Any) -> Any:
    """Take the volatile members out of a JSON value, at every depth."""
    if isinstance(value, dict):
        return {key: _settle(member) for key, member in value.items() if key not in VOLATILE}
    return [_settle(member) for member in value] if isinstance(value, list) else value


def _sysctls() -> dict[str, str]:
    found = {}
    for directory, _subdirectories, files in os.walk("/proc/sys/net"):
        for file in files:
            path = Path(directory, file)
            key = str(path.relative_to("/proc/sys")).replace("/", ".")
            if NOT_SETTINGS.fullmatch(key):
                continue
            try:
                found[key] = path.read_text(encoding="utf-8", errors="replace").strip()
            except OSError:
                continue  # some are for writing only, some for root only
    return found


def _names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir()) if directory.is_dir() else []


def _hash(directory: Path) -> str:
    """Return a hash of the names and contents under a directory, empty if there is none."""
    if not directory.is_dir():
        return ""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        digest.update(f"{path}\0".encode())
        if path.is_file():
            try:
                digest.update(hashlib.sha256(path.read_bytes()).digest())
            except PermissionError:
                digest.update(b"unreadable")
    return digest.hexdigest()
