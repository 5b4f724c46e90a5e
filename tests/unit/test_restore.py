# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What restores at boot: the zipapp, the unit, and in which order it tries which files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import bundle, files, restore
from ansible_collections.linuxnet.vnet.plugins.module_utils.desired import Want
from ansible_collections.linuxnet.vnet.plugins.module_utils.errors import Missing, VnetError
from ansible_collections.linuxnet.vnet.plugins.module_utils.kinds import LINK_KINDS
from ansible_collections.linuxnet.vnet.plugins.module_utils.persist import SOFTWARE
from ansible_collections.linuxnet.vnet.plugins.module_utils.plan import plan
from ansible_collections.linuxnet.vnet.plugins.module_utils.restore import main
from ansible_collections.linuxnet.vnet.plugins.module_utils.state import State
from ansible_collections.linuxnet.vnet.plugins.module_utils.topology import Topology

SOURCES = Path(bundle.__file__).parent


# --- the zipapp -----------------------------------------------------------------------------------------------------


def test_the_same_sources_make_the_same_bytes() -> None:
    assert bundle.engine() == bundle.engine()
    assert tuple(bundle.software()) == SOFTWARE


def test_the_engine_is_whole_and_knows_nothing_of_ansible() -> None:
    with zipfile.ZipFile(BytesIO(bundle.engine())) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    for name, source in members.items():
        assert not re.search(r"^\s*(from|import) ansible", source, re.MULTILINE), name
        if name not in ("__main__.py", "vnet/__init__.py"):
            assert source == (SOURCES / name.partition("/")[2]).read_text(encoding="utf-8"), name
    assert {f"vnet/kinds/{Path(path).name}" for path in map(str, (SOURCES / "kinds").glob("*.py"))} <= set(members)
    assert len(LINK_KINDS) > 3


def test_what_is_loaded_later_is_in_the_engine_too(tmp_path: Path) -> None:
    (tmp_path / "engine.pyz").write_bytes(bundle.engine())
    program = "import vnet.restore, vnet.later; vnet.later.load_all(); print(*vnet.later._announced)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "engine.pyz")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "vnet.apply" in done.stdout.split()


def test_the_engine_runs_without_the_collection(tmp_path: Path) -> None:
    (tmp_path / "engine.pyz").write_bytes(bundle.engine())
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "bad.json").write_text("{", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "engine.pyz"), str(tmp_path / "conf.d")],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"vnet-restore: {tmp_path}/conf.d/bad.json is no JSON" in done.stderr
    assert "restored 0 of 1 files" in done.stderr
    assert "Traceback" not in done.stderr


# --- the unit -------------------------------------------------------------------------------------------------------


def test_the_unit_comes_before_what_needs_networks() -> None:
    unit = bundle.unit("/usr/bin/python3")
    before = " ".join(re.findall(r"^Before=(.*)$", unit, re.MULTILINE)).split()
    after = " ".join(re.findall(r"^After=(.*)$", unit, re.MULTILINE)).split()
    assert {"network.target", "network-online.target", "libvirtd.service", "docker.service"} <= set(before)
    assert {"containerd.service", "podman.service", "lxc.service", "machines.target"} <= set(before)
    assert {"network-pre.target", "systemd-sysctl.service", "systemd-modules-load.service"} <= set(after)
    assert not set(before) & set(after)
    assert "\nExecStart=/usr/bin/python3 -I /etc/vnet/vnet-restore.pyz\n" in unit


@pytest.mark.parametrize(
    ("running", "chosen"),
    [
        ("/tmp/venv/bin/python", "/usr/bin/python3"),
        ("/nowhere/bin/python", "/usr/bin/python3"),
        ("/usr/bin/env", "/usr/bin/env"),
        ("", "/usr/bin/python3"),
    ],
)
def test_the_interpreter_will_be_there_at_boot(monkeypatch: pytest.MonkeyPatch, running: str, chosen: str) -> None:
    monkeypatch.setattr(sys, "executable", running)
    assert bundle.interpreter() == chosen


# --- which files, in which order ------------------------------------------------------------------------------------


class Host:
    """Stands for the engine: it knows which things are there, and what each needs."""

    def __init__(self, directory: Path, needs: dict[str, list[str]]) -> None:
        self.directory = directory
        self.needs = needs
        self.there: set[str] = set()
        self.runs: list[list[str]] = []
        for name in needs:
            document = {"module": "vnet_bridge", "options": {"name": name}}
            (directory / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")

    def run(self, wants: tuple[Want, ...], topology: Topology | None = None) -> Any:
        names: list[str] = [want.name for want in wants]  # type: ignore[union-attr]  # all are bridges, which have names
        self.runs.append(names)
        for want, name in zip(wants, names, strict=True):
            if "refused" in self.needs[name]:
                raise VnetError(f"{want.where}: it is refused")
            for other in self.needs[name]:
                if other not in self.there | set(names):
                    raise Missing(f"{want.where}: master: there is no device {other}")
        self.there.update(names)
        return type("Result", (), {"warnings": ["mind the gap"] if "warned" in names else []})


Make = Callable[[dict[str, list[str]]], Host]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Make:
    def made(needs: dict[str, list[str]]) -> Host:
        host = Host(tmp_path, needs)
        monkeypatch.setattr(restore, "run", host.run)
        return host

    return made


def test_what_isolates_is_restored_before_links_and_forwarding(tmp_path: Path) -> None:
    modules = ("vnet_sysctl_forward", "vnet_veth", "vnet_topology", "vnet_bridge", "vnet_nat", "vnet_netns")
    for number, module in enumerate(modules):
        (tmp_path / f"{number}.json").write_text(json.dumps({"module": module, "options": {}}), encoding="utf-8")
    paths = sorted(map(str, tmp_path.iterdir()), key=restore.rank)
    order = [json.loads(Path(path).read_text(encoding="utf-8"))["module"] for path in paths]
    assert order[:3] == ["vnet_netns", "vnet_nat", "vnet_topology"]
    assert order[-1] == "vnet_sysctl_forward"


def test_all_that_is_there_is_restored_at_once(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    host = make({"a": [], "warned": []})
    assert main([str(host.directory)]) == 0
    assert host.runs == [["a"], ["warned"]]
    assert "warned.json: mind the gap" in capsys.readouterr().err


def test_files_that_need_each_others_things_are_restored_in_passes(make: Make) -> None:
    host = make({"a": ["b"], "b": ["c"], "c": []})
    assert main([str(host.directory), "--wait", "0"]) == 0


def test_files_that_speak_of_each_other_are_restored_together(make: Make) -> None:
    host = make({"bridge": ["port"], "port": ["bridge"], "other": ["nowhere"]})
    assert main([str(host.directory), "--wait", "0"]) == 1
    assert host.there == {"bridge", "port"}


RESOURCES = {
    "vnet_bridge": {"name": "br0", "ports": ["v0"]},
    "vnet_veth": {"name": "ve0", "master": "br9", "peer": {"name": "ve1"}},
}
TOPOLOGIES: dict[str, dict[str, Any]] = {
    "vnet_bridge": {"name": "t", "veths": [{"name": "v0", "master": "br0", "peer": {"name": "v1"}}]},
    "vnet_veth": {"name": "t", "bridges": [{"name": "br9", "ports": ["ve0"]}]},
}
OTHER = {"name": "u", "bridges": [{"name": "br9", "ports": ["v0", "nowhere"]}]}


@pytest.mark.parametrize("module", RESOURCES)
def test_a_resource_and_a_topology_that_speak_of_each_other_are_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    kept = {"a": {"module": module, "options": RESOURCES[module]}}
    kept["b"] = {"module": "vnet_topology", "options": TOPOLOGIES[module]}
    state = restored(tmp_path, monkeypatch, kept, 0)
    links = {link.name: link for link in state.links.values() if link}
    assert len(links) == 3
    assert [link.get("master") for link in links.values() if link.get("master")] == [
        "br0" if module == "vnet_bridge" else "br9"
    ]
    ours = {name for name, link in links.items() if link.get("link_group")}
    assert ours == ({"v0", "v1"} if module == "vnet_bridge" else {"br9"})


def test_of_a_knot_that_is_not_all_there_what_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {"a": {"module": "vnet_veth", "options": {"name": "v0", "master": "br9", "peer": {"name": "v1"}}}}
    kept["b"] = {"module": "vnet_topology", "options": OTHER}
    state = restored(tmp_path, monkeypatch, kept, 1)
    veth, said = state.link(("", "v0")), capsys.readouterr().err
    assert veth is not None  # for those who wait for it
    assert not veth.get("master")
    assert state.link(("", "br9")) is None
    assert "a.json: master: there is no device br9" in said
    assert re.search("b.json: .*ports: there is no device nowhere", said)


def restored(directory: Path, monkeypatch: pytest.MonkeyPatch, kept: dict[str, Any], status: int) -> State:
    """What a host is like after the restoration of files by the plan itself, without a kernel."""
    host = State()

    def run(wants: tuple[Want, ...], topology: Topology | None = None) -> Any:
        nonlocal host
        found = plan(host, wants, topology)
        if found.missing:
            raise Missing(found.missing[0])
        host = found.after
        return type("Result", (), {"warnings": []})

    for name, document in kept.items():
        (directory / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setattr(restore, "run", run)
    assert main([str(directory), "--wait", "0"]) == status
    return host


def test_what_cannot_be_restored_is_named_and_does_not_keep_the_others(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    host = make({"a": ["refused"], "b": [], "c": ["nowhere"]})
    (host.directory / "bad.json").write_text("nonsense", encoding="utf-8")
    (host.directory / "not-ours.txt").write_text("nonsense", encoding="utf-8")
    assert main([str(host.directory), "--wait", "0"]) == 1
    said = capsys.readouterr().err
    assert f"vnet-restore: {host.directory}/a.json: it is refused\n" in said
    assert f"vnet-restore: {host.directory}/c.json: master: there is no device nowhere\n" in said
    assert f"{host.directory}/bad.json is no JSON" in said
    assert "restored 1 of 4 files" in said
    assert host.there == {"b"}


def test_a_device_that_comes_late_is_waited_for(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    host = make({"a": ["late"], "b": ["a"]})

    def come(_seen: Any, _deadline: float) -> None:
        host.there.add("late")

    monkeypatch.setattr(restore, "await_change", come)
    assert main([str(host.directory)]) == 0


def test_a_bridge_that_another_program_makes_is_waited_for(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    host = make({"br0": [], "a": ["later"], "b": ["later"]})
    document = {"module": "vnet_bridge", "options": {"name": "br0"}, "awaits": {"br0": ["lan0", 7]}}
    (host.directory / "br0.json").write_text(json.dumps(document), encoding="utf-8")
    made: list[tuple[str, str, int]] = []

    def is_made(bridge: str, uplink: str, group: int) -> bool:
        made.append((bridge, uplink, group))
        return len(made) > 4

    monkeypatch.setattr(restore, "is_made", is_made)
    monkeypatch.setattr(restore, "await_change", lambda _seen, _deadline: host.there.add("later"))
    assert main([str(host.directory)]) == 0
    assert set(made) == {("br0", "lan0", 7)}
    assert host.runs[-1] == ["br0"]
    assert [names for names in host.runs if "br0" in names] == [["br0"]], "not even together with others"


def test_a_bridge_is_made_when_it_has_the_port_and_the_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"/sys/class/net/br0/netdev_group": "7\n"}
    monkeypatch.setattr(files, "read_text", there.get)
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/sys/class/net/br0/brif/lan0")
    assert restore.is_made("br0", "lan0", 7)
    assert restore.is_made("br0", "lan0", 0)
    assert not restore.is_made("br0", "lan0", 8)
    assert not restore.is_made("br0", "lan1", 7)


def test_nothing_is_waited_for_where_nothing_can_come(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    host = make({"a": ["refused"]})
    monkeypatch.setattr(restore, "await_change", lambda *_: pytest.fail("it waits"))
    assert main([str(host.directory)]) == 1


def test_a_mistake_of_ours_does_not_keep_the_others(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    host = make({"a": [], "b": []})

    def broken(wants: tuple[Want, ...], topology: Topology | None = None) -> Any:
        if wants[0].name == "a":  # type: ignore[union-attr]  # a bridge
            raise ZeroDivisionError("oops")
        return host.run(wants, topology)

    monkeypatch.setattr(restore, "run", broken)
    assert main([str(host.directory)]) == 1
    assert host.there == {"b"}
    assert "a.json: this is a bug in linuxnet.vnet" in capsys.readouterr().err


def test_no_directory_is_nothing_to_do(tmp_path: Path) -> None:
    assert main([str(tmp_path / "none")]) == 0


def test_the_journal_gets_priorities(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    host = make({"a": ["refused"]})
    main([str(host.directory)])
    assert capsys.readouterr().err.startswith(f"<3>vnet-restore: {host.directory}/a.json: it is refused\n<6>")
