# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The operations on files, and on what has to hear of them."""

from __future__ import annotations

from dataclasses import dataclass

from . import operations
from .state import FileContent, State, Symlink
from .values import quoted


@dataclass(frozen=True)
class FileWrite(operations.Operation):
    """Give a file this content, atomically, or make a symbolic link of it. `mode` is for a new file."""

    path: str
    content: FileContent
    mode: int = 0o644

    def simulate(self, model: State) -> None:
        model.files[self.path] = self.content

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        old = model.files.get(self.path)
        return (FileRemove(self.path, self.mode),) if old is None else (FileWrite(self.path, old, self.mode),)

    def command(self) -> str:
        if isinstance(self.content, Symlink):
            return f"ln -sfn {quoted(self.content.target)} {quoted(self.path)}"
        return f"install -D -m {self.mode:04o} /dev/stdin {quoted(self.path)}"


@dataclass(frozen=True)
class FileRemove(operations.Operation):
    """Remove a file or a symbolic link. `mode` is what undoing gives it back with."""

    path: str
    mode: int = 0o644

    def simulate(self, model: State) -> None:
        model.files[self.path] = None

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        old = model.files.get(self.path)
        return () if old is None else (FileWrite(self.path, old, self.mode),)

    def command(self) -> str:
        return f"rm {quoted(self.path)}"


@dataclass(frozen=True)
class DirectoriesRemove(operations.Operation):
    """Remove directories, the inner one first, unless someone else keeps files there.

    The model knows none, and a file that is written brings its own back, so there is nothing to undo.
    """

    paths: tuple[str, ...]

    def simulate(self, model: State) -> None:
        pass

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return ()

    def command(self) -> str:
        return " ".join(["rmdir --ignore-fail-on-non-empty", *map(quoted, self.paths)])


@dataclass(frozen=True)
class SystemdReload(operations.Operation):
    """Let systemd read its unit files again. Whoever writes them has to see to it that undoing ends with this, too."""

    def simulate(self, model: State) -> None:
        pass

    def inverse(self, model: State) -> tuple[operations.Operation, ...]:
        return ()

    def command(self) -> str:
        return "systemctl daemon-reload"
