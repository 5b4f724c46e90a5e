# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules of the collection in children of its own: for each line that is read, one, and its answer as a line.

A request is a JSON list of the module's name and its arguments. This process has loaded what all of them need, and is much
smaller than Ansible's own, which counts where a kernel in user space copies it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args
from ansible_collections.linuxnet.vnet.plugins.module_utils import later, netlink

_internal.is_controller = False  # or warnings went to the screen, and not into the answer
MODULES = {
    path.stem: importlib.import_module(f"ansible_collections.linuxnet.vnet.plugins.modules.{path.stem}")
    for path in Path(__file__).parents[5].glob("plugins/modules/vnet_*.py")
}
later.load_all()
netlink.message_class("ifinfmsg")
gc.collect()
gc.freeze()  # so that children don't touch, and so copy, what only this process has to do with


def answer(module: str, arguments: dict[str, Any]) -> str:
    """What a module prints, run in a child, which may end as it likes."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writer, 1)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
        try:
            with patch_module_args(arguments):
                MODULES[module].main()
        except SystemExit:
            pass
        finally:
            sys.stdout.flush()
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        printed = file.read()
    os.waitpid(child, 0)
    return printed


if __name__ == "__main__":
    for request in sys.stdin:
        print(json.dumps(answer(*json.loads(request))), flush=True)
