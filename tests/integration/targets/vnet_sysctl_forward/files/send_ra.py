# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router on DEVICE: sends router advertisements (RFC 4861, 4.2) for PREFIX/64, for ten seconds or until it is ended."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import time

device, prefix = sys.argv[1:]
router = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex(device))
advertisement = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
advertisement += struct.pack("!BBBBIII16s", 3, 4, 64, 0xC0, 3600, 1800, 0, socket.inet_pton(socket.AF_INET6, prefix))
for _ in range(100):
    # Refused as long as the router's own link-local address is tentative.
    with contextlib.suppress(OSError):
        router.sendto(advertisement, ("ff02::1", 0))
    time.sleep(0.1)
