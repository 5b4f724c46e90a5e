# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Files that are replaced whole: a reader sees the old content or the new one, also after a power cut."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress

from . import errors
from .state import FileContent, Symlink


def read(path: str) -> FileContent | None:
    """What is there: text, bytes where it isn't any, or where a symbolic link leads. None for nothing."""
    if os.path.islink(path):
        return Symlink(os.readlink(path))
    content = _read(path)
    return content if content is None or b"\0" in content else content.decode("utf-8", "surrogateescape")


def listed(directory: str) -> list[str]:
    """The paths of what is in a directory, in order; none where there is no such directory."""
    try:
        return [f"{directory}/{name}" for name in sorted(os.listdir(directory))]
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise errors.Refused(f"{directory}: {os.strerror(exc.errno or 0)}") from None


def read_text(path: str) -> str | None:
    """The text that is there, None for nothing."""
    content = _read(path)
    return None if content is None else content.decode("utf-8", "surrogateescape")


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise errors.Refused(f"{path}: {os.strerror(exc.errno or 0)}") from None


def write(path: str, content: FileContent, mode: int = 0o644) -> None:
    """Replace a file's content atomically, keeping the mode and owner that it has; OSError where that can't be done.

    A symbolic link stays one: it is written through, unless it is a link that is to be written.
    """
    _make_directory(os.path.dirname(path))
    if isinstance(content, Symlink):
        temporary = f"{os.path.dirname(path)}/.vnet-{os.getpid()}"
        os.symlink(content.target, temporary)
    else:
        path = os.path.realpath(path)
        temporary = _written(path, content, mode)
    try:
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync(os.path.dirname(path))


def _written(path: str, content: str | bytes, mode: int) -> str:
    """A temporary file beside `path` with the content, on the disk already."""
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(prefix=".vnet-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            try:
                old = os.stat(path)
                os.fchmod(file.fileno(), old.st_mode & 0o7777)
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            except FileNotFoundError:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def remove(path: str) -> None:
    """Remove a file or a symbolic link."""
    os.unlink(path)
    _sync(os.path.dirname(path))


def remove_empty(directories: Iterable[str]) -> None:
    """Remove those of the directories that are empty."""
    for directory in directories:
        with suppress(OSError):
            os.rmdir(directory)


def missing_directories(path: str) -> list[str]:
    """What has to be made for a file to be written there, the inner ones first."""
    found = []
    directory = os.path.dirname(path)
    while directory and not os.path.isdir(directory):
        found.append(directory)
        directory = os.path.dirname(directory)
    return found


def _make_directory(path: str) -> None:
    if not os.path.isdir(path):
        _make_directory(os.path.dirname(path))
        with suppress(FileExistsError):
            os.mkdir(path, 0o755)
        _sync(os.path.dirname(path))


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
