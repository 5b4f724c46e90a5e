# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Devices that are not ours to make or delete: a NIC, a VF, `lo`, one that libvirt made. Only what all links share."""

from __future__ import annotations

from .base import LinkKind

LINK = LinkKind(name="", module="vnet_link", plural="links")
