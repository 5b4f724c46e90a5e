# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What can go wrong, each as one sentence that is shown to the user as it is."""

from __future__ import annotations

import errno
import os


class VnetError(Exception):
    """Base of all errors that end a task. `str()` is the whole message."""


class Refused(VnetError):
    """What is asked for can't or mustn't be done; nothing was changed."""


class Unfinished(Refused):
    """What was asked for has been written down, but did not come about: it has to be undone.

    `deaf`: who should bring it about does not follow at all.
    """

    def __init__(self, what: str, deaf: bool = False) -> None:
        super().__init__(what)
        self.deaf = deaf


class Missing(Refused):
    """What is asked for refers to what isn't there, or not yet."""


def of_the_system(exc: OSError) -> Refused | None:
    """What the user can do something about of what the system refused to the process itself; None where it is of another kind."""
    if exc.errno not in (errno.EMFILE, errno.ENFILE):
        return None
    return Refused(
        "this host has more network namespaces than a process may have files open, of which each takes two: raise that limit"
        " ('ulimit -Hn', 'fs.file-max')"
    )


class KernelError(VnetError):
    """The kernel said no. `code` is an errno, `said` the kernel's own sentence (its extended ack), or ""."""

    def __init__(self, code: int, said: str = "") -> None:
        self.code, self.said = abs(code), said
        name = errno.errorcode.get(self.code, str(self.code))
        super().__init__(f"the kernel says '{(said or os.strerror(self.code)).rstrip('.')}' ({name})")
