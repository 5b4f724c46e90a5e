# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The tool nft: the only file that runs it, but for a look of read_uplink.py's. All of it happens in the network namespace of the calling thread."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from . import errors, nat_table, programs
from .read_nat import nat_of
from .state import Nat

AT_LEAST = (0, 9, 8)
"""That of Debian 11. Before it, lists of what is in a table were wrong in more than one way."""

TABLE_DORMANT = 1
"""NFT_TABLE_F_DORMANT in include/uapi/linux/netfilter/nf_tables.h."""

MISSING = "this host has no 'nft', which address translation needs: install its package nftables"


def program() -> str:
    """The path of nft; Refused where there is none."""
    found = programs.find("nft")
    if found is None:
        raise errors.Refused(MISSING)
    return found


def require() -> None:
    """Raise Refused unless there is an nft that will do."""
    said = call("--version")
    match = re.search(r"v(\d+)\.(\d+)\.(\d+)", said)
    if match and tuple(map(int, match.groups())) < AT_LEAST:
        needed = ".".join(map(str, AT_LEAST))
        raise errors.Refused(f"this host's nft is {match[0][1:]}, and address translation needs {needed} or newer")


def call(*words: str, commands: Sequence[nat_table.Object] | None = None) -> str:
    """What nft prints; Refused with its own words where it fails. `commands` are for its standard input."""
    done = programs.run(program(), *words, text=None if commands is None else json.dumps({"nftables": commands}))
    if done.returncode:
        raise errors.Refused(in_one_sentence(done.stderr, done.returncode))
    return done.stdout


def in_one_sentence(stderr: str, code: int) -> str:
    """What nft complained of, and what can be done about that."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    said = next((line for line in lines if "rror" in line), lines[0] if lines else f"it ended with {code}")
    said = re.sub(r"^(\S+: )?Error: |^internal:\S+ Error: ", "", said).rstrip(".")
    hint = ""
    if "JSON support not compiled" in said:
        hint = ": it needs an nft that was built with JSON, as distributions have it"
    elif "not supported" in said.lower() or "No such file" in said:
        hint = ": the running kernel may lack nf_tables, its nat, or its fib"
    elif "not permitted" in said:
        hint = ": changing it needs root, add 'become: true'"
    return f"nft says '{said}'{hint}"


def read(netns: str, name: str, flags: int = 0) -> Nat:
    """The address translation of this name, which is there. `netns` is what the namespace is called, `flags` are the table's."""
    listed: dict[str, Any] = json.loads(call("-j", "list", "table", "inet", nat_table.table_name(name)))
    return nat_of(netns, name, listed.get("nftables", []), bool(flags & TABLE_DORMANT))


def replace(nat: Nat) -> None:
    """Make the table of an address translation, in place of what is there of its name, in one transaction."""
    call("-j", "-f", "-", commands=nat_table.replacing(nat))
    if nat_table.is_dormant(nat):
        call(f"add table inet {nat_table.table_name(nat.name)} {{ flags {nat_table.DORMANT}; }}")


def delete(name: str) -> None:
    """Delete the table of this name, if it is there."""
    call("-j", "-f", "-", commands=nat_table.deleting(name))
