# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Files that are replaced whole: a reader sees the old content or the new one, also after a power cut."""

from __future__ import annotations

import os
import tempfile


def write(path: str, content: str, mode: int = 0o644) -> None:
    """Replace a file's content atomically, keeping the mode and owner that it has; OSError where that can't be done."""
    directory = os.path.dirname(path)
    os.makedirs(directory, 0o755, exist_ok=True)
    # Through a symbolic link, so that the link stays one.
    path = os.path.realpath(path)
    directory = os.path.dirname(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".vnet-", dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(content)
            file.flush()
            try:
                old = os.stat(path)
                os.fchmod(file.fileno(), old.st_mode & 0o7777)
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            except FileNotFoundError:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    _sync(directory)


def remove(path: str) -> None:
    """Remove a file for good; OSError where that can't be done."""
    os.unlink(path)
    _sync(os.path.dirname(path))


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
