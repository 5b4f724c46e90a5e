# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The rim of vnet_info."""

from __future__ import annotations

from typing import Any

from . import (  # pylint: disable=unused-import
    archive,  # noqa: F401  # for what it does
    desired,
    errors,
)
from .info import SUBSETS, gather, nothing, subsets
from .module import in_one_sentence, start
from .values import NetnsName

INFO_SPEC: dict[str, Any] = {
    "netns": {"type": "str"},
    "gather_subset": {
        "type": "list",
        "elements": "str",
        "choices": ["all", *SUBSETS, *(f"!{subset}" for subset in SUBSETS)],
        "default": ["all"],
    },
}


def run_info() -> None:
    """The `main()` of vnet_info."""
    module, _raw = start(INFO_SPEC)
    with in_one_sentence(module):
        netns = module.params["netns"]
        if netns is not None:
            netns = desired.name_of("", "netns", netns, NetnsName())
        asked = subsets(module.params["gather_subset"])
        try:
            found = gather(netns, asked)
        except errors.Missing as exc:
            if not module.check_mode:
                raise
            # The task that makes it has made nothing yet.
            module.warn(str(exc))
            found = nothing(netns, asked)
    module.exit_json(changed=False, operations=[], **found)
