# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option that has a change confirmed."""

from __future__ import annotations


class ModuleDocFragment:
    """`linuxnet.vnet.confirm`: what module_utils/confirm.py and plugin_utils/confirm.py do together."""

    DOCUMENTATION = r"""
options:
  confirm_timeout:
    description:
      - Time in seconds, V(1) to V(3600), within which the controller has to reach the host again after the change, over
        a new connection. If it does not, the host goes back to the state before by itself, and the task fails.
      - For changes that may cut the connection by which they are made. The task returns when all is decided, and
        nobody has to write a second one. Two connections have to be made in this time, so give slow ones more of it.
      - Over a connection that needs no network, such as C(local), the host is always reached.
      - Till the change is confirmed, nothing is kept for the next boot, so that a reboot is a way back, too, and other
        tasks of this collection on the host fail and say how much time is left.
      - With V(0), a change is kept without that. In check mode, the option means nothing, and with C(async), the task
        is refused.
    type: int
    default: 0
"""
