# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What pyroute2 lacks or gets wrong, mostly of kinds of links: a class in place of its own for each, until all releases have it.

netlink.py imports this where there is a pyroute2, and nobody else does.
"""

from __future__ import annotations

from typing import Any

try:
    from pyroute2.netlink import nla
    from pyroute2.netlink.rtnl.ifinfmsg.plugins import geneve as _geneve
    from pyroute2.netlink.rtnl.ifinfmsg.plugins import ipvlan as _ipvlan
    from pyroute2.netlink.rtnl.ifinfmsg.plugins import vxlan as _vxlan
except ImportError:
    # It is netlink.py that says what is missing; all that Ansible wants is that every file can be imported.
    nla = object


def amended(old: Any, changed: dict[str, str] | None = None, more: tuple[tuple[str, str], ...] = ()) -> Any:
    """The attributes of a class of pyroute2's, with other types for some, and `more` at the end where they are not there yet."""
    known = tuple((entry[-2], (changed or {}).get(entry[-2], entry[-1])) for entry in old.nla_map)
    names = {name for name, _kind in known}
    return known + tuple(entry for entry in more if entry[0] not in names)


class _FlagOrByte(nla):  # type: ignore[misc]  # pyroute2 has no types
    """What is asked for as a flag, and told as a byte."""

    fields = (("value", "s"),)

    def encode(self) -> None:
        self["value"] = b""
        super().encode()

    def decode(self) -> None:
        super().decode()
        self.value = self["value"] not in (b"", b"\0")


class _Bits(nla):  # type: ignore[misc]  # as above
    """`struct br_boolopt_multi`, and `struct ifla_vlan_flags`: asked for as {bit: on}, by the numbers of the bits."""

    fields = (("optval", "I"), ("optmask", "I"))

    def encode(self) -> None:
        bits = {bit: on for bit, on in self.items() if isinstance(bit, int)}
        self["optval"] = sum(1 << bit for bit, on in bits.items() if on)
        self["optmask"] = sum(1 << bit for bit in bits)
        super().encode()


def register(ifinfmsg: Any) -> None:
    """Put our classes in the place of pyroute2's."""
    kinds: Any = ifinfmsg.ifinfo.data_map
    old_macvlan, old_bridge, old_vlan = kinds["macvlan"], kinds["bridge"], kinds["vlan"]

    class Macvlan(old_macvlan):  # type: ignore[misc, valid-type]  # as above
        """Modes are words there, and it ends with IFLA_MACVLAN_MACADDR_COUNT; and a macvtap device has the same attributes."""

        nla_map = amended(
            old_macvlan,
            dict.fromkeys(("IFLA_MACVLAN_MODE", "IFLA_MACVLAN_MACADDR_MODE"), "uint32"),
            (("IFLA_MACVLAN_BC_QUEUE_LEN", "uint32"),),
        )

    class Ipvlan(_ipvlan.ipvlan):  # type: ignore[misc]  # as above
        """It lacks the flags."""

        nla_map = amended(_ipvlan.ipvlan, more=(("IFLA_IPVLAN_FLAGS", "uint16"),))

    class Geneve(_geneve.geneve):  # type: ignore[misc]  # as above
        """IFLA_GENEVE_DF takes two bytes there, and words."""

        nla_map = amended(_geneve.geneve, {"IFLA_GENEVE_DF": "uint8"})

    class Vxlan(_vxlan.vxlan):  # type: ignore[misc]  # as above
        """VNIFILTER and LOCALBYPASS are missing, or in the wrong place; LABEL is in network byte order."""

        nla_map = (
            *(
                entry
                for entry in amended(_vxlan.vxlan, {"IFLA_VXLAN_TTL_INHERIT": "FlagOrByte", "IFLA_VXLAN_LABEL": "be32"})
                if entry[0] not in ("IFLA_VXLAN_VNIFILTER", "IFLA_VXLAN_LOCALBYPASS")
            ),
            ("IFLA_VXLAN_VNIFILTER", "uint8"),
            ("IFLA_VXLAN_LOCALBYPASS", "uint8"),
        )

        FlagOrByte = _FlagOrByte

    class Bridge(old_bridge):  # type: ignore[misc, valid-type]  # as above
        """It ends with IFLA_BR_MCAST_MLD_VERSION."""

        nla_map = amended(
            old_bridge,
            {"IFLA_BR_MULTI_BOOLOPT": "Bits"},
            (
                ("IFLA_BR_VLAN_STATS_PER_PORT", "uint8"),
                ("IFLA_BR_MULTI_BOOLOPT", "Bits"),
                ("IFLA_BR_MCAST_QUERIER_STATE", "hex"),
                ("IFLA_BR_FDB_N_LEARNED", "uint32"),
                ("IFLA_BR_FDB_MAX_LEARNED", "uint32"),
            ),
        )

        Bits = _Bits

    class Vlan(old_vlan):  # type: ignore[misc, valid-type]  # as above
        """Its flags are two numbers there, each as a whole."""

        nla_map = amended(old_vlan, {"IFLA_VLAN_FLAGS": "Bits"})

        Bits = _Bits

    kinds.update(
        vxlan=Vxlan,
        geneve=Geneve,
        macvlan=Macvlan,
        macvtap=Macvlan,
        ipvlan=Ipvlan,
        ipvtap=Ipvlan,
        bridge=Bridge,
        vlan=Vlan,
    )


def neighbor(ndmsg: Any) -> Any:
    """The class of messages about neighbours and FDB entries, which ends with NDA_MASTER in 0.7.2."""

    class Neighbor(ndmsg):  # type: ignore[misc]  # as above
        nla_map = amended(ndmsg, more=(("NDA_LINK_NETNSID", "uint32"), ("NDA_SRC_VNI", "uint32")))

    return Neighbor
