# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a User Mode Linux needs of kmod and systemd: `load MODULE..`, with what each depends on, and `off`."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

FINIT_MODULE = 313  # on x86_64
EEXIST = 17
POWER_OFF = 0x4321FEDC

libc = ctypes.CDLL(None, use_errno=True)


def load(names: list[str]) -> None:
    """Load modules from where the package keeps them: /lib/modules may not even be there."""
    root = Path("/usr/lib/uml/modules", os.uname().release)
    needs: dict[str, list[str]] = {}
    for line in (root / "modules.dep").read_text(encoding="utf-8").splitlines():
        path, _colon, others = line.partition(":")
        needs[Path(path).stem.split(".")[0].replace("-", "_")] = [path, *others.split()]
    for name in names:
        for path in reversed(needs.get(name, ())):
            with (root / path).open("rb") as file:
                failed = libc.syscall(FINIT_MODULE, file.fileno(), b"numdummies=0" if name == "dummy" else b"", 0) != 0
            if failed and ctypes.get_errno() != EEXIST:
                print(f"{path}: {os.strerror(ctypes.get_errno())}", file=sys.stderr)


if sys.argv[1] == "load":
    load(sys.argv[2:])
else:
    libc.reboot(POWER_OFF)
