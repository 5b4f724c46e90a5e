# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`confirm_timeout` in one play over many hosts, by SSH: each decides for itself, and no other waits for one that is cut off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import needs_root, tally

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import throwaway_ssh  # noqa: E402  # where it is has to be said first
from throwaway_lab import Lab  # noqa: E402  # as above

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER = int(os.environ.get("VNET_CONFIRM_HOSTS", "3"))
CUT_OFF = range(1, NUMBER, 4)
"""These hosts drop what comes in by their bridge."""

pytestmark = [
    *needs_root,
    pytest.mark.skipif(bool(throwaway_ssh.problem()), reason=throwaway_ssh.problem() or "there is none"),
]

CUT = "table ip cut { chain c { type filter hook input priority 0; iifname br0 drop; }; }"


def host(number: int) -> str:
    return f"h{number}"


def address(number: int) -> str:
    return f"192.168.3.{100 + number}"


@pytest.fixture
def lab() -> Iterator[Lab]:
    """The hosts, and an outside from which they are reached."""
    # Not pytest's own, whose path is too long for a socket.
    with tempfile.TemporaryDirectory() as directory:
        made = Lab(Path(directory, "lab"))
        throwaway_ssh.up(made, {host(number): address(number) for number in range(NUMBER)})
        try:
            for number in CUT_OFF:
                made.run(host(number), "nft", CUT)
            yield made
        finally:
            throwaway_ssh.down(made)


def play(lab: Lab, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a task of vnet_bridge says on each host."""
    hosts = {
        host(number): {"ansible_host": address(number), "seconds": 8 if number in CUT_OFF else 120}
        for number in range(NUMBER)
    }
    variables = {
        "ansible_user": "root",
        "ansible_ssh_executable": str(lab.directory / "ssh"),
        "ansible_ssh_private_key_file": str(lab.directory / "key"),
        "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={lab.directory / 'known_hosts'}",
        "ansible_control_path_dir": str(lab.directory / "cp"),
        "ansible_python_interpreter": sys.executable,
    }
    with tempfile.TemporaryDirectory() as scratch:
        keep = {"content": "{{ found | to_json }}", "dest": f"{scratch}/{{{{ inventory_hostname }}}}"}
        tasks: list[dict[str, Any]] = [
            {"linuxnet.vnet.vnet_bridge": options, "register": "found", "ignore_errors": True},
            {"ansible.builtin.copy": keep, "delegate_to": "localhost", "connection": "local", "check_mode": False},
        ]
        inventory, playbook = Path(scratch, "inventory.json"), Path(scratch, "play.json")
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        environment = {
            **os.environ,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT / ".cache"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache"),
            "ANSIBLE_HOME": scratch,
            "ANSIBLE_FORKS": str(NUMBER),
            "ANSIBLE_TIMEOUT": "60",
            "ANSIBLE_PIPELINING": "true",
        }
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", "-i", inventory, playbook],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return {name: json.loads(Path(scratch, name).read_text(encoding="utf-8")) for name in hosts}


def device_of(lab: Lab, number: int) -> str:
    """The device that has the host's address."""
    return str(json.loads(lab.run(host(number), "ip", "-j", "route", "show", "192.168.3.0/24").stdout)[0]["dev"])


def nothing_is_left(lab: Lab, number: int) -> None:
    deadline = time.monotonic() + 60
    while lab.run(
        host(number), "sh", "-c", "! ls -d /run/vnet/confirm && ! pgrep -x vnet-confirm", check=False
    ).returncode:
        assert time.monotonic() < deadline, host(number)
        time.sleep(0.2)


def test_each_host_decides_for_itself(lab: Lab) -> None:
    options = {"name": "br0", "uplink": "eth0", "confirm_timeout": "{{ seconds }}"}
    first, again = play(lab, options), play(lab, options)
    for number in range(NUMBER):
        done = first[host(number)]
        if number in CUT_OFF:
            assert done.get("failed"), done
            assert "nobody confirmed it over a new connection within 8 seconds" in done["msg"]
            assert again[host(number)]["failed"]
        else:
            assert done["changed"], done
            assert again[host(number)]["changed"] is False
        assert device_of(lab, number) == ("eth0" if number in CUT_OFF else "br0")
        nothing_is_left(lab, number)
    tally(hosts=NUMBER)
