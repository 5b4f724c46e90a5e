# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The request that makes a device, where the device has its name at once and where it can't."""

from __future__ import annotations

import errno
import zlib

from . import errors, link_operations, netlink
from .host import Host
from .kinds.base import Attributes


def create(host: Host, op: link_operations.LinkAdd, place: str, attrs: Attributes, index: int = 0) -> None:
    """Make a device with these attributes besides its name, asking in the namespace `place`, where what it stands on is.

    Before Linux 6.15 the kernel takes offence at a device of that name in `place`, though the new one will be in another
    namespace: a container's eth0 on the host's eth0. There it gets its name when it is where it belongs.
    """
    up = int(op.options.get("admin_state") == "up")
    asked, flags = host.socket(place), netlink.NLM_F_CREATE | netlink.NLM_F_EXCL
    try:
        asked.request(
            netlink.link_message([("IFLA_IFNAME", op.name), *attrs], index, flags=up, change=up),
            netlink.RTM_NEWLINK,
            flags,
        )
    except errors.KernelError as exc:
        if exc.code != errno.EEXIST or place == op.netns or host.link(place, op.name) is None:
            raise
        interim = f"vnet{zlib.crc32(f'{op.netns}/{op.name}'.encode()):08x}"
        asked.request(netlink.link_message([("IFLA_IFNAME", interim), *attrs], index), netlink.RTM_NEWLINK, flags)
        rename(host, op, interim, up)
    host.forget_link(op.netns, op.name)


def rename(host: Host, op: link_operations.LinkAdd, interim: str, up: int) -> None:
    """Give the new device its name, and set it up; take it away again where that name is taken."""
    host.forget_link(op.netns, interim)
    here, index = host.socket(op.netns), host.index(op.netns, interim)
    try:
        here.request(netlink.link_message([("IFLA_IFNAME", op.name)], index, flags=up, change=up), netlink.RTM_NEWLINK)
    except errors.KernelError:
        here.request(netlink.link_message([], index), netlink.RTM_DELLINK)
        raise
    finally:
        host.forget_link(op.netns, interim)
