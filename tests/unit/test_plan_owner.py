# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bridge with an uplink that comes back at boot: what is planned, from what is read of the program that configures it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import networkmanager, persist
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import link_want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Refused
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds.bridge import BRIDGE
from ansible_collections.linuxnet.vnet.plugins.module_utils.owner_networkmanager import Source, asleep, uuids
from ansible_collections.linuxnet.vnet.plugins.module_utils.owner_operations import (
    NetworkManagerStart,
    NetworkManagerStop,
)
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
UUID = "5d0f3f2e-0f0c-4b52-9a55-6b1a0a0e7d11"
PROFILE = f"[connection]\nid=lan\nuuid={UUID}\ntype=ethernet\ninterface-name=lan0\n\n[ipv4]\naddress1=10.0.0.5/24\nmethod=auto\n"
PROFILE_PATH = "/etc/NetworkManager/system-connections/lan.nmconnection"
MANAGED = Setup("NetworkManager", Source(PROFILE_PATH, PROFILE, UUID, "100", "01:02:00:00:00:00:05")._asdict())
OURS = Setup("NetworkManager")
STOP, START = (f"systemctl {verb} NetworkManager.service" for verb in ("stop", "start"))
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
    if setup.program == "NetworkManager" and setup.source:
        state.files[PROFILE_PATH] = PROFILE
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


NETWORKMANAGER_FILES = [
    f"/etc/NetworkManager/system-connections/vnet-{name}.nmconnection" for name in ("br0", "br0-port")
]


def started(done: Plan) -> NetworkManagerStart:
    (found,) = [step.operation for step in done.steps if isinstance(step.operation, NetworkManagerStart)]
    return found


def test_networkmanager_is_stopped_meanwhile_and_goes_on_with_the_bridge() -> None:
    start = host(MANAGED, "NetworkManager configures lan0")
    done = asked(start, uplink="lan0", persist=True)
    assert (done.commands[0], done.commands[-2]) == (STOP, START), "the file of what is kept may come after it"
    assert done.after.files[PROFILE_PATH] == asleep(PROFILE)[0]
    for path in NETWORKMANAGER_FILES:
        assert f"install -D -m 0600 /dev/stdin {path}" in done.commands
    of_bridge, of_port = uuids(UUID, "br0")
    writes = [line.split()[-1] for line in done.commands if "system-connections" in line]
    assert writes == [*NETWORKMANAGER_FILES, PROFILE_PATH], "there is no moment at which a boot would bring no network"
    begin = started(done)
    assert begin.devices == (("br0", of_bridge), ("lan0", of_port))
    leases = "/var/lib/NetworkManager/internal-"
    assert begin.leases == ((f"{leases}{UUID}-lan0.lease", f"{leases}{of_bridge}-br0.lease"),)
    # Undone, it is stopped first, and at the end goes on with the uplink.
    assert [step.undo for step in done.steps if step.operation == begin] == [(NetworkManagerStop(()),)]
    assert done.steps[0].undo == (NetworkManagerStart((("lan0", UUID), ("br0", ""))),)
    before = {path: content for path, content in undone(done).files.items() if content is not None}
    assert before == {PROFILE_PATH: PROFILE}
    found = again(done, OURS)
    assert asked(found, uplink="lan0", persist=True).commands == []
    assert asked(found, uplink="lan0").commands == []
    with pytest.raises(Refused, match="NetworkManager would take lan0 away"):
        asked(found, uplink="lan0", persist=False)
    gone = asked(found, state="absent")
    assert (gone.commands[0], gone.commands.count(START)) == (STOP, 1)
    assert gone.after.files[PROFILE_PATH] == PROFILE
    assert not [path for path in written(gone) if "vnet" in path]
    writes = [line.split()[-1] for line in gone.commands if "system-connections" in line]
    assert writes == [PROFILE_PATH, *NETWORKMANAGER_FILES]
    end = started(gone)
    assert end.devices == (("lan0", UUID), ("br0", ""))
    assert end.leases == ((f"{leases}{of_bridge}-br0.lease", f"{leases}{UUID}-lan0.lease"),)
    assert [step.undo[0].command() for step in gone.steps if "rm /etc/NetworkManager" in step.operation.command()] == [
        f"install -D -m 0600 /dev/stdin {path}" for path in NETWORKMANAGER_FILES
    ]


def test_profiles_that_are_not_confirmed_are_gone_after_a_boot_and_the_one_before_is_not_touched() -> None:
    first = asked(host(MANAGED), later=True, uplink="lan0", persist=True)
    assert [path for path in written(first) if path.startswith("/etc")] == [PROFILE_PATH]
    assert first.after.files[PROFILE_PATH] == PROFILE
    assert "/run/NetworkManager/system-connections/vnet-br0.nmconnection" in written(first)
    assert START in first.commands
    found = again(first, OURS)
    assert asked(found, later=True, uplink="lan0", persist=True).commands == []
    second = asked(found, uplink="lan0", persist=True)
    assert STOP not in second.commands, "it has the same profiles already"
    assert "nmcli connection reload" in second.commands
    assert second.steps[0].undo[-1].command() == "nmcli connection reload"
    assert set(NETWORKMANAGER_FILES) < set(written(second))
    assert second.after.files[PROFILE_PATH] == asleep(PROFILE)[0]
    assert not [path for path in written(second) if path.startswith("/run/NetworkManager")]
    assert asked(again(second, OURS), uplink="lan0", persist=True).commands == []
    expired = asked(found, state="absent")
    assert written(expired) == [PROFILE_PATH]


def test_of_a_topology_networkmanager_marks_the_bridge_at_boot_and_takes_several_at_once() -> None:
    state = host(MANAGED)
    path = "/etc/NetworkManager/system-connections/wan.nmconnection"
    other = PROFILE.replace("lan", "wan").replace("10.0.0.5", "10.1.0.5").replace("5d0f", "6d0f")
    uuid = UUID.replace("5d0f", "6d0f")
    attrs = {"mac": "02:00:00:00:00:06", "mtu": 1500, "admin_state": "up"}
    state.put(Link("", "wan0", "", attrs, (Addr("10.1.0.5/24"),), index=3))
    state.links["", "br1"] = None
    state.uplinks["", "wan0"] = UplinkFacts(setup=Setup("NetworkManager", Source(path, other, uuid)._asdict()))
    state.files[path] = other
    bridges = [{"name": "br0", "uplink": "lan0"}, {"name": "br1", "uplink": "wan0"}]
    params = {"name": "lab", "bridges": bridges, "persist": True}
    owner, wants = topology_wants(params)
    done = plan(state, wants, owner, persist.keep("vnet_topology", params, None, dict))
    assert owner
    assert (done.commands.count(STOP), done.commands.count(START)) == (1, 1)
    assert done.commands[0] == STOP
    moves = [number for number, command in enumerate(done.commands) if command.startswith("ip address delete")]
    assert max(moves) < done.commands.index(START)
    assert [device for device, _uuid in started(done).devices] == ["br0", "lan0", "br1", "wan0"]
    for name in ("br0", "br1"):
        script = f"/etc/NetworkManager/dispatcher.d/vnet-{name}"
        assert f"group {owner.link_group}\n" in str(done.after.files[script])
        assert f"install -D -m 0755 /dev/stdin {script}" in done.commands


def test_a_profile_that_is_ours_for_another_bridge_is_refused() -> None:
    with pytest.raises(Refused, match="for another bridge"):
        asked(host(OURS), uplink="lan0", persist=True)


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
    with pytest.raises(Refused, match=r"gives 10\.0\.0\.5/24, which is not among 'addresses'"):
        asked(host(MANAGED), uplink="lan0", persist=True, addresses=["10.0.0.6/24"])
    done = asked(host(MANAGED), uplink="lan0", persist=True, addresses=["10.0.0.5/24", "10.5.0.1/24"])
    assert "address2=10.5.0.1/24" in str(done.after.files[NETWORKMANAGER_FILES[0]])
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


def test_networkmanager_with_all_that_it_says_and_has_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [""]
    monkeypatch.setattr(networkmanager, "nmcli", lambda *_words: said[0])

    def put(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")

    def found() -> Setup:
        return setup_of(Owner("NetworkManager", True), "lan0", 4, "br0", str(tmp_path))

    assert "by no profile that is a keyfile" in found().unfit
    noted = f"[device]\nmanaged=true\nconnection-uuid={UUID}\nroute-metric-default-effective=101\n"
    leased = "[dhcp4]\ndhcp4.ip_address=10.0.0.9\ndhcp4.dhcp_client_identifier=01:02\n"
    put(
        "run/NetworkManager/devices/4",
        noted + leased + "[dhcp6]\ndhcp6.dhcp6_client_id=00:04\ndhcp6.iaid=b8:bd:9b:bf\n",
    )
    put("proc/thread-self/net/if_inet6", "fd0000000000000066598de27ae4e4f5 02 40 00 00     lan0\n")
    put(PROFILE_PATH[1:], PROFILE)
    put("etc/NetworkManager/system-connections/.hidden", PROFILE)
    put("run/NetworkManager/system-connections/lo.nmconnection", "[connection]\nuuid=another\ninterface-name=lo\n")
    assert "has a DHCP client on lan0 that is not its own" in found().unfit
    put(f"var/lib/NetworkManager/internal-{UUID}-lan0.lease", "ADDRESS=10.0.0.9\n")
    expected = Source(PROFILE_PATH, PROFILE, UUID, "101", "01:02", "3099433919", "00:04", "::6659:8de2:7ae4:e4f5")
    assert found() == Setup("NetworkManager", expected._asdict())
    # What it notes is later than what it says.
    put("run/NetworkManager/devices/4", noted)
    assert found().source["iaid"] == ""
    said[0] = (
        "DHCP4.OPTION[7]:ip_address = 10.0.0.9\nDHCP4.OPTION[12]:dhcp_client_identifier = 01:02\n"
        "DHCP6.OPTION[1]:dhcp6_client_id = 00:04\nDHCP6.OPTION[3]:iaid = b8:bd:9b:bf"
    )
    assert found() == Setup("NetworkManager", expected._asdict())
    put("run/NetworkManager/system-connections/lan.nmconnection", PROFILE)
    assert "/run/NetworkManager/system-connections/lan.nmconnection, by which" in found().unfit
    (tmp_path / "run/NetworkManager/system-connections/lan.nmconnection").unlink()
    put("usr/lib/NetworkManager/system-connections/br.nmconnection", "[connection]\ninterface-name=br0\n")
    assert "is about br0 already" in found().unfit
    put(PROFILE_PATH[1:], PROFILE.replace(UUID, "another"))
    put("etc/NetworkManager/system-connections/cloud-init-lan0.nmconnection", PROFILE)
    assert "cloud-init writes it anew" in found().unfit
    (tmp_path / "etc/NetworkManager/system-connections/cloud-init-lan0.nmconnection").unlink()
    put("etc/NetworkManager/system-connections/vnet-br0-port.nmconnection", PROFILE)
    assert found() == OURS


def test_a_client_that_ifupdown_did_not_start_is_refused(tmp_path: Path) -> None:
    assert "can't be rewritten" in setup_of(Owner("dhclient", True), "lan0", 4, "br0", str(tmp_path)).unfit
    for name in ("NetworkManager", "dhcpcd"):
        assert name in setup_of(Owner(name), "lan0", 4, "br0", str(tmp_path)).unfit
