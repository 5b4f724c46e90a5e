# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The files of macvtap and ipvtap devices: `/dev/tapN`, through which a program has the device's frames.

The kernel makes and removes them where /dev is its own devtmpfs, which all namespaces share: there two devices of one index
in two network namespaces want one file, and the later one is left without. Elsewhere they are ours to make.
"""

from __future__ import annotations

import glob
import os
import re
import stat
import subprocess
from contextlib import suppress

from . import errors

UDEV = "/run/udev/control"


def path_of(index: int) -> str:
    """The file of the device with this index."""
    return f"/dev/tap{index}"


def kernel_makes_files() -> bool:
    """Whether /dev is the kernel's own."""
    kind = ""
    with suppress(OSError), open("/proc/self/mounts", encoding="utf-8") as file:
        for line in file:
            words = line.split()
            kind = words[2] if words[1] == "/dev" else kind
    return kind == "devtmpfs"


def parsed(text: str | None) -> int | None:
    """A device number as sysfs writes it, `246:1`."""
    if not text or not re.fullmatch(r"[0-9]+:[0-9]+", text):
        return None
    major, minor = text.split(":")
    return os.makedev(int(major), int(minor))


def access(index: int, number: int) -> tuple[int, int | None] | None:
    """(user, group) who may read and write the file, None as group where only the user may; None where it is not there."""
    try:
        found = os.stat(path_of(index))
    except OSError:
        return None
    if not stat.S_ISCHR(found.st_mode) or found.st_rdev != number:
        return None
    return found.st_uid, found.st_gid if found.st_mode & 0o060 == 0o060 else None


def is_taken(index: int, number: int) -> bool:
    """Whether the file of this index is there, and another device's."""
    return os.path.lexists(path_of(index)) and access(index, number) is None


def free_index(used: set[int]) -> int:
    """An index that no device of a namespace has (`used`), and for which there is no file."""
    files = {int(path[len("/dev/tap") :]) for path in glob.glob("/dev/tap[0-9]*") if path[len("/dev/tap") :].isdigit()}
    return max({*used, *files}) + 1


def give(index: int, number: int, user: int, group: int | None) -> None:
    """Let `user`, and who is in `group`, open the file; make it where it is missing. Raises KernelError."""
    path = path_of(index)
    try:
        if access(index, number) is None:
            # One of this number under another name is left over from a device that went.
            remove(number)
            os.mknod(path, 0o600 | stat.S_IFCHR, number)
        elif os.path.exists(UDEV):
            # It sees to new files in its own time, and would take this one back.
            with suppress(OSError, subprocess.SubprocessError):
                subprocess.run(["udevadm", "settle", "--timeout=5"], capture_output=True, check=False, timeout=10)
        os.chown(path, user, group or 0)
        os.chmod(path, 0o600 if group is None else 0o660)
    except OSError as exc:
        raise errors.KernelError(exc.errno or 0, f"{path}: {os.strerror(exc.errno or 0)}") from None


def remove(number: int) -> None:
    """Remove the files with this number, which the kernel does itself with those that it made."""
    for path in glob.glob("/dev/tap[0-9]*"):
        with suppress(OSError):
            found = os.stat(path)
            if stat.S_ISCHR(found.st_mode) and found.st_rdev == number:
                os.unlink(path)


def is_open(number: int) -> bool:
    """Whether some program has a device of this number open."""
    for path in glob.iglob("/proc/[0-9]*/fd/*"):
        with suppress(OSError):
            # Anything else may be on a server that answers no more, and asking for it would never come back.
            found = os.stat(path) if os.readlink(path).startswith("/dev/") else None
            if found and stat.S_ISCHR(found.st_mode) and found.st_rdev == number:
                return True
    return False
