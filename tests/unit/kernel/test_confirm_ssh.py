# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`confirm_timeout` over real SSH, with connections that are shared, and with become: what cuts the host off is taken back.

The controller is in the namespace `out`, beyond the host's only device, by which alone it reaches the host's sshd.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.vnet.plugins.module_utils import confirm
from ansible_collections.linuxnet.vnet.tests.unit.kernel.test_uplink import OUTSIDE, exists, ips, on
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import (
    differences,
    inside,
    needs_root,
    on_a_new_host,
    tally,
)

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")

pytestmark = [
    *needs_root,
    pytest.mark.skipif(not SSHD, reason="sshd is missing; install the package openssh-server"),
    pytest.mark.skipif(not shutil.which("sudo"), reason="sudo is missing; install the package of that name"),
]

ROUNDS = int(os.environ.get("VNET_CUTS", "1"))
"""How often each broken change is made."""

ROOT = Path(__file__).resolve().parents[3]
TIMEOUT = int(os.environ.get("VNET_CONFIRM_SECONDS", "6"))
SLACK = 60.0
"""For a change, and for undoing it, on a machine that has much else to do."""


class Controller:
    """Ansible in the namespace `out`, and an sshd on the host, with all their files in one directory.

    `slow`: so many seconds are lost with each command. `at`: another namespace for Ansible.
    """

    def __init__(self, directory: Path, slow: float = 0.0, at: str = "out") -> None:
        self.directory = directory
        self.at = at
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True)
        shutil.copy(directory / "client.pub", directory / "authorized")
        Path("/run/sshd").mkdir()
        options = {
            "HostKey": directory / "host",
            "AuthorizedKeysFile": directory / "authorized",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PermitRootLogin": "yes",
            "ListenAddress": "0.0.0.0",
            "Subsystem": "sftp internal-sftp",
            **({"ForceCommand": f'sleep {slow}; eval "$SSH_ORIGINAL_COMMAND"'} if slow else {}),
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        assert SSHD
        self.sshd = subprocess.Popen([SSHD, "-D", "-f", "/dev/null", *words], stderr=subprocess.DEVNULL)
        ssh = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        variables = {
            "ansible_host": "10.0.0.5",
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(directory / "client"),
            "ansible_ssh_common_args": ssh,
            "ansible_python_interpreter": sys.executable,
            "ansible_remote_tmp": str(directory / "remote"),
            "ansible_become": True,
            "ansible_become_method": "sudo",
        }
        inventory = {"all": {"hosts": {"host": variables}}}
        (directory / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")

    def play(self, task: dict[str, Any], *words: str) -> dict[str, Any]:
        """The result of a task. An echo before it opens a connection, which is then shared."""
        (module, options), extra = next(iter(task.items())), {k: v for k, v in task.items() if k != next(iter(task))}
        tasks = [
            {"ansible.builtin.raw": "true"},
            {f"linuxnet.vnet.{module}": options, "register": "found", "ignore_errors": True, **extra},
            {
                "ansible.builtin.copy": {"content": "{{ found | to_json }}", "dest": str(self.directory / "result")},
                "delegate_to": "localhost",
                "connection": "local",
                "become": False,
                "check_mode": False,
            },
        ]
        play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
        (self.directory / "play.json").write_text(json.dumps(play), encoding="utf-8")
        (self.directory / "result").unlink(missing_ok=True)
        environment = {
            **os.environ,
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT / ".cache"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache"),
            "ANSIBLE_HOME": str(self.directory / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(self.directory / "tmp"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.directory / "cp"),
            "ANSIBLE_BECOME_ALLOW_SAME_USER": "true",
            "ANSIBLE_TIMEOUT": "60",
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_NOCOLOR": "true",
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(self.directory / "inventory.json")]
        with inside(self.at):
            done = subprocess.run(
                [*command, str(self.directory / "play.json"), *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=environment,
                timeout=400,
                check=False,
            )
        result = self.directory / "result"
        assert result.exists(), done.stdout + done.stderr
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return found

    def close(self) -> None:
        # What is shared is kept open for a minute by ssh itself.
        for socket in (self.directory / "cp").glob("*"):
            with inside("out"):
                subprocess.run(
                    ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "host"], capture_output=True, check=False
                )
        self.sshd.terminate()
        self.sshd.wait(10)


def workers() -> list[str]:
    """The processes that wait for a confirmation."""
    found = subprocess.run(["ps", "-eo", "netns,comm,pid"], check=True, capture_output=True, text=True).stdout
    here = os.readlink("/proc/self/ns/net").split("[")[1].rstrip("]")
    return [line for line in found.splitlines() if line.split()[:2] == [here, confirm.PROCESS]]


def nothing_is_left() -> None:
    deadline = time.monotonic() + SLACK
    while workers() or Path("/run/vnet/confirm").exists():
        assert time.monotonic() < deadline, [*workers(), *Path("/run/vnet/confirm").glob("*")]
        time.sleep(0.2)


def bridge(**options: Any) -> dict[str, Any]:
    """A task."""
    return {"vnet_bridge": {"name": "br0", "confirm_timeout": TIMEOUT, **options}}


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "wrong address": ("", bridge(uplink="eth0", addresses=["10.0.9.9/24"])),
    # The address is on the bridge, and behind that is not the device by which the controller is reached.
    "wrong port": (
        "",
        {
            "vnet_topology": {
                "name": "lan",
                "links": [{"name": "eth0", "addresses": []}],
                "bridges": [{"name": "br0", "ports": ["eth1"], "addresses": ["10.0.0.5/24"]}],
                "confirm_timeout": TIMEOUT,
            }
        },
    ),
    "firewall": (
        "table ip cut { chain c { type filter hook input priority 0; iifname br0 drop; }; }",
        bridge(uplink="eth0"),
    ),
}
OTHER = """
link add eth1 type veth peer name nowhere
link set nowhere up
link set eth1 up
"""
"""A second device of the host, beyond which nobody is."""


def cut(directory: str, name: str) -> None:
    """A change that cuts the host off, so many times: it is as it was soon after the time is over."""
    ips(OUTSIDE + OTHER)
    rules, task = BROKEN[name]
    if rules:
        subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)
    before = on("eth0")
    controller = Controller(Path(directory))
    try:
        for _round in range(ROUNDS):
            found = controller.play(task)
            assert found.get("failed"), found
            assert "changed" not in found or not found["changed"]
            assert "undone" in found["msg"] or "goes back to the state before" in found["msg"], found["msg"]
            nothing_is_left()
            assert not exists("br0")
            assert differences(before, on("eth0")) == []
            tally(cuts=1)
    finally:
        controller.close()


@pytest.mark.parametrize("name", list(BROKEN))
def test_what_cuts_the_host_off_is_taken_back(name: str, tmp_path: Path) -> None:
    on_a_new_host(cut, str(tmp_path), name)


def kept(directory: str, slow: float) -> None:
    """A change after which the host is there as before."""
    ips(OUTSIDE)
    before = on("eth0")
    controller = Controller(Path(directory), slow)
    try:
        foretold = controller.play(bridge(uplink="eth0"), "--check")
        assert foretold["changed"]
        assert not Path("/run/vnet").exists()
        assert not workers()
        done = controller.play(bridge(uplink="eth0", alias="lan", confirm_timeout=60))
        assert not done.get("failed"), done
        assert done["changed"]
        assert done["link"]["addresses"] == ["10.0.0.5/24", "fd00::5/64"]
        assert done["link"]["alias"] == "lan"
        assert differences(before, on("br0")) == []
        nothing_is_left()
        again = controller.play(bridge(uplink="eth0", alias="lan"))
        assert (again["changed"], again["operations"]) == (False, [])
        back = controller.play(bridge(state="absent", confirm_timeout=60))
        assert back["changed"], back
        nothing_is_left()
        assert not exists("br0")
        assert differences(before, on("eth0")) == []
        tally(kept=2)
    finally:
        controller.close()


@pytest.mark.parametrize("slow", [0.0, *([7.0] if ROUNDS >= 20 else [])])
def test_what_leaves_the_host_reachable_is_kept(slow: float, tmp_path: Path) -> None:
    on_a_new_host(kept, str(tmp_path), slow)


def refused(directory: str) -> None:
    """What makes no sense, and what does not go together."""
    ips(OUTSIDE)
    controller = Controller(Path(directory))
    try:
        for options, task, words in (
            ({"confirm_timeout": -1}, {}, "confirm_timeout: -1 is not between 0 and 3600"),
            ({"confirm_timeout": 3601}, {}, "confirm_timeout: 3601 is not between 0 and 3600"),
            ({"confirm_timeout": "soon"}, {}, "confirm_timeout"),
            ({"confirm_timeout": True}, {}, "confirm_timeout: true is a boolean and no number"),
            ({}, {"async": 60, "poll": 2}, "confirm_timeout: it does not go together with 'async'"),
            ({}, {"async": 60, "poll": 0}, "confirm_timeout: it does not go together with 'async'"),
        ):
            found = controller.play({**bridge(uplink="eth0", **options), **task})
            assert found.get("failed"), found
            assert not found["changed"]
            assert words in found["msg"], found["msg"]
            assert not exists("br0")
            assert not Path("/run/vnet/confirm").exists()
        # Without it, async is the user's business.
        found = controller.play({**bridge(confirm_timeout=0), "async": 60, "poll": 1})
        assert found["changed"], found
        assert exists("br0")
    finally:
        controller.close()


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    on_a_new_host(refused, str(tmp_path))


def local(directory: str) -> None:
    """Over a connection that needs no network the controller always comes back."""
    ips(OUTSIDE)
    controller = Controller(Path(directory), at="")
    try:
        found = controller.play({**bridge(uplink="eth0"), "connection": "local"})
        assert found["changed"], found
        assert not found.get("warnings"), found
        nothing_is_left()
        assert exists("br0")
    finally:
        controller.close()


def test_a_local_connection_confirms(tmp_path: Path) -> None:
    on_a_new_host(local, str(tmp_path))
