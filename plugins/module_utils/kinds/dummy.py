# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Dummy devices: always there, always up, and what is sent by them is gone."""

from __future__ import annotations

from .base import LinkKind

DUMMY = LinkKind(name="dummy", module="vnet_dummy", plural="dummies")
