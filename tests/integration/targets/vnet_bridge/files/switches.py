# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of a bridge's switches that are on (`struct br_boolopt_multi`), as iproute2 before 6.9 doesn't show all of them."""

from __future__ import annotations

import socket
import struct
import sys

RTM_GETLINK, IFLA_LINKINFO, IFLA_INFO_DATA, IFLA_BR_MULTI_BOOLOPT = 18, 18, 2, 46


def attribute(data: bytes, wanted: int) -> bytes:
    """The content of an attribute, which has to be there."""
    offset = 0
    while offset < len(data):
        length, number = struct.unpack_from("=HH", data, offset)
        if number & 0x3FFF == wanted:
            return data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    raise KeyError(wanted)


def main() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asking:
        asking.send(
            struct.pack("=IHHIIBxHiII", 32, RTM_GETLINK, 1, 1, 0, 0, 0, socket.if_nametoindex(sys.argv[1]), 0, 0)
        )
        answer = asking.recv(65536)
    data = attribute(attribute(answer[32:], IFLA_LINKINFO), IFLA_INFO_DATA)
    values, _mask = struct.unpack("=II", attribute(data, IFLA_BR_MULTI_BOOLOPT))
    print([number for number in range(32) if values >> number & 1])


if __name__ == "__main__":
    main()
