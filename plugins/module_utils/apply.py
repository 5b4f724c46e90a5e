# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Operations to kernel: the only file that writes. A failure undoes all that the run has done, last things first."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from . import (
    apply_rows,
    attachments,
    dhclient,
    errors,
    file_operations,
    files,
    link_operations,
    netlink,
    networkmanager,
    nft,
    node_operations,
    operations,
    ovs,
    owner_operations,
    port_operations,
    sysctl,
    systemd,
    taps,
    tun,
)
from .apply_create import create
from .hints import hint_for
from .host import Host
from .kinds import kind_of
from .kinds.base import Attributes, DeviceRef, Option
from .kinds.bridge_port import PORT_TABLE
from .nat_operations import NatDelete, NatReplace
from .ovs_operations import OvsDelete, OvsReplace
from .plan import Plan
from .state import IFA_F_NODAD, IFA_F_PERMANENT
from .undo import undo
from .uplink_operations import NexthopMove
from .values import Account
from .vni_operations import VniAdd, VniDelete


class Applier:
    """Carries operations out on a host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.undoing = False
        self.ovs_follows = True
        """False when ovs-vswitchd did not take up a change: what undoes it in the database does not wait for that."""
        self.directories: list[str] = []
        """Those that writing files has made, the inner ones first."""

    def carry_out(self, operation: operations.Operation) -> None:
        """Do one operation; raise KernelError with the kernel's own words."""
        try:
            VERBS[type(operation)](self, operation)
        except errors.Unfinished as exc:
            self.ovs_follows = self.ovs_follows and not exc.deaf
            raise
        except OSError as exc:
            raise errors.KernelError(exc.errno or 0) from None

    # -- namespaces, sysctls, files --------------------------------------------------------------------------------

    def namespace_add(self, op: operations.NamespaceAdd) -> None:
        # The mark before the name: who is killed in between leaves nothing that nobody owns.
        with self.host.namespaces.make(op.name, op.owner):
            if op.owner or op.loopback:
                attrs = [("IFLA_IFALIAS", op.owner)] if op.owner else []
                up = int(op.loopback)
                message = netlink.link_message(attrs, index=1, flags=up, change=up)
                self.host.adopt_socket(op.name).request(message, netlink.RTM_NEWLINK)

    def namespace_delete(self, op: operations.NamespaceDelete) -> None:
        self.host.namespaces.delete(op.name)
        self.host.forget_netns(op.name)

    def namespace_restore(self, op: operations.NamespaceRestore) -> None:
        self.host.namespaces.restore(op.name)

    def sysctl_set(self, op: operations.SysctlSet) -> None:
        with self.host.namespaces.inside(op.netns):
            sysctl.write(op.key, op.value)

    def nat_replace(self, op: NatReplace) -> None:
        with self.host.namespaces.inside(op.nat.netns):
            nft.replace(op.nat)

    def nat_delete(self, op: NatDelete) -> None:
        with self.host.namespaces.inside(op.netns):
            nft.delete(op.name)

    def ovs_replace(self, op: OvsReplace) -> None:
        ovs.replace(op.new, op.old, self.ovs_follows, check=not self.undoing)
        self.host.forget()

    def ovs_delete(self, op: OvsDelete) -> None:
        ovs.delete(op.name, self.ovs_follows)
        self.host.forget()

    def file_write(self, op: file_operations.FileWrite) -> None:
        self.directories = [*files.missing_directories(op.path), *self.directories]
        files.write(op.path, op.content, op.mode)

    def file_remove(self, op: file_operations.FileRemove) -> None:
        files.remove(op.path)

    def directories_remove(self, op: file_operations.DirectoriesRemove) -> None:
        files.remove_empty(op.paths)

    def systemd_reload(self, op: file_operations.SystemdReload) -> None:
        systemd.reload()

    def networkd_restart(self, op: owner_operations.NetworkdRestart) -> None:
        if op.netplan:
            systemd.generate_netplan()
        systemd.restart_networkd(op.devices)

    def networkmanager_stop(self, op: owner_operations.NetworkManagerStop) -> None:
        networkmanager.stop()

    def networkmanager_start(self, op: owner_operations.NetworkManagerStart) -> None:
        networkmanager.start(op.devices, op.leases, wait=not self.undoing)

    def networkmanager_reload(self, op: owner_operations.NetworkManagerReload) -> None:
        networkmanager.reload()

    def dhcp_move(self, op: owner_operations.DhcpMove) -> None:
        dhclient.move(op.device, op.to)

    # -- links -----------------------------------------------------------------------------------------------------

    def attributes(
        self,
        netns: str,
        place: str,
        table: Mapping[str, Option],
        level: str,
        values: Mapping[str, Any],
        found: Mapping[str, Any],
    ) -> Attributes:
        """The netlink attributes of one level. Masters are looked up in `netns`, devices below in `place`."""
        attrs: dict[str, Any] = {}
        for name, value in values.items():
            option = table[name]
            if option.level != level:
                continue
            if isinstance(option.type, DeviceRef):
                attrs[option.attr] = (
                    self.host.index(netns if option is table["master"] else place, value) if value else 0
                )
                continue
            for attribute, raw in option.write(value, found):
                if isinstance(raw, dict):
                    attrs.setdefault(attribute, {}).update(raw)
                elif value != "" or attribute not in attrs:
                    attrs[attribute] = raw
        return list(attrs.items())

    def link_add(self, op: link_operations.LinkAdd) -> None:
        if op.kind.by_ioctl:
            numbers = {
                name: op.kind.table[name].type.encode(op.options[name])
                for name in ("owner", "group")
                if op.options.get(name)
            }
            flags = {name: value for name, value in op.options.items() if name not in ("owner", "group")}
            with self.host.namespaces.inside(op.netns):
                tun.add(op.name, {**flags, **numbers}, lambda: self._mark(op))
            self.host.forget_link(op.netns, op.name)
            return
        place = op.options.get("link_netns", op.netns)
        table = op.kind.table
        attrs: Attributes = []
        if place != op.netns:
            attrs.append(("IFLA_NET_NS_FD", self.host.descriptor(op.netns)))
        attrs += self.attributes(op.netns, place, table, "link", op.options, {})
        data = self.attributes(op.netns, place, table, "info", op.options, {})
        if op.peer:
            peer: Attributes = [("IFLA_IFNAME", op.peer[1])]
            if op.peer[0] != op.netns:
                peer.append(("IFLA_NET_NS_FD", self.host.descriptor(op.peer[0])))
            peer += self.attributes(op.peer[0], op.peer[0], table, "link", op.peer_options, {})
            data.append(("VETH_INFO_PEER", {"attrs": peer}))
        kind = op.kind.netlink_of(op.options)
        info: Attributes = [("IFLA_INFO_KIND", kind)]
        if data:
            info.append(("IFLA_INFO_DATA", {"attrs": data}))
        attrs.append(("IFLA_LINKINFO", {"attrs": info}))
        create(self.host, op, place, attrs)
        if op.peer:
            self.host.forget_link(*op.peer)
        if kind == op.kind.tap_info and self._lacks_its_file(op):
            self.link_delete(link_operations.LinkDelete(op.netns, op.name, kind))
            index = taps.free_index({link.index for link in self.host.socket(op.netns).links()})
            create(self.host, op, place, attrs, index)

    def _lacks_its_file(self, op: link_operations.LinkAdd) -> bool:
        """Whether a device of the same index in another network namespace has the file of a new tap device."""
        number = self._number(op.netns, op.name)
        return number is not None and taps.is_taken(self.host.index(op.netns, op.name), number)

    def _number(self, netns: str, name: str) -> int | None:
        """The number of a tap device's file, as sysfs tells."""
        path = f"class/net/{name}/tap{self.host.index(netns, name)}/dev"
        return taps.parsed(self.host.namespaces.read_sysfs(netns, path))

    def node_set(self, op: node_operations.NodeSet) -> None:
        number = self._number(op.netns, op.device)
        if number is None:
            raise errors.KernelError(errno.ENODEV, f"{op.device} has no file under /dev")
        group = Account(group=True).encode(op.group) if op.group else None
        taps.give(self.host.index(op.netns, op.device), number, Account().encode(op.owner or "root"), group)

    def _mark(self, op: link_operations.LinkAdd) -> None:
        """Put its topology's mark on a device that an ioctl made."""
        if op.options.get("link_group"):
            self.host.forget_link(op.netns, op.name)
            self.link_set(link_operations.LinkSet(op.netns, op.name, "", {"link_group": op.options["link_group"]}))

    def link_delete(self, op: link_operations.LinkDelete) -> None:
        index = self.host.index(op.netns, op.name)
        number = self._number(op.netns, op.name) if op.kind and kind_of(op.kind).tap_info == op.kind else None
        self.host.socket(op.netns).request(netlink.link_message([], index), netlink.RTM_DELLINK)
        if number is not None:
            taps.remove(number)
        self.host.forget()

    def link_group_delete(self, op: link_operations.LinkGroupDelete) -> None:
        sock = self.host.socket(op.netns)
        sock.request(netlink.link_message([("IFLA_GROUP", op.group)]), netlink.RTM_DELLINK)
        self.host.forget()

    def link_set(self, op: link_operations.LinkSet) -> None:
        table = kind_of(op.kind).table
        levels = {table[name].level for name in op.changes}
        if kind_of(op.kind).by_ioctl and "info" in levels:
            self.tun_change(op)
            return
        place = op.replaces.get("link_netns", op.netns)
        attrs = self.attributes(op.netns, place, table, "link", op.changes, op.replaces)
        index = self.host.known_index(op.netns, op.name)
        if not index:
            # The kernel finds it by name, too, and so one question less.
            attrs.insert(0, ("IFLA_IFNAME", op.name))
        if "info" in levels:
            data = self.attributes(op.netns, place, table, "info", op.changes, op.replaces)
            attrs.append(
                ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", op.kind), ("IFLA_INFO_DATA", {"attrs": data})]})
            )
        up = op.changes.get("admin_state")
        message = netlink.link_message(attrs, index, flags=1 if up == "up" else 0, change=1 if up else 0)
        self.host.socket(op.netns).request(message, netlink.RTM_NEWLINK)

    def tun_change(self, op: link_operations.LinkSet) -> None:
        table = kind_of(op.kind).table
        options = {**op.replaces, **{name: table[name].type.encode(value) for name, value in op.changes.items()}}
        for name in ("owner", "group"):
            if name not in op.changes:
                options.pop(name, None)
        with self.host.namespaces.inside(op.netns):
            tun.change(op.name, options)

    def link_move(self, op: link_operations.LinkMove) -> None:
        index = self.host.index(op.netns, op.name)
        attrs: Attributes = []
        taken: list[str] = []
        if op.to[0] != op.netns:
            found = self.host.link(op.netns, op.name)
            if found and not kind_of(found.kind).own_fdb:
                taken = apply_rows.macs_taken(self.host, op.netns, index)
            attrs.append(("IFLA_NET_NS_FD", self.host.descriptor(op.to[0])))
        if op.to[1] != op.name:
            attrs.append(("IFLA_IFNAME", op.to[1]))
        self.host.socket(op.netns).request(netlink.link_message(attrs, index), netlink.RTM_NEWLINK)
        self.host.forget()
        for mac in taken:
            # The kernel forgets them on the way, and what stands on the device would not hear its frames any more.
            apply_rows.take_mac(self.host, *op.to, mac)

    def vlan(self, op: Any) -> None:
        index = self.host.index(op.netns, op.device)
        message = netlink.vlan_message(index, op.vlan.vid, op.last, op.vlan.pvid, op.vlan.untagged, op.itself)
        kind = netlink.RTM_SETLINK if isinstance(op, port_operations.VlanAdd) else netlink.RTM_DELLINK
        self.host.socket(op.netns).request(message, kind)

    def tunnel(self, op: Any) -> None:
        message = netlink.tunnel_message(self.host.index(op.netns, op.device), op.vlan.vid, op.last, op.vlan.tunnel_id)
        kind = netlink.RTM_SETLINK if isinstance(op, port_operations.TunnelAdd) else netlink.RTM_DELLINK
        self.host.socket(op.netns).request(message, kind)

    def vni(self, op: Any) -> None:
        message = netlink.vni_message(self.host.index(op.netns, op.device), op.vni.vni, op.last, op.vni.remote)
        self.host.socket(op.netns).request(
            message, netlink.RTM_NEWTUNNEL if isinstance(op, VniAdd) else netlink.RTM_DELTUNNEL
        )

    def port_set(self, op: port_operations.PortSet) -> None:
        attrs = {
            int(PORT_TABLE[name].attr): int(PORT_TABLE[name].type.encode(value)) for name, value in op.changes.items()
        }
        message = netlink.port_message(self.host.index(op.netns, op.device), attrs)
        self.host.socket(op.netns).request(message, netlink.RTM_SETLINK)

    def altname(self, op: Any) -> None:
        index = self.host.index(op.netns, op.device)
        attrs = [("IFLA_PROP_LIST", {"attrs": [("IFLA_ALT_IFNAME", op.altname)]})]
        add = isinstance(op, attachments.AltnameAdd)
        kind, flags = (
            (netlink.RTM_NEWLINKPROP, netlink.NLM_F_CREATE | netlink.NLM_F_EXCL | netlink.NLM_F_APPEND)
            if add
            else (netlink.RTM_DELLINKPROP, 0)
        )
        self.host.socket(op.netns).request(netlink.link_message(attrs, index), kind, flags)

    # -- what hangs on links ---------------------------------------------------------------------------------------

    def address(self, op: Any) -> None:
        addr = op.addr
        local, prefix = addr.cidr.split("/")
        remote = addr.peer.split("/")[0] if addr.peer else local
        fields = {
            "family": 2 if addr.family == 4 else 10,
            "prefixlen": int(prefix),
            "index": self.host.index(op.netns, op.device),
            "scope": addr.scope,
        }
        attrs: Attributes = [("IFA_LOCAL", local), ("IFA_ADDRESS", remote)]
        sock = self.host.socket(op.netns)
        if isinstance(op, attachments.AddressDelete):
            sock.request(netlink.address_message(fields, attrs), netlink.RTM_DELADDR)
            return
        if addr.broadcast:
            attrs.append(("IFA_BROADCAST", addr.broadcast))
        if addr.label and addr.family == 4:
            attrs.append(("IFA_LABEL", addr.label))
        if (addr.valid, addr.preferred) != (0xFFFFFFFF, 0xFFFFFFFF):
            attrs.append(("IFA_CACHEINFO", {"ifa_valid": addr.valid, "ifa_preferred": addr.preferred}))
        flags = addr.flags & ~IFA_F_PERMANENT
        # Without detection and then, as that flag would stay, once more without the flag.
        wanted = [flags | IFA_F_NODAD, flags] if op.known and addr.family == 6 else [flags]
        for value in dict.fromkeys(wanted):
            request = netlink.address_message(
                fields, [*attrs, ("IFA_FLAGS", value)] if value or len(wanted) > 1 else attrs
            )
            sock.request(
                netlink.extended(request, addr.rest), netlink.RTM_NEWADDR, netlink.NLM_F_CREATE | netlink.NLM_F_REPLACE
            )

    def row(self, op: Any) -> None:
        apply_rows.carry_out(self.host, op)

    def nexthop_move(self, op: NexthopMove) -> None:
        nexthop = op.nexthop
        index = self.host.index(op.netns, op.to)
        message = netlink.nexthop_message(nexthop.header, nexthop.number, index, nexthop.rest)
        self.host.socket(op.netns).request(
            message, netlink.RTM_NEWNEXTHOP, netlink.NLM_F_CREATE | netlink.NLM_F_REPLACE
        )


VERBS: dict[type[operations.Operation], Callable[[Applier, Any], None]] = {
    operations.NamespaceAdd: Applier.namespace_add,
    operations.NamespaceDelete: Applier.namespace_delete,
    operations.NamespaceRestore: Applier.namespace_restore,
    link_operations.LinkAdd: Applier.link_add,
    link_operations.LinkDelete: Applier.link_delete,
    link_operations.LinkGroupDelete: Applier.link_group_delete,
    link_operations.LinkSet: Applier.link_set,
    link_operations.LinkMove: Applier.link_move,
    port_operations.PortSet: Applier.port_set,
    port_operations.TunnelAdd: Applier.tunnel,
    port_operations.TunnelDelete: Applier.tunnel,
    port_operations.VlanAdd: Applier.vlan,
    port_operations.VlanDelete: Applier.vlan,
    attachments.AltnameAdd: Applier.altname,
    attachments.AltnameDelete: Applier.altname,
    attachments.AddressAdd: Applier.address,
    attachments.AddressDelete: Applier.address,
    attachments.RowAdd: Applier.row,
    attachments.RowDelete: Applier.row,
    attachments.RowReplace: Applier.row,
    NexthopMove: Applier.nexthop_move,
    node_operations.NodeSet: Applier.node_set,
    VniAdd: Applier.vni,
    VniDelete: Applier.vni,
    operations.SysctlSet: Applier.sysctl_set,
    NatReplace: Applier.nat_replace,
    NatDelete: Applier.nat_delete,
    OvsReplace: Applier.ovs_replace,
    OvsDelete: Applier.ovs_delete,
    file_operations.FileWrite: Applier.file_write,
    file_operations.FileRemove: Applier.file_remove,
    file_operations.DirectoriesRemove: Applier.directories_remove,
    file_operations.SystemdReload: Applier.systemd_reload,
    owner_operations.NetworkdRestart: Applier.networkd_restart,
    owner_operations.NetworkManagerStop: Applier.networkmanager_stop,
    owner_operations.NetworkManagerStart: Applier.networkmanager_start,
    owner_operations.NetworkManagerReload: Applier.networkmanager_reload,
    owner_operations.DhcpMove: Applier.dhcp_move,
}


class Failed(errors.VnetError):
    """An operation failed, or did not stick: `why`. `left`: what could not be undone. `undone`: whether the host is as before."""

    def __init__(self, why: str, left: Sequence[str], changed: bool) -> None:
        outcome = "the host is as it was before" if changed else "nothing was changed"
        if left:
            outcome = f"undoing it failed too, and this is left to do by hand: {'; '.join(left)}"
        super().__init__(f"{why}; {outcome}")
        self.why, self.left, self.undone = why, left, not left


def apply(host: Host, plan: Plan, verify: Callable[[], None]) -> None:
    """Carry the plan out and verify it; on any failure undo it and raise Failed, which says what is left if undoing failed."""
    applier = Applier(host)
    done: list[tuple[operations.Operation, ...]] = []
    try:
        for step in plan.steps:
            try:
                applier.carry_out(step.operation)
            except (errors.KernelError, errors.Refused) as exc:
                half_way = isinstance(step.operation, link_operations.LinkSet) and len(step.operation.changes) > 1
                if half_way or isinstance(exc, errors.Unfinished):
                    # The kernel changes one attribute after the other and may have stopped.
                    done.append(step.undo)
                hint = hint_for(step.operation, getattr(exc, "code", 0))
                raise errors.VnetError(
                    f"'{step.operation.command()}' failed: {exc}{'; ' + hint if hint else ''}"
                ) from None
            done.append(step.undo)
        host.forget()
        verify()
    except BaseException as exc:
        left = undo(applier, done, plan.before) if done else []
        if not isinstance(exc, errors.VnetError):
            raise
        if isinstance(exc, Failed):  # of what came after the confirmation
            raise Failed(exc.why, [*exc.left, *left], bool(done)) from None
        raise Failed(str(exc), left, bool(done)) from None
