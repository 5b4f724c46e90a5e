# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vnet_info, and all modules that meta/runtime.yml leads here."""

from __future__ import annotations

from ansible_collections.linuxnet.vnet.plugins.plugin_utils.packing import PackedAction as ActionModule

__all__ = ["ActionModule"]
