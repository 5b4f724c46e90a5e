# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to get to the end state: ours, those of others, and the kernel's floor.

A way writes what it needs into a directory beforehand, which is not measured, and says the command of each step:
`build`, where it can the unchanged re-run `again`, and `absent`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import shape

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache"
COLLECTION = CACHE / "ansible_collections" / "linuxnet" / "vnet"
CNI_PLACES = ("/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin")
INVENTORY = "INVENTORY"
"""Stands in a command for the inventory of the host that it is to run against."""


@dataclass(frozen=True)
class Step:
    """A command to be measured. `inside`: on the throwaway host itself, and not beside it as Ansible's controller."""

    name: str
    command: tuple[str, ...]
    inside: bool = True


@dataclass(frozen=True)
class Way:
    """One way to get there. `most`: beyond so many containers, nobody has the patience."""

    name: str
    title: str
    prepare: Callable[[Path, int], list[Step]]
    most: int = shape.MOST
    missing: Callable[[], str] = lambda: ""
    """Says what it lacks on this machine."""


# --- ours ---------------------------------------------------------------------------------------------------------------


def module(directory: Path, count: int) -> list[Step]:
    """The module as the managed host gets it from Ansible: one file, with all its code and arguments in it."""
    steps = []
    for step, arguments in topologies(count).items():
        path = directory / f"{step}.py"
        make_payload("vnet_topology", arguments, path)
        steps.append(Step(step, (sys.executable, str(path))))
    return [steps[0], Step("again", steps[0].command), steps[1]]


def playbook(directory: Path, count: int) -> list[Step]:
    paths = {
        step: write_play(directory / f"{step}.yml", [{"linuxnet.vnet.vnet_topology": arguments}])
        for step, arguments in topologies(count).items()
    }
    names = {"build": "build", "again": "build", "absent": "absent"}
    return [Step(step, ansible_playbook(paths[name]), inside=False) for step, name in names.items()]


def playbook_first(directory: Path, count: int) -> list[Step]:
    """The same where no earlier run packed the module (plugin_utils/packed.py)."""
    command = playbook(directory, count)[0].command
    return [
        Step("first", ("sh", "-c", 'rm -rf "$ANSIBLE_HOME/linuxnet.vnet" && exec "$@"', "sh", *command), inside=False)
    ]


NOTHING = """from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({"name": {}, **{kind: {"type": "list"} for kind in ("bridges", "namespaces", "veths", "routes")}})
module.exit_json()
"""


def ansible(directory: Path, count: int) -> list[Step]:
    """What is Ansible's own in `playbook`: the same arguments, and a module that looks at none of them."""
    library = directory / "library"
    library.mkdir()
    (library / "nothing.py").write_text(NOTHING, encoding="utf-8")
    play = write_play(directory / "nothing.yml", [{"nothing": shape.topology(count)}])
    return [Step("nothing", ansible_playbook(play), inside=False)]


def singles(directory: Path, count: int) -> list[Step]:
    command = ansible_playbook(write_play(directory / "singles.yml", shape.single_tasks(count)))
    return [Step("build", command, inside=False)]


def topologies(count: int) -> dict[str, dict[str, Any]]:
    topology = shape.topology(count)
    return {"build": topology, "absent": {"name": topology["name"], "state": "absent"}}


def write_play(path: Path, tasks: list[dict[str, Any]]) -> Path:
    """A playbook, in the JSON that is YAML."""
    path.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}], indent=1), encoding="utf-8")
    return path


def ansible_playbook(play: Path) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name("ansible-playbook")), "--inventory", INVENTORY, str(play))


def ansible_environment() -> dict[str, str]:
    """For Ansible: the benchmark's own configuration, and none of the caller's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(HERE / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(CACHE),
        "ANSIBLE_HOME": str(CACHE / "home" / ".ansible"),
    }


def make_payload(name: str, arguments: dict[str, Any], path: Path) -> None:
    """Write the file that Ansible would send. In a process of its own, as Ansible is large."""
    subprocess.run(
        [sys.executable, str(HERE / "payload.py"), name, str(path)],
        input=json.dumps(arguments),
        text=True,
        check=True,
        env=ansible_environment(),
    )


# --- those of others ------------------------------------------------------------------------------------------------------


def ip_batch(directory: Path, count: int, up_last: bool = False) -> list[Step]:
    """One process in the host, and one for each namespace."""
    write_lines(directory / "host", shape.ip_lines(count, up_last))
    for number in range(count):
        write_lines(directory / shape.container(number), shape.ip_lines_inside(number))
    script = [
        f"cd {directory}",
        "ip -batch host",
        f"for name in $(seq -f c%g 0 {count - 1}); do ip -n $name -batch $name; done",
        *(["ip link set br0 up"] if up_last else []),
    ]
    return [shell(directory, script)]


def ip_batch_up_last(directory: Path, count: int) -> list[Step]:
    return ip_batch(directory, count, up_last=True)


def cni(directory: Path, count: int) -> list[Step]:
    """The plugin `bridge` for each container, in namespaces with `lo` up, as a container engine would hand it."""
    for number in range(count):
        (directory / shape.container(number)).write_text(json.dumps(shape.cni_network(number)), encoding="utf-8")
    write_lines(directory / "namespaces", [f"netns add {shape.container(number)}" for number in range(count)])
    script = [
        f"cd {directory}",
        "ip -batch namespaces",
        f"export CNI_PATH={cni_place()} CNI_COMMAND=ADD CNI_IFNAME=eth0",
        f"for name in $(seq -f c%g 0 {count - 1}); do",
        "    ip -n $name link set lo up",
        "    CNI_CONTAINERID=$name CNI_NETNS=/run/netns/$name $CNI_PATH/bridge <$name >/dev/null",
        "done",
    ]
    return [shell(directory, script)]


def cni_place() -> str:
    return next((place for place in CNI_PLACES if Path(place, "bridge").exists()), "")


def cni_missing() -> str:
    return "" if cni_place() else "the CNI plugins are not here (Debian: containernetworking-plugins)"


def ifstate(directory: Path, count: int) -> list[Step]:
    path = directory / "config.yml"
    path.write_text(json.dumps(shape.ifstate_config(count)), encoding="utf-8")
    program = environment("ifstate") / "bin" / "ifstatecli"
    command = (str(program), "--quiet", "--config", str(path), "apply")
    return [Step("build", command), Step("again", command)]


def ifstate_missing() -> str:
    return "" if sys.version_info >= (3, 11) else "it needs Python 3.11"


def write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def shell(directory: Path, script: list[str]) -> Step:
    path = directory / "build.sh"
    write_lines(path, ["set -e", *script])
    return Step("build", ("sh", str(path)))


# --- the kernel's floor ---------------------------------------------------------------------------------------------------


def floor(_directory: Path, count: int) -> list[Step]:
    program = CACHE / "bench" / "kernel_floor"
    source = HERE / "kernel_floor.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(source)], check=True)
    return [Step(step, (str(program), step, str(count))) for step in ("build", "absent")]


# --- all of them ----------------------------------------------------------------------------------------------------------

WAYS = {
    way.name: way
    for way in (
        Way("floor", "the kernel's floor", floor, missing=lambda: "" if shutil.which("gcc") else "gcc is not here"),
        Way("module", "vnet_topology, the module alone", module),
        Way("ip", "ip -batch", ip_batch),
        Way("ip-up-last", "ip -batch, bridge up last", ip_batch_up_last),
        Way("playbook-first", "the same, where nothing was packed", playbook_first, most=100),
        Way("playbook", "vnet_topology by ansible-playbook", playbook),
        Way("ansible", "ansible-playbook, a module of nothing", ansible),
        Way("cni", "CNI plugin bridge", cni, missing=cni_missing),
        Way("singles", "our single modules in loops", singles, most=100),
        Way("ifstate", "ifstate", ifstate, most=100, missing=ifstate_missing),
    )
}


def environment(name: str) -> Path:
    """The virtual environment with what requirements/NAME.txt pins; made at first, and kept."""
    pins = HERE / "requirements" / f"{name}.txt"
    directory = CACHE / f"bench-{name}"
    note = directory / ".complete"
    if not note.exists() or note.read_text(encoding="utf-8") != pins.read_text(encoding="utf-8"):
        print(f"Installing {pins.relative_to(ROOT)} into {directory.relative_to(ROOT)}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(directory)], check=True)
        install = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--requirement", str(pins)], check=True)
        note.write_text(pins.read_text(encoding="utf-8"), encoding="utf-8")
    return directory
