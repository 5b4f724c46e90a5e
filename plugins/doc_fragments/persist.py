# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option that keeps things for the next boot."""

from __future__ import annotations


class ModuleDocFragment:
    """`linuxnet.vnet.persist`: what module_utils/persist.py does, for modules of one resource."""

    DOCUMENTATION = r"""
options:
  persist:
    description:
      - Whether the host brings this back when it boots. A virtual network that nobody keeps is gone after a reboot.
      - V(true) keeps the options of the task in a file under C(/etc/vnet/conf.d), in JSON. A task that names only some
        options is merged into it. With the first file, the systemd unit C(vnet-restore.service) comes to the host.
        At boot it applies each file in one transaction, without Ansible, before what needs networks starts.
      - V(false), and O(state=absent), remove the file, and the unit with the last file.
      - If omitted, a file that is there is kept up to date, and none is made.
    type: bool
"""
