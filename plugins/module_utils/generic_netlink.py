# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Which families of generic netlink the kernel has: by these its modules such as Open vSwitch's are spoken to.

The numbers are those of include/uapi/linux/genetlink.h.
"""

from __future__ import annotations

from contextlib import closing

from . import errors, netlink, wire

NETLINK_GENERIC = 16
_CONTROLLER, _GETFAMILY, _FAMILY_NAME = 16, 3, 2


def has_family(name: str) -> bool:
    """Whether the kernel knows a family of this name. Being asked, it loads the module that brings it, if there is one."""
    header = bytes(wire.HEADER.pack(20, 0, 0, 0, 0)) + bytes([_GETFAMILY, 1, 0, 0])
    try:
        with closing(netlink.Socket(NETLINK_GENERIC)) as sock:
            return bool(sock.request(netlink.extended(header, ((_FAMILY_NAME, name.encode() + b"\0"),)), _CONTROLLER))
    except (errors.KernelError, OSError):
        return False
