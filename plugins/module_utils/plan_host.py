# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""The phases of the plan about namespaces, sysctls, forwarding, and the files that keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from .later import Later

if TYPE_CHECKING:
    from . import desired, file_operations, link_operations, operations, sysctl
    from .planner import Planner
else:
    file_operations, link_operations = Later("file_operations"), Later("link_operations")
    operations, sysctl = Later("operations"), Later("sysctl")


def make_namespaces(planner: Planner) -> None:
    """Make the namespaces that are missing."""
    for want in planner.namespaces:
        if not want.absent and want.name not in planner.model.namespaces:
            planner.do(operations.NamespaceAdd(want.name, want.owner, bool(want.loopback)))


def set_up_namespaces(planner: Planner) -> None:
    """Give the namespaces the settings that links take over when they enter."""
    for want in planner.namespaces:
        if want.absent:
            continue
        # Before any link enters: it takes its own settings from `default` in that moment.
        for key, value in sorted(want.sysctls.items(), key=sysctl.order):
            if not sysctl.is_of_device(key):
                if want.name in planner.before.namespaces and (want.name, key) not in planner.before.sysctls:
                    planner.lack(
                        want.where,
                        f"sysctl: the running kernel has no {key}, or the module that brings it isn't loaded",
                    )
                set_sysctl(planner, want.name, key, value)
        loopback = planner.model.link((want.name, "lo"))
        wanted = {True: "up", False: "down", None: None}[want.loopback]
        changes = {"admin_state": wanted} if loopback and wanted and loopback.get("admin_state") != wanted else {}
        if loopback and want.owner and loopback.get("alias") != want.owner:
            changes["alias"] = want.owner
        if changes:
            planner.do(link_operations.LinkSet(want.name, "lo", "loopback", changes))


def set_sysctls(planner: Planner) -> None:
    """Set the sysctls of devices, which are there by now."""
    for want in planner.namespaces:
        if not want.absent:
            for key, value in sorted(want.sysctls.items()):
                if sysctl.is_of_device(key):
                    set_sysctl(planner, want.name, key, value)


def set_sysctl(planner: Planner, netns: str, key: str, value: str) -> None:
    """Only where it differs: writing the value that it has resets others (see the docs on forwarding)."""
    planner.settled.add((netns, key))
    if planner.model.sysctls.get((netns, key)) != value:
        planner.do(operations.SysctlSet(netns, key, value))


def delete_namespaces(planner: Planner) -> None:
    """Delete namespaces, after all else."""
    for want in planner.namespaces:
        if want.absent and want.name in planner.model.namespaces:
            planner.do(operations.NamespaceDelete(want.name))


def forward(planner: Planner) -> None:
    """Set forwarding as wanted."""
    for want in planner.forwardings:
        planner.netns_exists(want.where, want.netns)
        for name in want.devices or ():
            if planner.model.link((want.netns, name)) is None:
                planner.lack(
                    want.where, f"interfaces: there is no device {name!r}" + (f" in {want.netns}" if want.netns else "")
                )
        for key, value in settings(planner, want).items():
            set_sysctl(planner, want.netns, key, value)


def settings(planner: Planner, want: desired.ForwardWant) -> dict[str, str]:
    """The sysctls of a forwarding want, in the order in which they have to be written."""
    found: dict[str, str] = {}
    known = {key for (netns, key) in planner.model.sysctls if netns == want.netns}
    if want.ipv4 is not None:
        value = "1" if want.ipv4 else "0"
        if want.devices is None:
            found["net.ipv4.ip_forward"] = value
        for name in want.devices or ():
            found[sysctl.of_device("ipv4", name, "forwarding")] = value
    if want.ipv6 is not None:
        value = "1" if want.ipv6 else "0"
        if want.devices is None:
            if want.ipv6 and want.keep_ra:
                for name in planner.model.ra_devices.get(want.netns, ()):
                    found[sysctl.of_device("ipv6", name, "accept_ra")] = "2"
            found["net.ipv6.conf.default.forwarding"] = value
            found["net.ipv6.conf.all.forwarding"] = value
        for name in want.devices or ():
            key = sysctl.of_device("ipv6", name, "force_forwarding")
            if key not in known and planner.model.link((want.netns, name)):
                raise errors.Refused(
                    f"{want.where + ': ' if want.where else ''}interfaces: this kernel forwards IPv6 on all interfaces or on none"
                    " (force_forwarding came with Linux 6.17): omit it, or leave ipv6 out"
                )
            found[key] = value
    return found


def keep_files(planner: Planner) -> None:
    """The sysctl.d file: our keys in it, whatever else it holds left as it is."""
    for want in planner.forwardings:
        if want.file is None:
            continue
        old = planner.model.text(want.file)
        kept = sysctl.with_settings(old or "", settings(planner, want))
        new = kept if want.persist else sysctl.without_forwarding(old or "")
        if not want.persist and old is not None and not sysctl.has_settings(new):
            planner.do(file_operations.FileRemove(want.file))
        elif new != (old or "") or (want.persist and old is None):
            planner.do(file_operations.FileWrite(want.file, new))
