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

COLLECTION = Path(__file__).parents[2]
ANSIBLE = Path(ansible.__file__).parent
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
    sources, given, is_first = b"", set(), False
    with suppress(Exception):  # it is nothing that a task could fail by
        sources = digest_of_sources(module)
        cache.mkdir(exist_ok=True)
        given = give(store, cache, module, sources)
        is_first = claim(cache / f".{module}")
    yield
    if is_first:
        with suppress(Exception):
            keep(store, [path for path in packed_in(cache, module) if path.name not in given], module, sources)


def claim(path: Path) -> bool:
    """Whether nobody else in this run was here: only who knows the sources from before anybody packs can say what they are of."""
    with suppress(FileExistsError):
        path.touch(exist_ok=False)
        return True
    return False


def keep(store: Path, made: list[Path], module: str, sources: bytes) -> None:
    """Keep what was packed from these sources, unless they are others by now."""
    if made and digest_of_sources(module) == sources:
        store.mkdir(mode=0o700, exist_ok=True)
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
            write(cache / path.name, content[DIGEST_SIZE:])
            given.add(path.name)
    return given


def digest_of_sources(module: str) -> bytes:
    """The digest of all that a module may be packed from, and by: contents, as times and sizes may be the same for others."""
    places = [
        COLLECTION / "plugins" / "module_utils",
        ANSIBLE / "_internal" / "_ansiballz",
        # As Ansible's packer asks: the public print_paths() joins them by ":", which a path may have in it.
        *map(Path, module_utils_loader._get_paths(subdirs=False)),  # noqa: SLF001
    ]
    files = [
        COLLECTION / "meta" / "runtime.yml",
        COLLECTION / "plugins" / "modules" / f"{module}.py",
        ANSIBLE / "config" / "ansible_builtin_runtime.yml",
        ANSIBLE / "executor" / "module_common.py",
    ]
    parts = [ansible.__version__.encode(), sys.version.encode()]
    for path in [*files, *(path for place in places for path in python_in(place))]:
        parts += [os.fsencode(path), digest(path.read_bytes())]
    return digest(b"\0".join(parts))


def python_in(directory: Path) -> Iterable[Path]:
    """The Python sources in a directory and below, in a fixed order. OSError where more may be behind a link."""
    found = []
    for place, below, names in os.walk(directory):
        for name in below:
            if os.path.islink(os.path.join(place, name)):
                raise OSError(f"{place}/{name} is a link")
        found += [Path(place, name) for name in names if name.endswith(".py")]
    return sorted(found)


def digest(*parts: bytes) -> bytes:
    """The digest of all parts; each but the last is to have a fixed length."""
    return hashlib.blake2b(b"".join(parts), digest_size=DIGEST_SIZE).digest()


def write(path: Path, content: bytes) -> None:
    """Write a file at once: another worker or run may do the same, or read it.

    Not by `files.write`: that keeps the mode and owner of what was there, which may be why it is written anew, and waits
    for the disk, where a power cut costs no more than the digest finds.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
