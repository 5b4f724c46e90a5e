# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program behind a tun or tap device: attaches to NAME with FLAGS, writes its process number to FILE, and holds on."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import time
from pathlib import Path

TUNSETIFF = 0x400454CA

name, flags, file = sys.argv[1:]
descriptor = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), int(flags, 16)))
if os.fork():
    sys.exit()
Path(file).write_text(str(os.getpid()), encoding="ascii")
for standard in (0, 1, 2):
    os.dup2(os.open(os.devnull, os.O_RDWR), standard)
time.sleep(120)
