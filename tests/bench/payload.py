# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the file that Ansible would send to run a module of ours: payload.py MODULE FILE <arguments.json."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar


def main() -> None:
    name, target = sys.argv[1:]
    init_plugin_loader()
    # Ansible tells a collection's module by its path.
    collection = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"], "ansible_collections", "linuxnet", "vnet")
    built = modify_module(
        module_name=f"linuxnet.vnet.{name}",
        module_path=str(collection / "plugins" / "modules" / f"{name}.py"),
        module_args=json.load(sys.stdin),
        templar=Templar(loader=DataLoader()),
        task_vars={"ansible_python_interpreter": sys.executable},
        module_compression="ZIP_DEFLATED",
    )
    # A tuple up to ansible-core 2.18.
    Path(target).write_bytes(built[0] if isinstance(built, tuple) else built.b_module_data)


if __name__ == "__main__":
    main()
