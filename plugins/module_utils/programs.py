# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Programs of the host, for what the kernel is not asked for itself: nft, ovs-vsctl, systemctl, nmcli, netplan."""

from __future__ import annotations

import os
import shutil
import subprocess

from . import errors

PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where one may be although the search path of who runs this has not got them."""

SECONDS = 120.0
"""As a task holds the lock of its host. systemd gives a service 90 to stop, by default."""


def find(name: str) -> str | None:
    """The path of a program, None where this host has none of that name."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{PLACES}")


def run(program: str, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """What came of it, in English. `text` is for its standard input.

    Raises Refused where it can't be started, and Unfinished where it does not end.
    """
    name = os.path.basename(program)
    try:
        return subprocess.run(
            [program, *words],
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise errors.Unfinished(
            f"{name} did not end within {SECONDS:g} seconds, and was ended: call it by hand to see what it waits for"
        ) from None
    except OSError as exc:
        raise errors.Refused(f"{name}: {os.strerror(exc.errno or 0)}") from None
