# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throwaway hosts that are reached over SSH: only through their network, and none of them is left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

from throwaway_lab import Lab  # noqa: E402
from throwaway_ssh import down, problem  # noqa: E402

TOOL = ROOT / "tools" / "throwaway_ssh.py"
ADDRESS = "192.168.3.111"


def run(lab: Path, command: str, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(TOOL), command, "--lab", str(lab), *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def ssh(lab: Path, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    words = ["-F", "none", "-o", f"UserKnownHostsFile={lab}/known_hosts", "-i", str(lab / "key"), *options]
    argv = [str(lab / "ssh"), "-o", "ConnectTimeout=2", *words, f"root@{ADDRESS}", command]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(bool(problem()), reason=problem() or "there is none")
def test_a_host_is_reached_through_its_network_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    directory = tmp_path / "lab"
    assert run(directory, "up", f"one={ADDRESS}").returncode == 0
    lab = Lab(directory)
    try:
        shared = ("-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={directory}/cp/h")
        done = ssh(directory, "hostname; echo $HOME; (sleep 1000 </dev/null >/dev/null 2>&1 &)", *shared)
        assert done.stdout.split() == ["one", "/run/home"], done.stderr
        assert ssh(directory, "ping -c 1 -W 2 outside").returncode == 0
        lab.run("one", "ip", "link", "set", "dev", "eth0", "down")
        assert ssh(directory, "true").returncode == 255
        namespace = Path(f"/proc/{lab.state('outside')['pid']}/ns/net")
        stray = subprocess.Popen(["nsenter", f"--net={namespace}", "sleep", "1000"])
        try:
            done = run(directory, "down")
            assert done.returncode == 1
            assert f"{stray.pid} (sleep)" in done.stderr
            assert "have not ended" in done.stderr
            # The connection that was shared, and what was started on the host, are no longer there.
            assert done.stderr.count("(") == 1, done.stderr
        finally:
            stray.kill()
            stray.wait()
    finally:
        done = run(directory, "down")
    assert done.returncode == 0
    assert not directory.exists()


@pytest.mark.skipif(bool(problem()), reason=problem() or "there is none")
def test_who_makes_the_next_namespaces_is_not_taken_for_a_process_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path / "lab", "up", f"one={ADDRESS}").returncode == 0
    others: list[subprocess.Popen[bytes]] = []
    end = Lab.down

    def end_and_begin(lab: Lab) -> None:
        end(lab)
        # The kernel takes its time to be done with a namespace, and then its number is free.
        time.sleep(1)
        others.extend(subprocess.Popen(["unshare", "-n", "-m", "sleep", "1000"]) for number in range(8))

    monkeypatch.setattr(Lab, "down", end_and_begin)
    monkeypatch.setattr("throwaway_ssh.SECONDS", 0.5)
    try:
        down(Lab(tmp_path / "lab"))
    finally:
        for process in others:
            process.kill()
            process.wait()


@pytest.mark.parametrize("word", ["one", "one=", "one=here", "one=10.0.0.1", "one=fd00:3::5", "one=192.168.3.1"])
def test_what_is_no_host_is_refused_by_a_sentence(tmp_path: Path, word: str) -> None:
    done = run(tmp_path / "lab", "up", word)
    assert done.returncode == 1
    assert done.stderr.startswith(f"throwaway_ssh: {word!r} is not of the form NAME=ADDRESS")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "lab").exists()


def molecule(tmp_path: Path, playbook: str, *words: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "ansible.cfg").touch()
    environment = {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "molecule" / "shared" / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "foretold",
        "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path),
    }
    argv = [sys.executable, "-m", "ansible", "playbook", playbook, "-e", f"molecule_ephemeral_directory={tmp_path}"]
    return subprocess.run(
        [*argv, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_what_the_check_run_did_not_foretell_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "converge.yml").write_text(
        """
- hosts: localhost
  gather_facts: false
  tasks:
    - command: "true"
      check_mode: false
      changed_when: "{{ ansible_check_mode or lie is defined }}"
    - command: "true"
      check_mode: false
      changed_when: item == 2
      loop: [1, 2]
""",
        encoding="utf-8",
    )
    foretold = str(ROOT / "molecule" / "shared" / "foretold.yml")
    for words, code in ((("-e", "lie=1"), 0), ((), 2)):
        for options in (["--check"], []):
            done = molecule(tmp_path, str(tmp_path / "converge.yml"), *options, *words)
            assert done.returncode == 0, done.stdout + done.stderr
        held = molecule(tmp_path, foretold)
        assert held.returncode == code, held.stdout + held.stderr
        assert ("2 changes, all as foretold" in held.stdout) == (code == 0), held.stdout
