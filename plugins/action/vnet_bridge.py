# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vnet_bridge with its `confirm_timeout`; without it, the module as any other."""

from __future__ import annotations

from ansible_collections.linuxnet.vnet.plugins.plugin_utils.confirm import ActionModule

__all__ = ["ActionModule"]
