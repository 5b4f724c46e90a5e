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
    """Ansible in the namespace `out`, and an sshd on the host, with all their files in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
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
        """The result of a task of vnet_bridge. An echo before it opens a connection, which is then shared."""
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
        with inside("out"):
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
    """The processes that wait for a confirmation, and what they keep."""
    found = subprocess.run(["ps", "-eo", "netns,args"], check=True, capture_output=True, text=True).stdout
    here = os.readlink("/proc/self/ns/net").split("[")[1].rstrip("]")
    return [line for line in found.splitlines() if line.split()[:1] == [here] and "vnet_bridge" in line]


def nothing_is_left() -> None:
    deadline = time.monotonic() + SLACK
    while workers() or Path("/run/vnet/confirm").exists():
        assert time.monotonic() < deadline, [*workers(), *Path("/run/vnet/confirm").glob("*")]
        time.sleep(0.2)


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "wrong address": ("", {"uplink": "eth0", "addresses": ["10.0.9.9/24"]}),
    "wrong port": ("", {"ports": ["eth0"]}),
    "firewall": (
        "table ip cut { chain c { type filter hook input priority 0; iifname br0 drop; }; }",
        {"uplink": "eth0"},
    ),
}


def cut(directory: str, name: str) -> None:
    """A change that cuts the host off, so many times: it is as it was soon after the time is over."""
    ips(OUTSIDE)
    rules, options = BROKEN[name]
    if rules:
        subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)
    before = on("eth0")
    controller = Controller(Path(directory))
    try:
        for _round in range(ROUNDS):
            found = controller.play({"vnet_bridge": {"name": "br0", "confirm_timeout": TIMEOUT, **options}})
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
