# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the machine's kernel still makes mount namespaces, without which there are no throwaway hosts.

A kernel that crashed while it held its lock on mounts goes on with all else, but whoever wants to mount something then waits for
ever, and not even SIGKILL ends it. So this is asked of a child that may be left behind.
"""

from __future__ import annotations

import subprocess

SECONDS = 60.0


def problem(seconds: float = SECONDS) -> str:
    """A sentence where it makes none, nothing where it does or refuses at once (throwaway hosts have words for that)."""
    asking = subprocess.Popen(
        ["unshare", "--mount", "true"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        asking.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return (
            f"the kernel of this machine has not made a mount namespace within {seconds:g} seconds; it has to be "
            "started anew (look for 'kernel BUG' in dmesg)"
        )
    return ""


if __name__ == "__main__":
    print(problem())
