# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules promise and need."""

from __future__ import annotations


class ModuleDocFragment:
    """`linuxnet.vnet.attributes`, and the action groups as sections of it."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description:
      - Can run in C(check_mode) and return changed status prediction without modifying the target.
      - What an earlier task of the same check run would have made is not there. A reference to it is a warning
        in check mode, and a failure otherwise.
    support: full
  diff_mode:
    description:
      - Returns details on what has changed, or in C(check_mode) would change, when in diff mode.
      - C(before) and C(after) hold the resources that the task touches, in the words of the options, and
        nothing that the kernel picks by itself.
    support: full
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no
        change and writes nothing.
      - This assumes that nothing else changes the system in between.
    support: full
  platform:
    description: Target operating systems that can be operated against.
    platforms: linux
    support: full
requirements:
  - Linux 5.10 or newer
  - Python 3.9 or newer
  - pyroute2 0.7.2 or newer (the package C(python3-pyroute2) of Debian and Ubuntu)
  - root, by C(become=true) where needed
notes:
  - After the last write the state is read back from the kernel and compared with what was asked for. A task that
    fails part of the way undoes what it had done.
"""

    GROUPS = r"""
attributes:
  action_group:
    description:
      - Use C(group/linuxnet.vnet.vnet), which has every module that changes something, or
        C(group/linuxnet.vnet.netns), which has every module that takes O(netns), in C(module_defaults).
    support: full
    membership:
      - linuxnet.vnet.vnet
      - linuxnet.vnet.netns
"""
