# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest (guest.py) is made of: a kernel, and an initramfs of busybox.

Everything goes into one directory, which can be copied to wherever the guests are to run::

    python3 tools/guest_image.py uml .cache/guests

The kernel of a QEMU guest is Debian's for clouds, taken out of its package, which is not installed: that would make it one
to boot from.
"""

from __future__ import annotations

import argparse
import gzip
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import integration_uml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INIT = Path(__file__).resolve().with_name("guest_init.sh")
SOURCES = (INIT, Path(__file__).resolve())
CLOUD = "linux-image-cloud-amd64"
VIRTIO = ("virtio_pci", "virtio_net")
DIRECTORY, FILE, LINK, CHARACTERS = 0o040755, 0o100755, 0o120777, 0o020600
CONSOLE = (5, 1)


class GuestError(Exception):
    """Why there can be no guest, in one sentence."""


def problem(kind: str) -> str:
    """Why no guest of this kind can be made here, or nothing."""
    if os.uname().machine != "x86_64":
        return "the guests are made for x86_64"
    if kind == "uml" and integration_uml.problem():
        return integration_uml.problem()
    if kind == "qemu" and not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is missing; install the package qemu-system-x86"
    if not _busybox():
        return "there is no busybox without libraries; install the package busybox-static"
    if kind == "qemu" and not shutil.which("apt-get"):
        return f"the kernel comes from Debian's package {CLOUD}, and there is no apt-get here"
    return ""


def prepare(kind: str, directory: Path) -> None:
    """Make what guests of a kind are made of, unless it is there. Raises GuestError."""
    lacking = problem(kind)
    if lacking:
        raise GuestError(lacking)
    initrd = directory / f"{kind}.initrd"
    if initrd.exists() and all(initrd.stat().st_mtime > source.stat().st_mtime for source in SOURCES):
        return
    directory.mkdir(parents=True, exist_ok=True)
    modules: Sequence[bytes] = ()
    if kind == "uml":
        shutil.copy(str(shutil.which("linux.uml")), directory / "uml.kernel")
        for library in integration_uml.shim(directory).values():
            Path(library).chmod(0o755)
    else:
        modules = _cloud_kernel(directory)
    draft = directory / f"{kind}.new"
    draft.write_bytes(gzip.compress(_initramfs(modules)))
    draft.rename(initrd)  # last of all, as it says that all is there


def _busybox() -> Path | None:
    """A busybox that needs no libraries: it names no loader."""
    found = shutil.which("busybox")
    if found and b"/ld-linux" not in Path(found).read_bytes()[:4096]:
        return Path(found)
    return None


def _initramfs(modules: Sequence[bytes]) -> bytes:
    """An archive in cpio's format `newc` (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst)."""
    busybox = _busybox()
    assert busybox
    members = [
        _member("bin", DIRECTORY),
        _member("bin/busybox", FILE, busybox.read_bytes()),
        _member("bin/sh", LINK, b"busybox"),
        _member("dev", DIRECTORY),
        _member("dev/console", CHARACTERS, device=CONSOLE),
        _member("init", FILE, INIT.read_bytes()),
        _member("modules", DIRECTORY),
        # The shell lists them by name
        *(_member(f"modules/{number:02}.ko", FILE, module) for number, module in enumerate(modules)),
        _member("TRAILER!!!", 0),
    ]
    return b"".join(members)


def _member(name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return header + b"\0" * (-len(header) % 4) + content + b"\0" * (-len(content) % 4)


def _cloud_kernel(directory: Path) -> list[bytes]:
    """Put Debian's kernel for clouds there; return the modules that virtio's network card takes."""
    with tempfile.TemporaryDirectory() as scratch:
        # As root, apt downloads by a user of its own.
        Path(scratch).chmod(0o777)
        depends = _output("apt-cache", "depends", "--important", CLOUD, at=scratch)
        package = next((line.split()[1] for line in depends.splitlines() if "Depends: linux-image-" in line), "")
        if not package:
            raise GuestError(f"apt knows no package {CLOUD}: run apt-get update")
        _output("apt-get", "download", package, at=scratch)
        _output("dpkg-deb", "--extract", str(next(Path(scratch).glob("*.deb"))), "files", at=scratch)
        files = Path(scratch, "files")
        shutil.copy(next(files.glob("boot/vmlinuz-*")), directory / "qemu.kernel")
        (directory / "qemu.kernel").chmod(0o644)
        return list(modules(files, VIRTIO))


def modules(files: Path, names: Sequence[str]) -> Iterator[bytes]:
    """Modules after those that they depend on, as each says itself. What is no file is built into the kernel."""
    waiting, done = list(reversed(names)), set[str]()
    while waiting:
        name = waiting[-1]
        found = next(files.glob(f"**/kernel/**/{name}.ko*"), None)
        content = _unpacked(found) if found else b""
        stated = re.search(rb"\0depends=([^\0]*)\0", content)
        needed = [other for other in stated[1].decode().split(",") if other] if stated else []
        lacking = [other for other in needed if other not in done]
        if lacking:
            waiting += lacking
            continue
        waiting.pop()
        if content and name not in done:
            yield content
        done.add(name)


def _unpacked(module: Path) -> bytes:
    return lzma.decompress(module.read_bytes()) if module.suffix == ".xz" else module.read_bytes()


def _output(*command: str, at: str) -> str:
    done = subprocess.run(command, cwd=at, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GuestError(f"{' '.join(command[:3])} failed: {' '.join(done.stderr.split())[-300:]}")
    return done.stdout


def main() -> int:
    """Run one command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="guest_image.py", description="Make what guests are made of.")
    parser.add_argument("kind", choices=("uml", "qemu"))
    parser.add_argument("directory", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    try:
        prepare(arguments.kind, arguments.directory)
    except GuestError as error:
        print(f"guest_image: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
