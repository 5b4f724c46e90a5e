# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules as Ansible packed them in an earlier run, from the very same sources.

Ansible keeps a packed module in its temporary directory, for the other hosts of a run. What is in there, whatever its form, is
copied to ANSIBLE_HOME for the next run, with a digest of it and of all that it may have been packed from. Where that doesn't
match any more, Ansible packs anew.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import ansible
from ansible import constants
from ansible.plugins.loader import module_utils_loader

COLLECTION = Path(__file__).resolve().parents[2]
NAMES = "ansible_collections.linuxnet.vnet.plugins.modules.{module}-*"
"""How Ansible calls a packed module; what follows is how it is compressed and, since 2.19, extended."""

DIGEST_SIZE = 32


@contextmanager
def kept(module: str) -> Iterator[None]:
    """Give Ansible the packed form of a module, where there is one, and keep that which it then has."""
    cache = Path(constants.DEFAULT_LOCAL_TMP) / "ansiballz_cache"
    store = Path(constants.config.get_config_value("ANSIBLE_HOME")) / "linuxnet.vnet"
    if packed_in(cache, module):
        yield  # another host had it in this run
        return
    sources, given = b"", set()
    with suppress(OSError):
        sources = digest_of_sources(module)
        given = give(store, cache, module, sources)
    yield
    with suppress(OSError):
        made = [path for path in packed_in(cache, module) if path.name not in given]
        if made and digest_of_sources(module) == sources:
            store.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in made:
                content = path.read_bytes()
                write(store / path.name, digest(sources, content) + content)


def packed_in(directory: Path, module: str) -> list[Path]:
    """What there is of a module, but for what is not whole."""
    found = directory.glob(NAMES.format(module=module))
    return [path for path in found if not path.name.endswith((".lock", "-part"))]


def give(store: Path, cache: Path, module: str, sources: bytes) -> set[str]:
    """Copy what was packed from these sources; its names."""
    given = set()
    for path in packed_in(store, module):
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read()
        # It becomes code that runs on all hosts: nobody else may have written it.
        is_ours = status.st_uid == os.geteuid() and not status.st_mode & 0o022
        if is_ours and content[:DIGEST_SIZE] == digest(sources, content[DIGEST_SIZE:]):
            cache.mkdir(exist_ok=True)
            write(cache / path.name, content[DIGEST_SIZE:])
            given.add(path.name)
    return given


def digest_of_sources(module: str) -> bytes:
    """The digest of all that a module may be packed from: contents, as times and sizes may be the same for others."""
    ours = [*python_in(COLLECTION / "plugins" / "module_utils"), COLLECTION / "plugins" / "modules" / f"{module}.py"]
    theirs = [path for place in module_utils_loader.print_paths().split(os.pathsep) for path in python_in(Path(place))]
    parts = [ansible.__version__, sys.version]
    for path in [COLLECTION / "meta" / "runtime.yml", *ours, *theirs]:
        parts += [str(path), digest(path.read_bytes()).hex()]
    return digest("\0".join(parts).encode())


def python_in(directory: Path) -> Iterable[Path]:
    """The Python sources in a directory and below, in a fixed order."""
    return sorted(
        Path(place, name) for place, _below, names in os.walk(directory) for name in names if name.endswith(".py")
    )


def digest(*parts: bytes) -> bytes:
    """The digest of all parts; each but the last is to have a fixed length."""
    return hashlib.blake2b(b"".join(parts), digest_size=DIGEST_SIZE).digest()


def write(path: Path, content: bytes) -> None:
    """Write a file at once: another worker or run may do the same, or read it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
