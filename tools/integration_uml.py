# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vehicle "uml" of the integration targets: a second kernel, User Mode Linux, on the machine's own files."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
FILES = ROOT / "tests" / "integration" / "uml"


def problem() -> str:
    """Why it can't be used here, or nothing."""
    if not shutil.which("linux.uml"):
        return "linux.uml is missing; install the package user-mode-linux"
    if _needs_shim() and not shutil.which("cc"):
        return "this processor has AMX, which User Mode Linux copes with only by help of a C compiler; install gcc"
    return ""


def run(
    command: Sequence[str], environment: Mapping[str, str], python: Path, directory: Path, seconds: int
) -> tuple[str, str]:
    """Run a command in a machine of its own, where `directory` is /run/out.

    Its output goes to the file `log` there. Returns the kernel's version, and a sentence where something went wrong.
    Raises TimeoutExpired, and then nothing of the machine is left.
    """
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    _script(directory / "command", *exports, shlex.join(command))
    places = {"OUT": directory, "ROOT": ROOT, "PYTHON": python}
    init = _script(
        directory / "init",
        *(f"export {name}={shlex.quote(str(place))}" for name, place in places.items()),
        f"exec sh {shlex.quote(str(FILES / 'boot.sh'))}",
    )
    machine = ["linux.uml", "mem=768M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={init}"]
    machine += ["con=null", "con0=fd:0,fd:1", "quiet"]
    with tempfile.TemporaryDirectory() as scratch, (directory / "console").open("wb") as console:
        settings = {**os.environ, **shim(Path(scratch))}
        process = subprocess.Popen(
            machine,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            env=settings,
            start_new_session=True,  # it is many processes, which end together
        )
        try:
            process.wait(timeout=seconds)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    code = directory / "code"
    if not code.exists():
        return "", f"User Mode Linux ended early, see {directory / 'console'}"
    kernel = (directory / "kernel").read_text(encoding="ascii").strip()
    number = code.read_text(encoding="ascii").strip()
    return kernel, "" if number == "0" else f"{Path(command[0]).name} ended with {number}"


def _script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755)
    return path


def _needs_shim() -> bool:
    return "amx_tile" in Path("/proc/cpuinfo").read_text(encoding="ascii").split()


def shim(scratch: Path) -> dict[str, str]:
    """The environment that lets it run on this processor: see xstate.c."""
    if not _needs_shim():
        return {}
    library = scratch / "xstate.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(FILES / "xstate.c")], check=True)
    return {"LD_PRELOAD": str(library)}
