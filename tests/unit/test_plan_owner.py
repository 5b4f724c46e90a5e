# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bridge with an uplink that comes back at boot: what is planned, from what is read of the program that configures it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import persist
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import link_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.owners import Owner
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import Plan, plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.read_owner import setup_of
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import Addr, Link, Setup, State, UplinkFacts
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import topology_wants

if TYPE_CHECKING:
    from pathlib import Path

MAC = "02:00:00:00:00:05"
NETWORK = "[Match]\nName=lan*\n\n[Network]\nDHCP=ipv4\nAddress=10.0.0.5/24\n"
NETWORKD = Setup("systemd-networkd", {"name": "10-lan.network", "text": NETWORK, "iaid": 77, "iaid6": None})
YAML = "network:\n  ethernets:\n    lan0:\n      dhcp4: true\n      addresses: [10.0.0.5/24]\n"
YAML_PATH = "/etc/netplan/10-lan.yaml"
NETPLAN = Setup("netplan", {"path": YAML_PATH, "name": "lan0", "text": YAML, "iaid": 77, "iaid6": None})
INTERFACES = "auto lan0\niface lan0 inet dhcp\n"
IFUPDOWN = Setup("ifupdown", {"files": {"/etc/network/interfaces": INTERFACES}}, client="lan0")
OWNED = "systemd-networkd configures lan0 and would put its addresses back there"
RESTART = "systemctl restart systemd-networkd.service"
GENERATE = f"netplan generate && {RESTART}"


def host(setup: Setup, owner: str = "") -> State:
    state = State()
    attrs = {"mac": MAC, "mtu": 1500, "admin_state": "up"}
    state.put(Link("", "lan0", "", attrs, (Addr("10.0.0.5/24"),), index=2))
    state.links["", "br0"] = None
    state.uplinks["", "lan0"] = UplinkFacts(owner=owner, setup=setup)
    if setup.program == "netplan":
        state.files[YAML_PATH] = YAML
    if setup.program == "ifupdown":
        state.files.update(setup.source["files"])
        state.files["/run/network/ifstate"] = "lo=lo\nlan0=lan0\n"
    return state


def asked(current: State, later: bool = False, **options: Any) -> Plan:
    params = {"name": "br0", "state": "present", "append": False, **options}
    want = link_want(BRIDGE, params)
    keep = persist.keep("vnet_bridge", params, want, dict)
    return plan(current, (want,), None, keep._replace(later=later) if keep else None)


def again(done: Plan, setup: Setup) -> State:
    """What is found afterwards."""
    state = done.after.copy()
    state.uplinks["", "lan0"] = UplinkFacts(setup=setup)
    return state


def written(done: Plan) -> list[str]:
    return sorted(path for path, content in done.after.files.items() if content is not None)


def undone(done: Plan) -> State:
    model = done.after.copy()
    for step in reversed(done.steps):
        for operation in step.undo:
            operation.simulate(model)
    return model


NETWORKD_FILES = [f"/etc/systemd/network/0-vnet-{name}" for name in ("br0.netdev", "br0.network", "lan0.network")]


def test_networkd_is_told_and_told_back() -> None:
    start = host(NETWORKD, OWNED)
    done = asked(start, uplink="lan0", persist=True)
    assert set(NETWORKD_FILES) < set(written(done))
    assert done.commands.count(RESTART) == 1
    moved = done.commands.index("ip address delete 10.0.0.5/24 dev lan0")
    assert (
        moved < done.commands.index(f"install -D -m 0644 /dev/stdin {NETWORKD_FILES[0]}") < done.commands.index(RESTART)
    )
    assert "IAID=77" in str(done.after.files[NETWORKD_FILES[1]])
    # Undoing ends with it, after the addresses are back.
    assert done.steps[0].undo[-1].command() == RESTART
    before = {path: content for path, content in undone(done).files.items() if content is not None}
    assert before == {}
    # What it says of the device then is by our file, of which nothing can be made.
    found = again(done, Setup("systemd-networkd"))
    assert asked(found, uplink="lan0", persist=True).commands == []
    assert asked(found, uplink="lan0").commands == []
    gone = asked(found, state="absent")
    assert not [path for path in written(gone) if "systemd" in path or "uplinks" in path]
    assert gone.commands.index(RESTART) > gone.commands.index(f"rm {NETWORKD_FILES[0]}")


def test_what_is_not_confirmed_is_gone_after_a_boot() -> None:
    first = asked(host(NETWORKD, OWNED), later=True, uplink="lan0", persist=True)
    assert not [path for path in written(first) if path.startswith("/etc")]
    assert "/run/systemd/network/0-vnet-br0.netdev" in written(first)
    assert RESTART in first.commands
    found = again(first, Setup("systemd-networkd"))
    assert asked(found, later=True, uplink="lan0", persist=True).commands == []
    second = asked(found, uplink="lan0", persist=True)
    assert RESTART not in second.commands, "it has the same files already"
    assert set(NETWORKD_FILES) < set(written(second))
    assert not [path for path in written(second) if path.startswith("/run/systemd")]
    assert asked(again(second, Setup("systemd-networkd")), uplink="lan0", persist=True).commands == []


NETPLAN_FILES = ["/etc/netplan/90-vnet-br0.yaml", "/etc/systemd/network/10-netplan-br0.network.d/0-vnet.conf"]


def test_netplan_is_told_and_told_back() -> None:
    start = host(NETPLAN, OWNED)
    done = asked(start, uplink="lan0", persist=True)
    assert set(NETPLAN_FILES) < set(written(done))
    assert done.commands.count(GENERATE) == 1
    assert done.commands.index(GENERATE) > done.commands.index(f"install -D -m 0600 /dev/stdin {NETPLAN_FILES[0]}")
    assert done.after.files[YAML_PATH] == "network:\n  ethernets:\n    lan0: {}\n"
    assert "IAID=77" in str(done.after.files[NETPLAN_FILES[1]])
    assert done.steps[0].undo[-1].command() == GENERATE
    before = {path: content for path, content in undone(done).files.items() if content is not None}
    assert before == {YAML_PATH: YAML}
    found = again(done, Setup("netplan"))
    assert asked(found, uplink="lan0", persist=True).commands == []
    assert asked(found, uplink="lan0").commands == []
    more = asked(found, uplink="lan0", addresses=["10.0.0.5/24", "10.5.0.1/24"], persist=True)
    assert "- 10.5.0.1/24" in str(more.after.files[NETPLAN_FILES[0]])
    assert GENERATE in more.commands
    gone = asked(found, state="absent")
    assert [path for path in written(gone) if "conf.d" not in path] == [YAML_PATH]
    assert gone.after.files[YAML_PATH] == YAML
    assert "rmdir --ignore-fail-on-non-empty" in str(gone.commands)
    assert gone.commands.index(GENERATE) > gone.commands.index(f"rm {NETPLAN_FILES[0]}")


def test_what_else_is_in_netplans_file_may_change_meanwhile() -> None:
    found = again(asked(host(NETPLAN), uplink="lan0", persist=True), Setup("netplan"))
    added = str(found.files[YAML_PATH]) + "    eth1: {dhcp4: true}\n"
    found.files[YAML_PATH] = added
    assert asked(found, uplink="lan0", persist=True).commands == []
    assert asked(found, state="absent").after.files[YAML_PATH] == YAML + "    eth1: {dhcp4: true}\n"
    found.files[YAML_PATH] = added.replace("lan0: {}", "lan0: {mtu: 1400}")
    assert asked(found, uplink="lan0", persist=True).commands == []
    with pytest.raises(Refused, match="mend it by hand"):
        asked(found, state="absent")


def test_what_is_not_confirmed_hides_netplans_file_till_a_boot() -> None:
    first = asked(host(NETPLAN, OWNED), later=True, uplink="lan0", persist=True)
    assert [path for path in written(first) if path.startswith("/etc")] == [YAML_PATH]
    assert first.after.files[YAML_PATH] == YAML
    assert "lan0: {}" in str(first.after.files["/run/netplan/10-lan.yaml"])
    assert GENERATE in first.commands
    found = again(first, Setup("netplan"))
    assert asked(found, later=True, uplink="lan0", persist=True).commands == []
    second = asked(found, uplink="lan0", persist=True)
    assert GENERATE not in second.commands, "it has the same files already"
    assert set(NETPLAN_FILES) < set(written(second))
    assert not [path for path in written(second) if path.startswith(("/run/netplan", "/run/systemd"))]
    assert asked(again(second, Setup("netplan")), uplink="lan0", persist=True).commands == []
    back = asked(found, uplink="")
    assert not [path for path in written(back) if path.startswith(("/run/netplan", "/run/systemd"))]
    assert back.after.files[YAML_PATH] == YAML


def test_ifupdown_is_told_and_told_back() -> None:
    start = host(IFUPDOWN, "dhclient configures lan0")
    done = asked(start, uplink="lan0", persist=True)
    text = str(done.after.files["/etc/network/interfaces"])
    assert "iface br0 inet dhcp" in text
    assert "iface lan0 inet manual" in text
    assert done.after.files["/run/network/ifstate"] == "lo=lo\nlan0=lan0\nbr0=br0\n"
    assert [command for command in done.commands if "dhclient.br0.pid" in command]
    assert undone(done).files["/etc/network/interfaces"] == INTERFACES
    files = {"/etc/network/interfaces": text}
    found = again(done, Setup("ifupdown", {"files": files}, client="br0"))
    assert asked(found, uplink="lan0", persist=True).commands == []
    gone = asked(found, uplink="")
    assert gone.after.files["/etc/network/interfaces"] == INTERFACES
    assert gone.after.files["/run/network/ifstate"] == "lo=lo\nlan0=lan0\n"
    assert [command for command in gone.commands if "-pf /run/dhclient.lan0.pid" in command]


def test_what_somebody_changed_since_is_left_and_said() -> None:
    done = asked(host(IFUPDOWN), uplink="lan0", persist=True)
    found = again(done, Setup("ifupdown", IFUPDOWN.source, client="br0"))
    found.files["/etc/network/interfaces"] = str(found.files["/etc/network/interfaces"]).replace(
        "bridge_stp off", "bridge_stp on"
    )
    assert asked(found, uplink="lan0", persist=True).commands == []
    with pytest.raises(Refused, match="mend it by hand"):
        asked(found, state="absent")


def test_addresses_of_the_task_have_to_have_those_of_the_configuration() -> None:
    with pytest.raises(Refused, match=r"gives 10\.0\.0\.5/24, which is not among 'addresses'"):
        asked(host(NETWORKD), uplink="lan0", persist=True, addresses=["10.0.0.6/24"])
    done = asked(host(NETWORKD), uplink="lan0", persist=True, addresses=["10.0.0.5/24", "10.5.0.1/24"])
    assert "Address=10.5.0.1/24" in str(done.after.files[NETWORKD_FILES[1]])


@pytest.mark.parametrize(
    ("setup", "options", "says"),
    [
        (Setup("NetworkManager", unfit="NetworkManager configures it"), {}, "NetworkManager"),
        (Setup(unfit="nobody was found who configures lan0 at boot"), {}, "nobody was found"),
        (
            Setup(
                "systemd-networkd", {"name": "a.network", "text": "[Network]\nBond=b\n", "iaid": None, "iaid6": None}
            ),
            {},
            "Bond=",
        ),
        (Setup("ifupdown", {"files": {"/etc/network/interfaces": "iface lan0 inet ppp\n"}}), {}, "ppp"),
    ],
)
def test_what_is_not_sure_is_refused(setup: Setup, options: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=f"'persist' can't keep it: .*{says}"):
        asked(host(setup), uplink="lan0", persist=True, **options)


def test_without_persist_the_owner_minds() -> None:
    with pytest.raises(Refused, match="would put its addresses back"):
        asked(host(NETWORKD, OWNED), uplink="lan0")


def test_what_else_is_kept_waits_for_the_bridge_at_boot() -> None:
    done = asked(host(NETWORKD), uplink="lan0", persist=True, stp=True)
    kept = json.loads(str(done.after.files["/etc/vnet/conf.d/bridge-br0.json"]))
    assert kept["awaits"] == {"br0": ["lan0", 0]}
    assert kept["options"] == {"name": "br0", "stp": True}


def test_of_a_topology_the_bridge_has_its_mark_at_boot() -> None:
    params = {"name": "lab", "bridges": [{"name": "br0", "uplink": "lan0"}], "persist": True}
    owner, wants = topology_wants(params)
    done = plan(host(NETWORKD), wants, owner, persist.keep("vnet_topology", params, None, dict))
    assert owner
    assert f"Group={owner.link_group}" in str(done.after.files[NETWORKD_FILES[1]])
    kept = json.loads(str(done.after.files["/etc/vnet/conf.d/topology-lab.json"]))
    assert kept["awaits"] == {"br0": ["lan0", owner.link_group]}
    assert kept["options"]["bridges"] == [{"name": "br0"}]


# -- what is read ------------------------------------------------------------------------------------------------------


def test_networkd_with_drop_ins(tmp_path: Path) -> None:
    for place, name, text in (
        ("etc/systemd/network", "10-lan.network", NETWORK),
        ("usr/lib/systemd/network/10-lan.network.d", "a.conf", "[Network]\nDNS=192.0.2.1\n"),
        ("etc/systemd/network/10-lan.network.d", "a.conf", "[Network]\nDNS=192.0.2.2\n"),
        ("run/systemd/network/10-lan.network.d", "b.conf", "[Network]\nNTP=192.0.2.3\n"),
        ("etc/systemd/network", "20-x.link", "[Match]\nOriginalName=*\n"),
        ("run/systemd/netif/links", "4", "DHCP6_CLIENT_IAID=0x4e\n"),
        ("run/systemd/netif/leases", "4", "ADDRESS=10.0.0.9\nCLIENTID=ff0000004d00020000ab11aabbccdd\n"),
    ):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / name).write_text(text, encoding="utf-8")
    owner = Owner("systemd-networkd", True, "/etc/systemd/network/10-lan.network")
    found = setup_of(owner, "lan0", 4, "br0", str(tmp_path))
    assert not found.unfit
    assert (found.source["iaid"], found.source["iaid6"]) == (77, 0x4E)
    assert found.source["text"].startswith(NETWORK)
    assert "192.0.2.1" not in found.source["text"]
    assert found.source["text"].index("192.0.2.2") < found.source["text"].index("192.0.2.3")
    assert list(found.others) == ["/etc/systemd/network/20-x.link"]
    ours = Owner("systemd-networkd", False, "/etc/systemd/network/0-vnet-lan0.network")
    assert setup_of(ours, "lan0", 4, "br0", str(tmp_path)).source == {}
    assert setup_of(Owner("systemd-networkd"), "lan0", 4, "br0", str(tmp_path)).unfit


def test_netplan_with_all_that_it_reads(tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("lib/netplan", "etc/netplan", "run/netplan", "etc/cloud/cloud.cfg.d")}
    for place in places.values():
        place.mkdir(parents=True)
    (places["lib/netplan"] / "00-network-manager-all.yaml").write_text("network: {renderer: NetworkManager}\n")
    (places["lib/netplan"] / "50-cloud-init.yaml").write_text("this is hidden, and no YAML: [\n")
    (places["etc/netplan"] / "50-cloud-init.yaml").write_text(YAML)
    owner = Owner("netplan", True, "/run/systemd/network/10-netplan-lan0.network")

    def found() -> Setup:
        return setup_of(owner, "lan0", 4, "br0", str(tmp_path))

    assert "cloud-init might write /etc/netplan/50-cloud-init.yaml again" in found().unfit
    (places["etc/cloud/cloud.cfg.d"] / "99-x.cfg").write_text("network: {config: disabled}\n")
    assert found().source == {**NETPLAN.source, "path": "/etc/netplan/50-cloud-init.yaml", "iaid": None}
    drop_in = tmp_path / "etc/systemd/network/10-netplan-lan0.network.d"
    drop_in.mkdir(parents=True)
    (drop_in / "a.conf").write_text("[Network]\nLLDP=no\n")
    assert "drop-ins add to /run/systemd/network/10-netplan-lan0.network" in found().unfit
    (places["run/netplan"] / "90-vnet-br0.yaml").write_text("network: {}\n")
    assert found() == Setup("netplan"), "it is ours already"


def test_ifupdown_with_all_that_it_reads(tmp_path: Path) -> None:
    network = tmp_path / "etc/network"
    for name, text in (
        (
            "interfaces",
            "source interfaces.d/*.conf\nsource-directory /etc/network/more\nauto lo\niface lo inet loopback\n",
        ),
        ("interfaces.d/lan.conf", INTERFACES),
        ("interfaces.d/lan.bak", "this is not read"),
        ("more/vpn", "iface tun7 inet manual\n"),
        ("more/vpn.dpkg-old", "nor is this"),
        ("if-pre-up.d/bridge", ""),
    ):
        (network / name).parent.mkdir(parents=True, exist_ok=True)
        (network / name).write_text(text, encoding="utf-8")
    found = setup_of(Owner("ifupdown"), "lan0", 4, "br0", str(tmp_path))
    assert not found.unfit
    assert list(found.source["files"]) == [
        "/etc/network/interfaces",
        "/etc/network/interfaces.d/lan.conf",
        "/etc/network/more/vpn",
    ]
    for name, text in (("run/dhclient6.lan0.pid", "77\n"), ("proc/77/comm", "dhclient\n")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "run/network").mkdir()
    (tmp_path / "run/network/ifstate").write_text("lan0=lan0\n", encoding="utf-8")
    assert "DHCPv6" in setup_of(Owner("dhclient", True), "lan0", 4, "br0", str(tmp_path)).unfit
    assert "DHCPv6" in setup_of(Owner("ifupdown"), "lan0", 4, "br0", str(tmp_path)).unfit
    (network / "if-pre-up.d/bridge").unlink()
    assert "bridge-utils" in setup_of(Owner("ifupdown"), "lan0", 4, "br0", str(tmp_path)).unfit
    (tmp_path / "usr/share/ifupdown2").mkdir(parents=True)
    assert "ifupdown2" in setup_of(Owner("ifupdown"), "lan0", 4, "br0", str(tmp_path)).unfit


def test_a_client_that_ifupdown_did_not_start_is_refused(tmp_path: Path) -> None:
    assert "can't be rewritten" in setup_of(Owner("dhclient", True), "lan0", 4, "br0", str(tmp_path)).unfit
    for name in ("NetworkManager", "dhcpcd"):
        assert name in setup_of(Owner(name), "lan0", 4, "br0", str(tmp_path)).unfit
