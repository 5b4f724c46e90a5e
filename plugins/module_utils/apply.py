# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Operations to kernel: the only file that writes. A failure undoes all that the run has done, last things first."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, Callable

from . import apply_rows, dhclient, files, networkmanager, nft, ovs, sysctl, systemd, taps, tun
from .apply_create import create
from .attachments import (
    AddressAdd,
    AddressDelete,
    AltnameAdd,
    AltnameDelete,
    RowAdd,
    RowDelete,
    RowReplace,
)
from .errors import KernelError, Refused, Unfinished, VnetError
from .file_operations import DirectoriesRemove, FileRemove, FileWrite, SystemdReload
from .hints import hint_for
from .host import Host
from .kinds import kind_of
from .kinds.base import Attributes, DeviceRef, Option
from .kinds.bridge_port import PORT_TABLE
from .link_operations import LinkAdd, LinkDelete, LinkGroupDelete, LinkMove, LinkSet
from .nat_operations import NatDelete, NatReplace
from .netlink import (
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELLINKPROP,
    RTM_DELTUNNEL,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWLINKPROP,
    RTM_NEWNEXTHOP,
    RTM_NEWTUNNEL,
    RTM_SETLINK,
    address_message,
    extended,
    link_message,
    nexthop_message,
    port_message,
    tunnel_message,
    vlan_message,
    vni_message,
)
from .node_operations import NodeSet
from .operations import NamespaceAdd, NamespaceDelete, NamespaceRestore, Operation, SysctlSet
from .ovs_operations import OvsDelete, OvsReplace
from .owner_operations import (
    DhcpMove,
    NetworkdRestart,
    NetworkManagerReload,
    NetworkManagerStart,
    NetworkManagerStop,
)
from .plan import Plan
from .port_operations import PortSet, TunnelAdd, TunnelDelete, VlanAdd, VlanDelete
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

    def carry_out(self, operation: Operation) -> None:
        """Do one operation; raise KernelError with the kernel's own words."""
        try:
            VERBS[type(operation)](self, operation)
        except Unfinished as exc:
            self.ovs_follows = self.ovs_follows and not exc.deaf
            raise
        except OSError as exc:
            raise KernelError(exc.errno or 0) from None

    # -- namespaces, sysctls, files --------------------------------------------------------------------------------

    def namespace_add(self, op: NamespaceAdd) -> None:
        # The mark before the name: who is killed in between leaves nothing that nobody owns.
        with self.host.namespaces.make(op.name, op.owner):
            if op.owner or op.loopback:
                attrs = [("IFLA_IFALIAS", op.owner)] if op.owner else []
                up = int(op.loopback)
                message = link_message(attrs, index=1, flags=up, change=up)
                self.host.adopt_socket(op.name).request(message, RTM_NEWLINK)

    def namespace_delete(self, op: NamespaceDelete) -> None:
        self.host.namespaces.delete(op.name)
        self.host.forget_netns(op.name)

    def namespace_restore(self, op: NamespaceRestore) -> None:
        self.host.namespaces.restore(op.name)

    def sysctl_set(self, op: SysctlSet) -> None:
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

    def file_write(self, op: FileWrite) -> None:
        self.directories = [*files.missing_directories(op.path), *self.directories]
        files.write(op.path, op.content, op.mode)

    def file_remove(self, op: FileRemove) -> None:
        files.remove(op.path)

    def directories_remove(self, op: DirectoriesRemove) -> None:
        files.remove_empty(op.paths)

    def systemd_reload(self, op: SystemdReload) -> None:
        systemd.reload()

    def networkd_restart(self, op: NetworkdRestart) -> None:
        if op.netplan:
            systemd.generate_netplan()
        systemd.restart_networkd(op.devices)

    def networkmanager_stop(self, op: NetworkManagerStop) -> None:
        networkmanager.stop()

    def networkmanager_start(self, op: NetworkManagerStart) -> None:
        networkmanager.start(op.devices, op.leases, wait=not self.undoing)

    def networkmanager_reload(self, op: NetworkManagerReload) -> None:
        networkmanager.reload()

    def dhcp_move(self, op: DhcpMove) -> None:
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

    def link_add(self, op: LinkAdd) -> None:
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
            self.link_delete(LinkDelete(op.netns, op.name, kind))
            index = taps.free_index({link.index for link in self.host.socket(op.netns).links()})
            create(self.host, op, place, attrs, index)

    def _lacks_its_file(self, op: LinkAdd) -> bool:
        """Whether a device of the same index in another network namespace has the file of a new tap device."""
        number = self._number(op.netns, op.name)
        return number is not None and taps.is_taken(self.host.index(op.netns, op.name), number)

    def _number(self, netns: str, name: str) -> int | None:
        """The number of a tap device's file, as sysfs tells."""
        path = f"class/net/{name}/tap{self.host.index(netns, name)}/dev"
        return taps.parsed(self.host.namespaces.read_sysfs(netns, path))

    def node_set(self, op: NodeSet) -> None:
        number = self._number(op.netns, op.device)
        if number is None:
            raise KernelError(errno.ENODEV, f"{op.device} has no file under /dev")
        group = Account(group=True).encode(op.group) if op.group else None
        taps.give(self.host.index(op.netns, op.device), number, Account().encode(op.owner or "root"), group)

    def _mark(self, op: LinkAdd) -> None:
        """Put its topology's mark on a device that an ioctl made."""
        if op.options.get("link_group"):
            self.host.forget_link(op.netns, op.name)
            self.link_set(LinkSet(op.netns, op.name, "", {"link_group": op.options["link_group"]}))

    def link_delete(self, op: LinkDelete) -> None:
        index = self.host.index(op.netns, op.name)
        number = self._number(op.netns, op.name) if op.kind and kind_of(op.kind).tap_info == op.kind else None
        self.host.socket(op.netns).request(link_message([], index), RTM_DELLINK)
        if number is not None:
            taps.remove(number)
        self.host.forget()

    def link_group_delete(self, op: LinkGroupDelete) -> None:
        sock = self.host.socket(op.netns)
        for name in op.names if op.gather else ():
            sock.request(link_message([("IFLA_GROUP", op.group)], self.host.index(op.netns, name)), RTM_NEWLINK)
        sock.request(link_message([("IFLA_GROUP", op.group)]), RTM_DELLINK)
        self.host.forget()

    def link_set(self, op: LinkSet) -> None:
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
        message = link_message(attrs, index, flags=1 if up == "up" else 0, change=1 if up else 0)
        self.host.socket(op.netns).request(message, RTM_NEWLINK)

    def tun_change(self, op: LinkSet) -> None:
        table = kind_of(op.kind).table
        options = {**op.replaces, **{name: table[name].type.encode(value) for name, value in op.changes.items()}}
        for name in ("owner", "group"):
            if name not in op.changes:
                options.pop(name, None)
        with self.host.namespaces.inside(op.netns):
            tun.change(op.name, options)

    def link_move(self, op: LinkMove) -> None:
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
        self.host.socket(op.netns).request(link_message(attrs, index), RTM_NEWLINK)
        self.host.forget()
        for mac in taken:
            # The kernel forgets them on the way, and what stands on the device would not hear its frames any more.
            apply_rows.take_mac(self.host, *op.to, mac)

    def vlan(self, op: Any) -> None:
        index = self.host.index(op.netns, op.device)
        message = vlan_message(index, op.vlan.vid, op.last, op.vlan.pvid, op.vlan.untagged, op.itself)
        kind = RTM_SETLINK if isinstance(op, VlanAdd) else RTM_DELLINK
        self.host.socket(op.netns).request(message, kind)

    def tunnel(self, op: Any) -> None:
        message = tunnel_message(self.host.index(op.netns, op.device), op.vlan.vid, op.last, op.vlan.tunnel_id)
        kind = RTM_SETLINK if isinstance(op, TunnelAdd) else RTM_DELLINK
        self.host.socket(op.netns).request(message, kind)

    def vni(self, op: Any) -> None:
        message = vni_message(self.host.index(op.netns, op.device), op.vni.vni, op.last, op.vni.remote)
        self.host.socket(op.netns).request(message, RTM_NEWTUNNEL if isinstance(op, VniAdd) else RTM_DELTUNNEL)

    def port_set(self, op: PortSet) -> None:
        attrs = {
            int(PORT_TABLE[name].attr): int(PORT_TABLE[name].type.encode(value)) for name, value in op.changes.items()
        }
        message = port_message(self.host.index(op.netns, op.device), attrs)
        self.host.socket(op.netns).request(message, RTM_SETLINK)

    def altname(self, op: Any) -> None:
        index = self.host.index(op.netns, op.device)
        attrs = [("IFLA_PROP_LIST", {"attrs": [("IFLA_ALT_IFNAME", op.altname)]})]
        add = isinstance(op, AltnameAdd)
        kind, flags = (RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND) if add else (RTM_DELLINKPROP, 0)
        self.host.socket(op.netns).request(link_message(attrs, index), kind, flags)

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
        if isinstance(op, AddressDelete):
            sock.request(address_message(fields, attrs), RTM_DELADDR)
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
            request = address_message(fields, [*attrs, ("IFA_FLAGS", value)] if value or len(wanted) > 1 else attrs)
            sock.request(extended(request, addr.rest), RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE)

    def row(self, op: Any) -> None:
        apply_rows.carry_out(self.host, op)

    def nexthop_move(self, op: NexthopMove) -> None:
        nexthop = op.nexthop
        index = self.host.index(op.netns, op.to)
        message = nexthop_message(nexthop.header, nexthop.number, index, nexthop.rest)
        self.host.socket(op.netns).request(message, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE)


VERBS: dict[type[Operation], Callable[[Applier, Any], None]] = {
    NamespaceAdd: Applier.namespace_add,
    NamespaceDelete: Applier.namespace_delete,
    NamespaceRestore: Applier.namespace_restore,
    LinkAdd: Applier.link_add,
    LinkDelete: Applier.link_delete,
    LinkGroupDelete: Applier.link_group_delete,
    LinkSet: Applier.link_set,
    LinkMove: Applier.link_move,
    PortSet: Applier.port_set,
    TunnelAdd: Applier.tunnel,
    TunnelDelete: Applier.tunnel,
    VlanAdd: Applier.vlan,
    VlanDelete: Applier.vlan,
    AltnameAdd: Applier.altname,
    AltnameDelete: Applier.altname,
    AddressAdd: Applier.address,
    AddressDelete: Applier.address,
    RowAdd: Applier.row,
    RowDelete: Applier.row,
    RowReplace: Applier.row,
    NexthopMove: Applier.nexthop_move,
    NodeSet: Applier.node_set,
    VniAdd: Applier.vni,
    VniDelete: Applier.vni,
    SysctlSet: Applier.sysctl_set,
    NatReplace: Applier.nat_replace,
    NatDelete: Applier.nat_delete,
    OvsReplace: Applier.ovs_replace,
    OvsDelete: Applier.ovs_delete,
    FileWrite: Applier.file_write,
    FileRemove: Applier.file_remove,
    DirectoriesRemove: Applier.directories_remove,
    SystemdReload: Applier.systemd_reload,
    NetworkdRestart: Applier.networkd_restart,
    NetworkManagerStop: Applier.networkmanager_stop,
    NetworkManagerStart: Applier.networkmanager_start,
    NetworkManagerReload: Applier.networkmanager_reload,
    DhcpMove: Applier.dhcp_move,
}


class Failed(VnetError):
    """An operation failed, or did not stick. `undone`: whether the host is as before."""

    def __init__(self, what: str, undone: bool) -> None:
        super().__init__(what)
        self.undone = undone


def apply(host: Host, plan: Plan, verify: Callable[[], None]) -> None:
    """Carry the plan out and verify it; on any failure undo it and raise Failed, which says what is left if undoing failed."""
    applier = Applier(host)
    done: list[tuple[Operation, ...]] = []
    try:
        for step in plan.steps:
            try:
                applier.carry_out(step.operation)
            except (KernelError, Refused) as exc:
                half_way = isinstance(step.operation, LinkSet) and len(step.operation.changes) > 1
                if half_way or isinstance(exc, Unfinished):
                    # The kernel changes one attribute after the other and may have stopped.
                    done.append(step.undo)
                hint = hint_for(step.operation, getattr(exc, "code", 0))
                raise VnetError(f"'{step.operation.command()}' failed: {exc}{'; ' + hint if hint else ''}") from None
            done.append(step.undo)
        host.forget()
        verify()
    except BaseException as exc:
        left = undo(applier, done, plan.before) if done else []
        if not isinstance(exc, VnetError):
            raise
        if left:
            raise Failed(
                f"{exc}; undoing it failed too, and this is left to do by hand: {'; '.join(left)}", False
            ) from None
        raise Failed(f"{exc}; {'the host is as it was before' if done else 'nothing was changed'}", True) from None
