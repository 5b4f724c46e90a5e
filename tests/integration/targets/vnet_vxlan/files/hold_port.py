# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that has UDP port PORT: writes its process number to FILE, and holds on."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

port, file = sys.argv[1:]
holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
holder.bind(("", int(port)))
if os.fork():
    sys.exit()
Path(file).write_text(str(os.getpid()), encoding="ascii")
for standard in (0, 1, 2):
    os.dup2(os.open(os.devnull, os.O_RDWR), standard)
time.sleep(60)
