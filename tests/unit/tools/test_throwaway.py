# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throwaway hosts on the real kernel, as root or not, and for root also as the user nobody."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / "tools"

# One echo request, since ping need not be installed; exits with 1 unless the reply comes within 5 s.
PING = """
import socket, struct, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
sock.settimeout(5)
sock.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FD, 1, 1), (sys.argv[1], 0))
while sock.recv(2048)[20] != 0:
    pass
"""


class Driver:
    """The command line of one lab, run as one user."""

    def __init__(self, directory: Path, python: str, prefix: list[str]) -> None:
        self.lab = directory / "lab"
        self.python = python
        self._prefix = prefix
        self._tool = directory / "throwaway.py"

    def __call__(self, command: str, *arguments: str, code: int = 0, stdin: str = "") -> str:
        argv = [*self._prefix, self.python, str(self._tool), command, "--lab", str(self.lab), *arguments]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, f"{argv}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr

    def inside(self, host: str, *command: str, code: int = 0, stdin: str = "") -> str:
        return self("exec", host, "--", *command, code=code, stdin=stdin)

    def state(self, host: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.lab / "hosts" / f"{host}.json").read_text(encoding="utf-8"))
        return content


def as_nobody() -> tuple[str, list[str]]:
    """Return an interpreter that nobody can run, and the command that makes one nobody; skip without them."""
    if os.geteuid() != 0:
        pytest.skip("only root can become nobody, and what is not root is tested already")
    user = pwd.getpwnam("nobody")
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([*prefix, "test", "-x", python], check=False).returncode == 0:
            return python, prefix
    pytest.skip("nobody can't run any Python here")


@pytest.fixture(params=["self", "nobody"])
def lab(request: pytest.FixtureRequest) -> Iterator[Driver]:
    python, prefix = (sys.executable, []) if request.param == "self" else as_nobody()
    # Not tmp_path, and a copy of the tool: nobody can't look into root's directories.
    with tempfile.TemporaryDirectory(prefix="throwaway-") as name:
        directory = Path(name)
        for module in TOOLS.glob("throwaway*.py"):
            shutil.copy(module, directory)
        if prefix:
            user = pwd.getpwnam("nobody")
            os.chown(directory, user.pw_uid, user.pw_gid)
        driver = Driver(directory, python, prefix)
        try:
            yield driver
        finally:
            driver("down")


def wait_for_end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        select.select([process], [], [], 10)
        os.close(process)


def inhabitants(namespace: str) -> list[str]:
    """Return the processes in a network namespace, which is given as the target of /proc/PID/ns/net."""
    found = []
    for link in Path("/proc").glob("[0-9]*/ns/net"):
        with contextlib.suppress(OSError):
            if str(link.readlink()) == namespace:
                found.append(link.parts[2])
    return found


def test_down_leaves_nothing(lab: Driver) -> None:
    before = json.loads(lab("snapshot"))
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    lab("up", "h1", "h2", "--wire", "h1:eth0=h2:eth0")
    lab.inside("h1", "sh", "-c", "sleep 600 >/dev/null 2>&1 &")
    lab.inside("h1", "ip", "netns", "add", "blue")
    lab.inside("h1", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    lab.inside("h1", "sh", "-c", "echo > /etc/sysctl.d/zz.conf; mkdir /etc/vnet; echo > /tmp/zz-throwaway")
    namespaces = [str(Path(f"/proc/{lab.state(host)['pid']}/ns/net").readlink()) for host in ("h1", "h2")]
    assert list(map(len, map(inhabitants, namespaces))) == [2, 1]
    lab("down")
    assert list(map(inhabitants, namespaces)) == [[], []]
    assert not lab.lab.exists()
    assert not Path("/tmp/zz-throwaway").exists()
    assert Path("/proc/self/mountinfo").read_text(encoding="utf-8") == mounts
    assert json.loads(lab("snapshot")) == before
    lab("down")


def test_host_is_a_host(lab: Driver) -> None:
    lab("up", "web-1")
    assert lab.inside("web-1", "hostname") == "web-1\n"
    assert lab.inside("web-1", "id", "-u") == "0\n"
    assert lab.inside("web-1", "ls", "/sys/class/net") == "lo\n"
    assert "UP" in json.loads(lab.inside("web-1", "ip", "-j", "link"))[0]["flags"]
    assert lab.inside("web-1", "cat", "/proc/1/comm") == "sleep\n"
    assert lab.inside("web-1", "sysctl", "-n", "net.ipv4.ip_forward", "net.ipv4.conf.all.send_redirects") == "0\n1\n"
    # Standard input, output and the exit code go through.
    assert lab.inside("web-1", "cat", stdin="hello") == "hello"
    lab.inside("web-1", "sh", "-c", "exit 7", code=7)
    # HOME is the host's own.
    lab.inside("web-1", "sh", "-c", "touch ~/file")
    assert lab.inside("web-1", "sh", "-c", "ls ~") == "file\n"
    assert os.geteuid() != 0 or not Path("/root/file").exists()


def test_etc_is_writable_and_private(lab: Driver) -> None:
    lab("up", "h1", "h2")
    hosts = Path("/etc/hosts").read_text(encoding="utf-8")
    lab.inside(
        "h1",
        "sh",
        "-c",
        "echo 192.0.2.1 example >> /etc/hosts && rm -r /etc/sysctl.d && mkdir -p /etc/sysctl.d",
    )
    lab.inside("h1", "sh", "-c", "echo x > /etc/sysctl.d/x.conf")
    assert lab.inside("h1", "ls", "/etc/sysctl.d") == "x.conf\n"
    assert lab.inside("h2", "cat", "/etc/hosts") == hosts
    assert Path("/etc/hosts").read_text(encoding="utf-8") == hosts
    assert not Path("/etc/sysctl.d/x.conf").exists()


def test_named_namespaces_persist_across_commands(lab: Driver) -> None:
    lab("up", "h1")
    lab.inside("h1", "ip", "netns", "add", "red")
    lab.inside("h1", "ip", "netns", "add", "blue")
    lab.inside("h1", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", "red")
    assert lab.inside("h1", "ip", "netns", "exec", "red", "ls", "/sys/class/net").split() == ["lo", "v1"]
    lab.inside("h1", "ip", "netns", "delete", "red")
    lab.inside("h1", "ip", "netns", "delete", "blue")
    assert lab.inside("h1", "ls", "/run/netns") == ""


def test_wire_carries_packets_until_cut(lab: Driver) -> None:
    wire = "h1:eth0=h2:eth7"
    lab("up", "h1")
    lab("up", "h1", "h2", "--wire", wire)
    lab("up", "h1", "h2", "--wire", wire)
    lab("wire", "h2:eth7=h1:eth0")
    lab.inside("h1", "ip", "addr", "add", "192.0.2.1/24", "dev", "eth0")
    lab.inside("h2", "ip", "addr", "add", "192.0.2.2/24", "dev", "eth7")
    lab.inside("h1", lab.python, "-c", PING, "192.0.2.2")
    lab("cut", wire)
    assert lab.inside("h2", "cat", "/sys/class/net/eth7/carrier").strip() == "0"
    lab("mend", wire)
    lab.inside("h2", lab.python, "-c", PING, "192.0.2.1")


def test_rebuilt_host_is_another_one(lab: Driver) -> None:
    lab("up", "h1", "h2")
    first = lab.state("h1")
    lab.inside("h1", "touch", "/etc/marker")
    lab("down", "h1")
    assert "h1:" not in lab("inventory").split()  # a directory may have h1 in its name
    lab("up", "h1")
    assert lab.state("h1")["pid"] != first["pid"]
    lab.inside("h1", "test", "-e", "/etc/marker", code=1)


def test_failure_in_the_middle_is_taken_back(lab: Driver) -> None:
    lab("up", "h1")
    message = lab("up", "h2", "--wire", "h1:eth0=h2:eth0", "--wire", "h1:eth1=h9:eth0", code=1)
    assert message == f"throwaway: There is no host h9 in the lab {lab.lab}; create it with up.\n"
    assert lab.inside("h1", "ls", "/sys/class/net") == "lo\n"
    assert lab("inventory").count(": {}") == 1
    lab("down")
    assert "/no/python can't be run" in lab("up", "h1", "--python", "/no/python", code=1)
    assert not lab.lab.exists()


def test_host_whose_process_ended_is_an_error(lab: Driver) -> None:
    lab("up", "h1")
    os.kill(lab.state("h1")["pid"], 9)
    wait_for_end(lab.state("h1")["pid"])
    for arguments in (("up", "h1"), ("exec", "h1", "--", "true")):
        assert "has ended" in lab(*arguments, code=1)


def test_process_with_a_number_used_again_is_left_alone(lab: Driver) -> None:
    lab("up", "h1")
    path = lab.lab / "hosts" / "h1.json"
    state = lab.state("h1")
    with subprocess.Popen(["sleep", "600"]) as stranger:
        path.write_text(json.dumps({**state, "pid": stranger.pid}), encoding="utf-8")
        lab("down", "h1")
        assert stranger.poll() is None
        stranger.kill()
    os.kill(state["pid"], 9)


def test_refused_user_namespaces_are_explained(lab: Driver) -> None:
    if not lab._prefix:
        pytest.skip("nobody's case")
    # The limit is set in a user namespace of its own, in which nobody is still nobody.
    with subprocess.Popen(["unshare", "--user", "sleep", "60"]) as keeper:
        own = Path("/proc/self/ns/user").readlink()
        while Path(f"/proc/{keeper.pid}/ns/user").readlink() == own:
            time.sleep(0.01)
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{keeper.pid}/{kind}").write_text("0 0 65536", encoding="ascii")
        limit = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
        enter = ["nsenter", "--user", f"--target={keeper.pid}", "sh", "-c", limit, "sh"]
        restricted = Driver(lab.lab.parent, lab.python, [*enter, *lab._prefix])
        message = restricted("up", "h1", code=1)
        keeper.kill()
    assert message.startswith("throwaway: Host h1 could not be created: user namespaces are refused (")
    assert message.endswith(
        "user.max_user_namespaces is 0: run as root, or sysctl -w user.max_user_namespaces=10000.\n"
    )
    assert not lab.lab.exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-x", ".x", "a b", "a:b", "a=b", "a\n", "x" * 64, "ä"])
def test_bad_host_names_are_refused(tmp_path: Path, name: str) -> None:
    argv = [sys.executable, str(TOOLS / "throwaway.py"), "up", "--lab", str(tmp_path / "lab"), "--", name]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("throwaway: The host name ")
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wire", ["", "a", "a=b", "a:x=b", "a:x=a:x", "a:x=b:y=c:z", "a:x=b:..", f"a:x=b:{'y' * 16}"])
def test_bad_wires_are_refused(tmp_path: Path, wire: str) -> None:
    argv = [
        sys.executable,
        str(TOOLS / "throwaway.py"),
        "up",
        "--lab",
        str(tmp_path / "lab"),
        "a",
        "--wire",
        wire,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("throwaway: The wire ")
    assert list(tmp_path.iterdir()) == []


def test_differences_between_snapshots() -> None:
    sys.path.insert(0, str(TOOLS))
    try:
        from throwaway_snapshot import differences  # noqa: PLC0415
    finally:
        sys.path.remove(str(TOOLS))
    before = {"links": [], "sysctls": {"net.ipv4.ip_forward": "0"}}
    assert differences(before, before) == []
    loaded = {"links": [], "sysctls": {"net.ipv4.ip_forward": "0", "net.bridge.bridge-nf-call-iptables": "1"}}
    assert differences(before, loaded) == []
    changed = {"links": [1], "sysctls": {"net.ipv4.ip_forward": "1", "net.ipv4.conf.x.forwarding": "1"}}
    assert differences(before, changed) == [
        "links: [] -> [1]",
        "net.ipv4.conf.x.forwarding: None -> '1'",
        "net.ipv4.ip_forward: '0' -> '1'",
    ]


def test_ansible_reaches_the_hosts(lab: Driver, tmp_path: Path) -> None:
    ansible = shutil.which("ansible", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if ansible is None or lab._prefix:
        pytest.skip("needs ansible, which nobody may have no access to")
    collection = tmp_path / "ansible_collections" / "linuxnet" / "vnet"
    collection.parent.mkdir(parents=True)
    collection.symlink_to(ROOT)
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(tmp_path),
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "LC_ALL": "C.UTF-8",
    }
    lab("up", "h1", "h2")
    inventory = str(lab.lab / "inventory.yml")

    def run(hosts: str, module: str, arguments: str = "", code: int = 0, **variables: str) -> str:
        argv = [ansible, "-i", inventory, hosts, "-m", f"ansible.builtin.{module}", "-a", arguments]
        settings = {**environment, **variables}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=settings)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    output = run("all", "command", "hostname", ANSIBLE_PIPELINING="true")
    assert "h1 | CHANGED | rc=0 >>\nh1\n" in output
    assert "h2 | CHANGED | rc=0 >>\nh2\n" in output
    run("h1", "copy", "content='two words' dest=/etc/vnet-throwaway")
    assert not Path("/etc/vnet-throwaway").exists()
    run("h1", "fetch", f"src=/etc/vnet-throwaway dest={tmp_path}/fetched flat=true")
    assert (tmp_path / "fetched").read_text(encoding="utf-8") == "two words"
    os.kill(lab.state("h2")["pid"], 9)
    wait_for_end(lab.state("h2")["pid"])
    output = run("h2", "ping", code=4)
    assert f"Host h2 of the lab {lab.lab} has ended." in output
    assert "Traceback" not in output
