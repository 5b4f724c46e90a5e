# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`confirm_timeout` in one play over many hosts, by SSH: each decides for itself, and no other waits for one that is cut off."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.linuxnet.vnet.tests.unit.kernel.throwaway_kernel import needs_root, tally

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

from throwaway_lab import ENVIRONMENT, Lab  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
NUMBER = int(os.environ.get("VNET_CONFIRM_HOSTS", "3"))
CUT_OFF = range(1, NUMBER, 4)
"""These hosts drop what comes in by their bridge."""

pytestmark = [
    *needs_root,
    pytest.mark.skipif(not SSHD, reason="sshd is missing; install the package openssh-server"),
]

CONTROLLER = "controller"
KEY = "/run/home/key"
OPTIONS = (
    "-o UsePAM=no -o StrictModes=no -o PermitRootLogin=yes -o HostKey=/run/key -o AuthorizedKeysFile=/run/authorized"
)
CUT = "nft 'table ip cut { chain c { type filter hook input priority 0; iifname br0 drop; }; }'"


def host(number: int) -> str:
    return f"h{number}"


def sh(lab: Lab, at: str, script: str, **options: Any) -> str:
    """What a shell script says that has to go well."""
    done = lab.run(at, "sh", "-ec", script, check=False, **options)
    assert done.returncode == 0, f"{at}: {script}\n{done.stdout}{done.stderr}"
    return str(done.stdout)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A controller with a wire to each of the hosts, and sshd on these."""
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    keys = {name: (tmp_path / name).read_text(encoding="ascii") for name in ("host", "client", "client.pub")}
    made = Lab(tmp_path / "lab")
    hosts = range(NUMBER)
    made.up(
        [CONTROLLER, *map(host, hosts)],
        [f"{CONTROLLER}:e{number}={host(number)}:eth0" for number in hosts],
        sys.executable,
    )
    try:
        sh(made, CONTROLLER, f"umask 77; cat >{KEY}", input=keys["client"])
        for number in hosts:
            sh(made, CONTROLLER, f"ip address add 10.0.{number}.1/24 dev e{number}")
            sh(made, host(number), f"ip address add 10.0.{number}.5/24 dev eth0; {CUT if number in CUT_OFF else ''}")
            sh(made, host(number), "umask 77; cat >/run/key", input=keys["host"])
            sh(made, host(number), "cat >/run/authorized", input=keys["client.pub"])
            sh(made, host(number), f"mkdir -p /run/sshd; {SSHD} -f /dev/null {OPTIONS}")
        yield made
    finally:
        made.down()


def play(lab: Lab, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a task of vnet_bridge says on each host."""
    inventory = {
        host(number): {"ansible_host": f"10.0.{number}.5", "seconds": 8 if number in CUT_OFF else 120}
        for number in range(NUMBER)
    }
    variables = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": KEY,
        "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        "ansible_python_interpreter": sys.executable,
    }
    keep = {"content": "{{ found | to_json }}", "dest": "/run/results/{{ inventory_hostname }}"}
    tasks: list[dict[str, Any]] = [
        {"linuxnet.vnet.vnet_bridge": options, "register": "found", "ignore_errors": True},
        {"ansible.builtin.copy": keep, "delegate_to": "localhost", "connection": "local", "check_mode": False},
    ]
    files = {
        "inventory.json": {"all": {"hosts": inventory, "vars": variables}},
        "play.json": [{"hosts": "all", "gather_facts": False, "tasks": tasks}],
    }
    for name, content in files.items():
        sh(lab, CONTROLLER, f"cat >/run/home/{name}", input=json.dumps(content))
    environment = {
        **ENVIRONMENT,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT / ".cache"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache"),
        "ANSIBLE_HOME": "/run/home/.ansible",
        "ANSIBLE_FORKS": str(NUMBER),
        "ANSIBLE_TIMEOUT": "60",
        "ANSIBLE_PIPELINING": "true",
    }
    program = Path(sys.executable).parent / "ansible-playbook"
    said = sh(
        lab,
        CONTROLLER,
        f"rm -rf /run/results; mkdir /run/results; {program} -i /run/home/inventory.json /run/home/play.json",
        env=environment,
        timeout=500,
    )
    found = {}
    for number in range(NUMBER):
        kept = lab.run(CONTROLLER, "cat", f"/run/results/{host(number)}", check=False).stdout
        assert kept, said
        found[host(number)] = json.loads(kept)
    return found


def device_of(lab: Lab, number: int) -> str:
    """The device that has the host's address."""
    return str(json.loads(sh(lab, host(number), f"ip -j route show 10.0.{number}.0/24"))[0]["dev"])


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
