# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Imported before others for what it does: a Python that is too old to load them ends the task with a sentence, not a traceback."""

from __future__ import annotations

import json
import sys

OLDEST = (3, 9)


def refuse_older() -> None:
    """End the module, with the answer that Ansible reads, where this Python is older than `OLDEST`."""
    if sys.version_info[:2] < OLDEST:
        needed, found = (".".join(map(str, version)) for version in (OLDEST, sys.version_info[:3]))
        sentence = (
            f"Python {needed} or newer is needed on this host, and {sys.executable} is {found}:"
            " name another one in 'ansible_python_interpreter'"
        )
        sys.stdout.write(json.dumps({"failed": True, "msg": sentence}))
        raise SystemExit(1)


refuse_older()
