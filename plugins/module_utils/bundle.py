# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""What restores at boot: this very engine as a zipapp, and the unit that runs it.

The engine comes from wherever the running module was loaded, so that a host has what last worked on it: in a module's
payload that is an archive, too, so the sources are asked of their loaders.
"""

from __future__ import annotations

import importlib.util
import io
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from . import persist, restore
from .state import FileContent, Symlink

PACKAGE = __name__.rpartition(".")[0]
INSIDE = "vnet"
"""The name of the package in the zipapp."""

MAIN = f"""import sys

from {INSIDE}.restore import main

sys.exit(main(sys.argv[1:]))
"""

OTHER_WORK = (
    "libvirtd.service virtqemud.service virtnetworkd.service virtlxcd.service",
    "docker.service containerd.service crio.service kubelet.service podman.service podman-restart.service",
    "lxc.service lxc-net.service lxcfs.service lxd.service incus.service machines.target",
)
"""What starts virtual machines and containers. systemd leaves out those that a host has not."""

SERVICE = """# Made by the Ansible collection linuxnet.vnet, and removed by it with the last file that is kept.
[Unit]
Description=Restore the virtual networks kept in {directory}
Documentation=https://github.com/linuxnet/vnet
DefaultDependencies=no
ConditionDirectoryNotEmpty={directory}
Wants=network.target
# Devices, users and sysctls as they shall be; firewalls come before all networks.
After=local-fs.target systemd-sysusers.service systemd-modules-load.service systemd-sysctl.service
After=systemd-tmpfiles-setup-dev.service systemd-udevd.service systemd-udev-trigger.service network-pre.target
After=ovsdb-server.service ovs-vswitchd.service openvswitch.service
Before=network.target network-online.target shutdown.target
{before}
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={python} -I {engine}
TimeoutStartSec=5min
SyslogIdentifier=vnet-restore

[Install]
WantedBy=multi-user.target
"""


def software() -> Mapping[str, FileContent]:
    """What has to be where, by path, so that what is kept is restored at boot."""
    return {
        persist.ENGINE: engine(),
        persist.UNIT: unit(interpreter()),
        persist.ENABLED: Symlink(f"../{os.path.basename(persist.UNIT)}"),
    }


def unit(python: str) -> str:
    """The unit's file."""
    before = "\n".join(f"Before={names}" for names in OTHER_WORK)
    return SERVICE.format(directory=persist.DIRECTORY, engine=persist.ENGINE, python=python, before=before)


def interpreter() -> str:
    """The Python that runs this, which has what the engine needs.

    Not where it may be gone at boot, or where others than root could put another program in its place.
    """
    path = os.path.abspath(sys.executable) if sys.executable else ""
    lasting = re.fullmatch(r"[\w./+-]+", path) and not path.startswith(("/tmp/", "/var/tmp/", "/run/", "/dev/"))
    try:
        owners = {os.lstat(place).st_uid for place in (path, os.path.dirname(path))}
    except OSError:
        owners = set()
    return path if lasting and owners == {0} else "/usr/bin/python3"


def engine() -> bytes:
    """The zipapp: the same bytes from the same sources, so stored as they are and with no time of day on them."""
    members = {"__main__.py": MAIN, f"{INSIDE}/__init__.py": "", **dict(sources())}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, members[name])
    return out.getvalue()


def sources() -> Iterator[tuple[str, str]]:
    """The source of restore.py and of all that it imports from this package, by the name in the zipapp."""
    seen, waiting = set(), [restore.__name__]
    while waiting:
        name = waiting.pop()
        if name in seen or name == PACKAGE:
            continue
        seen.add(name)
        spec = importlib.util.find_spec(name) if is_module(name) else None
        if spec is None:
            continue
        source: Any = spec.loader.get_source(name)  # type: ignore[union-attr, unused-ignore]  # Python's own loaders have it
        if isinstance(source, bytes):
            source = source.decode()  # as Ansible's controller has it
        is_package = spec.submodule_search_locations is not None
        path = name[len(PACKAGE) + 1 :].replace(".", "/") + ("/__init__" if is_package else "")
        yield f"{INSIDE}/{path}.py", source or ""
        waiting += imports(source or "", name if is_package else name.rpartition(".")[0])
        waiting.append(name.rpartition(".")[0])


RELATIVE = re.compile(r"^\s*from (\.+)([\w.]*) import (\([^)]*\)|.*)$", re.M)


def imports(source: str, package: str) -> Iterator[str]:
    """What a source imports from its own package, wherever in it; what it imports by name may be a module, too."""
    for dots, below, names in RELATIVE.findall(source):
        base = ".".join(package.split(".")[: len(package.split(".")) + 1 - len(dots)])
        base = f"{base}.{below}" if below else base
        yield base
        yield from (f"{base}.{word}" for word in re.findall(r"\w+", names))


def is_module(name: str) -> bool:
    """Whether this is a module, or may be one: something in a package."""
    parent = importlib.util.find_spec(name.rpartition(".")[0])
    return parent is not None and parent.submodule_search_locations is not None
