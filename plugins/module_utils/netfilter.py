# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What netfilter's own netlink tells of nftables, in a few messages and without a process.

The numbers are those of include/uapi/linux/netfilter/nf_tables.h. All of it happens in the network namespace of the calling thread.
"""

from __future__ import annotations

from . import errors, netlink, wire
from .state import Obstacle

NETLINK_NETFILTER = 12
_GETTABLE, _GETCHAIN = 10 << 8 | 1, 10 << 8 | 4
_TABLE_NAME, _TABLE_FLAGS = 1, 2
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_POLICY = 1, 3, 4, 5
_HOOK_NUMBER, _FORWARD, _DROP = 1, b"\0\0\0\2", b"\0\0\0\0"
_INET = 1
_VERSIONS = {_INET: (4, 6), 2: (4,), 10: (6,)}
"""By family of a table, the IP versions whose packets it sees."""


def _asked(kind: int) -> list[tuple[int, dict[int, bytes]]]:
    """The answers to a dump, each as its family and its attributes; none where the kernel has no nftables."""
    try:
        sock = netlink.Socket(NETLINK_NETFILTER)
    except OSError:
        return []  # a kernel without netfilter's netlink
    try:
        found = sock.dump(bytes(wire.HEADER.pack(20, 0, 0, 0, 0)) + b"\0\0\0\0", kind)
    except errors.KernelError:
        return []
    finally:
        sock.close()
    return [(data[16], dict(wire.attributes(data, 20))) for data in found]


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode(errors="replace")


def obstacles() -> list[Obstacle]:
    """The chains that drop what they don't accept of what the host forwards.

    Those that iptables-nft makes are among them. firewalld's has another policy, and a last rule that rejects.
    """
    found = []
    for family, chain in _asked(_GETCHAIN):
        hook = dict(wire.attributes(chain.get(_CHAIN_HOOK, b"")))
        table, name = (_text(chain.get(number, b"")) for number in (_CHAIN_TABLE, _CHAIN_NAME))
        drops = chain.get(_CHAIN_POLICY) == _DROP or (table, name) == ("firewalld", "filter_FORWARD")
        if hook.get(_HOOK_NUMBER) == _FORWARD and drops and family in _VERSIONS:
            found.append(Obstacle(f"{table} {name}", _VERSIONS[family]))
    return found


def tables() -> dict[str, int]:
    """The tables of the family `inet` by name, with their flags, of which 1 is `dormant`."""
    return {
        _text(table[_TABLE_NAME]): int.from_bytes(table.get(_TABLE_FLAGS, b""), "big")
        for family, table in _asked(_GETTABLE)
        if family == _INET
    }
