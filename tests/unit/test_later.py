# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task loads what it needs and no more, as its sources are compiled anew on the host each time."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import BY_NETLINK, LINK_KINDS, ROW_KINDS, kind_of
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.link import LINK

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import LinkKind

PLUGINS = "ansible_collections.linuxnet.vnet.plugins"
PROGRAM = f"""
import sys
import {PLUGINS}.modules.{{}}
print(*(name for name in sys.modules if name.startswith(("{PLUGINS}.module_utils.", "pyroute2"))))
"""
# What a link that is as it should be has no use for.
RARE = (
    "apply",
    "diff",
    "merging",
    "parsers",
    "plan_persist",
    "plan_rows",
    "read_uplink",
    "sysctl",
    "topology",
    "uplink",
)


def loaded(module: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(module)], capture_output=True, text=True, check=True)
    return {name.removeprefix(f"{PLUGINS}.module_utils.") for name in done.stdout.split()}


@pytest.mark.parametrize("kind", [LINK, *LINK_KINDS], ids=lambda kind: kind.module)
def test_a_module_starts_with_its_own_kind_only(kind: LinkKind) -> None:
    found = loaded(kind.module)
    own = {f"kinds.{kind.name or 'link'}", "kinds.base", "kinds.link"}
    own |= {"kinds.macvlan"} if kind.name == "ipvlan" else set()  # they share an option
    assert {name for name in found if name.startswith("kinds.")} == own
    assert not found & {*RARE, "pyroute2"}
    assert not [name for name in found if name.endswith("operations")]


def test_kinds_are_known_by_their_names_in_netlink() -> None:
    for kind in LINK_KINDS:
        assert kind_of(kind.netlink) is kind
        assert not kind.tap_info or kind_of(kind.tap_info) is kind
    names = {name for kind in LINK_KINDS for name in (kind.netlink, kind.tap_info) if name}
    assert names == set(BY_NETLINK)
    assert kind_of("bond") is LINK
    assert [kind.name for kind in ROW_KINDS] == ["neighbor", "fdb", "route", "rule"]
