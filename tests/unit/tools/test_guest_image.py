# SPDX-FileCopyrightText: The linuxnet.vnet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What guests are made of, where a mistake would only show as a guest that doesn't boot."""

from __future__ import annotations

import lzma
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import guest_image


def test_modules_come_after_what_they_depend_on(tmp_path: Path) -> None:
    folder = tmp_path / "lib" / "modules" / "6.1" / "kernel" / "drivers"
    folder.mkdir(parents=True)
    depends = {"net": "failover,virtio", "pci": "virtio,ring", "ring": "", "failover": ""}  # virtio is in the kernel
    contents = {name: f"\x7fELF\0name={name}\0depends={others}\0".encode() for name, others in depends.items()}
    for name in ("net", "pci", "failover"):
        (folder / f"{name}.ko").write_bytes(contents[name])
    (folder / "ring.ko.xz").write_bytes(lzma.compress(contents["ring"]))
    ordered = [contents[name] for name in ("ring", "pci", "failover", "net")]
    assert list(guest_image.modules(tmp_path, ("pci", "net"))) == ordered


@pytest.mark.parametrize(("kind", "package"), [("uml", "user-mode-linux"), ("qemu", "qemu-system-x86")])
def test_what_a_guest_lacks_is_said(kind: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert guest_image.problem(kind).endswith(f"is missing; install the package {package}")
    with pytest.raises(guest_image.GuestError, match=package):
        guest_image.prepare(kind, tmp_path / "files")
    assert not (tmp_path / "files").exists()
