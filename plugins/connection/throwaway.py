# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection plugin for hosts made of namespaces on the controller itself."""

from __future__ import annotations

DOCUMENTATION = r"""
name: throwaway
short_description: Run tasks on a throwaway host made of namespaces
version_added: 0.1.0
author:
  - The linuxnet.vnet contributors (@linuxnet)
description:
  - Runs tasks inside a throwaway host, which is a set of Linux namespaces on the controller, held by a
    process. Such hosts need no image, no network and, where the kernel allows user namespaces, no root.
    They serve to try out playbooks and to test roles on a real kernel.
  - A host is found by the directory of its lab and its own name. The file C(hosts/NAME.json) in that
    directory says how to enter it, so a host that was rebuilt under the same name is found again.
  - Tasks run as the root user of the host. Privilege escalation is not needed.
options:
  lab:
    description:
      - The directory that keeps the state of the lab.
      - A relative one starts at the working directory of Ansible.
    type: path
    required: true
    vars:
      - name: ansible_throwaway_lab
    env:
      - name: ANSIBLE_THROWAWAY_LAB
  host:
    description:
      - The name of the host in its lab.
    type: str
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_throwaway_host
notes:
  - The hosts are created by C(tools/throwaway.py) in the repository of this collection.
  - The state file of a host is a JSON object with C(pid) and C(start), the process that holds the host and
    its start time in clock ticks (field 22 of C(/proc/PID/stat)), with C(enter), the list of arguments to put
    in front of a command, and with C(environment), the variables that the command sees.
extends_documentation_fragment:
  - ansible.builtin.connection_pipelining
"""

EXAMPLES = r"""
# An inventory as `throwaway.py up --lab .lab/try h1 h2` writes it.
all:
  hosts:
    h1: {}
    h2: {}
  vars:
    ansible_connection: linuxnet.vnet.throwaway
    ansible_throwaway_lab: /home/me/vnet/.lab/try
    ansible_python_interpreter: /usr/bin/python3
"""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

display = Display()


class Connection(ConnectionBase):
    """Enter a throwaway host once per command; nothing is kept open in between."""

    transport = "linuxnet.vnet.throwaway"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def close(self) -> None:
        """Forget the connection; there is nothing to close."""
        self._connected = False

    def reset(self) -> None:
        """Do nothing: every command enters the host anew."""

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a shell command inside the host; return its exit code, output and error output."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        display.vvv(f"EXEC {cmd}", host=self.get_option("host"))
        state = self._state()
        done = self._run(state, ["/bin/sh", "-c", cmd], input=in_data or b"", capture_output=True)
        if done.returncode and not self._is_alive(state):
            raise AnsibleConnectionFailure(self._gone())
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the controller into the host."""
        super().put_file(in_path, out_path)
        display.vvv(f"PUT {in_path} TO {out_path}", host=self.get_option("host"))
        try:
            with Path(in_path).open("rb") as source:
                self._transfer(f"exec cat > {shlex.quote(out_path)}", stdin=source)
        except OSError as error:
            raise AnsibleFileNotFound(f"The file {in_path} can't be read: {error.strerror}.") from error

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the host to the controller."""
        super().fetch_file(in_path, out_path)
        display.vvv(f"FETCH {in_path} TO {out_path}", host=self.get_option("host"))
        try:
            with Path(out_path).open("wb") as target:
                self._transfer(f"exec cat < {shlex.quote(in_path)}", stdin=subprocess.DEVNULL, stdout=target)
        except OSError as error:
            raise AnsibleError(f"The file {out_path} can't be written: {error.strerror}.") from error

    def _transfer(self, command: str, **streams: Any) -> None:
        done = self._run(self._state(), ["/bin/sh", "-c", command], stderr=subprocess.PIPE, **streams)
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
            raise AnsibleError(f"Copying from or to host {self.get_option('host')} failed: {reason}.")

    @staticmethod
    def _run(state: dict[str, Any], command: list[str], **streams: Any) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run([*state["enter"], *command], env=state["environment"], check=False, **streams)
        except OSError as error:
            raise AnsibleConnectionFailure(f"{state['enter'][0]} can't be run: {error.strerror}.") from error

    def _state(self) -> dict[str, Any]:
        """Return what the lab says about the host, having made sure that its process is still that one."""
        lab, host = self.get_option("lab"), self.get_option("host")
        path = Path(lab, "hosts", f"{host}.json")
        try:
            state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AnsibleConnectionFailure(f"There is no host {host} in the lab {lab}.") from None
        except (OSError, ValueError) as error:
            raise AnsibleConnectionFailure(f"The state file {path} can't be read: {error}.") from error
        if not self._is_alive(state):
            raise AnsibleConnectionFailure(self._gone())
        return state

    @staticmethod
    def _is_alive(state: dict[str, Any]) -> bool:
        try:
            line = Path(f"/proc/{state['pid']}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return False
        fields = line.rpartition(")")[2].split()
        return fields[0] not in ("Z", "X") and int(fields[19]) == state["start"]

    def _gone(self) -> str:
        return f"Host {self.get_option('host')} of the lab {self.get_option('lab')} has ended."
