# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about refusals of the kernel whose own words say too little."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils.hints import hint_for
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.macvlan import MACVLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vlan import VLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.vxlan import VXLAN
from ansible_collections.linuxnet.vnet.plugins.module_utils.link_operations import LinkAdd

if TYPE_CHECKING:
    from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.base import LinkKind


@pytest.mark.parametrize(
    ("kind", "options", "code", "words"),
    [
        (BRIDGE, {}, errno.EEXIST, "a device of that name came up meanwhile"),
        (VXLAN, {"vni": 7}, errno.EEXIST, "or is a vxlan of the same vni: see 'ip -d link show type vxlan'"),
        (VLAN, {"parent": "p", "vid": 7}, errno.EEXIST, "or is a vlan of the same parent and vid"),
        (
            MACVLAN,
            {"mode": "passthru"},
            errno.EINVAL,
            "in this mode it has the device under it to itself: see by 'ip -d link'",
        ),
        (MACVLAN, {"mode": "bridge"}, errno.EINVAL, "another device may have the device under it to itself"),
        (BRIDGE, {}, errno.EINVAL, ""),
    ],
)
def test_a_refusal_to_make_a_device_comes_with_its_likely_reason(
    kind: LinkKind, options: dict[str, Any], code: int, words: str
) -> None:
    hint = hint_for(LinkAdd("", "new", kind, options), code)
    assert words in hint
    assert bool(words) == bool(hint)
