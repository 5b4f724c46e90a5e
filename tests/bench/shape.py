# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end state that everybody builds, in the words of each: N containers on one bridge.

A container is a namespace with an up `lo`, and an `eth0` that has an address and a default route through the
bridge; the other end of `eth0` is a port of the bridge `br0`.
"""

from __future__ import annotations

from typing import Any

GATEWAY = "10.9.0.1"
BRIDGE_ADDRESS = f"{GATEWAY}/16"
MOST = 1000
"""A bridge takes 1,023 ports, and a thousand is a round number."""

Entry = dict[str, Any]


def container(number: int) -> str:
    return f"c{number}"


def port(number: int) -> str:
    return f"v{number}"


def address(number: int) -> str:
    """With its prefix. The gateway has the first one of the subnet."""
    return f"10.9.{number // 250}.{number % 250 + 2}/16"


def bridge() -> Entry:
    return {"name": "br0", "addresses": [BRIDGE_ADDRESS]}


def namespace(number: int) -> Entry:
    return {"name": container(number)}


def veth(number: int) -> Entry:
    peer = {"name": "eth0", "netns": container(number), "addresses": [address(number)]}
    return {"name": port(number), "master": "br0", "peer": peer}


def route(number: int) -> Entry:
    return {"netns": container(number), "destination": "default", "gateway": GATEWAY}


def topology(count: int) -> Entry:
    """The options of vnet_topology."""
    return {
        "name": "bench",
        "bridges": [bridge()],
        "namespaces": [namespace(number) for number in range(count)],
        "veths": [veth(number) for number in range(count)],
        "routes": [route(number) for number in range(count)],
    }


def single_tasks(count: int) -> list[Entry]:
    """The same by modules that make one thing each, in loops."""

    def loop(module: str, entries: list[Entry]) -> Entry:
        # Without the label Ansible prints each entry in full.
        return {
            f"linuxnet.vnet.{module}": "{{ item }}",
            "loop": entries,
            "loop_control": {"label": ""},
        }

    numbers = range(count)
    return [
        {"linuxnet.vnet.vnet_bridge": bridge()},
        loop("vnet_netns", [namespace(number) for number in numbers]),
        loop("vnet_veth", [veth(number) for number in numbers]),
        loop("vnet_route", [route(number) for number in numbers]),
    ]


def ip_lines(count: int, up_last: bool) -> list[str]:
    """For `ip -batch` in the host. `up_last`: the bridge comes up elsewhere, when all is done."""
    return [
        "link add br0 type bridge",
        f"address add {BRIDGE_ADDRESS} dev br0",
        *([] if up_last else ["link set br0 up"]),
        *(f"netns add {container(number)}" for number in range(count)),
        *(
            f"link add {port(number)} master br0 up type veth peer name eth0 netns {container(number)}"
            for number in range(count)
        ),
    ]


def ip_lines_inside(number: int) -> list[str]:
    """For `ip -n NS -batch`."""
    return [
        "link set lo up",
        "link set eth0 up",
        f"address add {address(number)} dev eth0",
        f"route add default via {GATEWAY}",
    ]


def cni_network(number: int) -> Entry:
    """What the CNI plugin `bridge` reads; addresses by the plugin `static`, which costs least."""
    return {
        "cniVersion": "0.4.0",
        "name": "bench",
        "type": "bridge",
        "bridge": "br0",
        "isGateway": True,
        "ipam": {
            "type": "static",
            "addresses": [{"address": address(number), "gateway": GATEWAY}],
            "routes": [{"dst": "0.0.0.0/0", "gw": GATEWAY}],
        },
    }


def ifstate_config(count: int) -> Entry:
    """ifstate's configuration file."""
    ports = {
        port(number): {
            "link": {"kind": "veth", "peer": "eth0", "peer_netns": container(number), "master": "br0", "state": "up"}
        }
        for number in range(count)
    }
    inside = {
        container(number): {
            "interfaces": {
                "eth0": {
                    "addresses": [address(number)],
                    "link": {"kind": "veth", "peer": port(number), "peer_netns": None, "state": "up"},
                }
            },
            "routing": {"routes": [{"to": "0.0.0.0/0", "via": GATEWAY}]},
        }
        for number in range(count)
    }
    bridge_link = {"addresses": [BRIDGE_ADDRESS], "link": {"kind": "bridge", "state": "up"}}
    return {"interfaces": {"br0": bridge_link, **ports}, "namespaces": inside}
