# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the linuxnet.vnet collection: it may change in any release without notice.

"""Network namespaces: making and deleting named ones, and doing things inside one.

The names are those of ip-netns(8): files under /run/netns on which the kernel's nsfs is mounted. All of this
works on the calling thread, so the engine stays single-threaded.
"""

from __future__ import annotations

import ctypes
import os
import resource
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from . import errors

DIRECTORY = "/run/netns"
CLONE_NEWNET = 0x40000000
CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_SLAVE, MS_SHARED = 4096, 16384, 1 << 19, 1 << 20
MNT_DETACH = 2
FILES = 65536
AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: str, *arguments: object) -> None:
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _mount(source: str, target: str, flags: int, kind: str = "none") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None)


def path_of(name: str) -> str:
    """The file of a named namespace."""
    return f"{DIRECTORY}/{name}"


def put(path: str, owner: str) -> None:
    """Make the file of a namespace that says whose it is. There is none with less, whenever this is killed: it is written first, and named then."""
    with suppress(FileNotFoundError):
        os.unlink(path)  # what is no namespace is a stale leftover
    flags = os.O_WRONLY | os.O_CLOEXEC
    try:
        descriptor = os.open(os.path.dirname(path), flags | os.O_TMPFILE, 0o444)
        nameless = f"/proc/self/fd/{descriptor}".encode()
    except OSError:
        # An overlay, as a container may have under /run, knows no such files before Linux 6.3.
        descriptor, nameless = os.open(path, flags | os.O_CREAT, 0o444), b""
    try:
        os.write(descriptor, owner.encode())
        if nameless:
            _call("linkat", AT_FDCWD, nameless, AT_FDCWD, path.encode(), AT_SYMLINK_FOLLOW)
    finally:
        os.close(descriptor)


def _mount_or_remove(path: str) -> None:
    """Give the namespace in which the thread is a name, or take the file of that name away."""
    try:
        _mount("/proc/self/ns/net", path, MS_BIND)
    except OSError:
        os.unlink(path)
        raise


def _open_many() -> None:
    """Be allowed more open files: each namespace takes two, and the usual 1024 are soon too few.

    Not as many as the system grants, which may be a thousand million: some programs that are started from here would close each of them.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


class Namespaces:
    """The namespaces of this host as one run sees them: each opened once, by descriptor.

    `""` is the namespace in which the process was when this object was made.
    """

    def __init__(self) -> None:
        _open_many()
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._device = os.fstat(self.home).st_dev
        self._open: dict[str, int] = {"": self.home}
        self.gone: dict[str, int] = {}
        """Descriptors of namespaces that this run unmounted: they live on until the run ends."""
        self._prepared = False

    def close(self) -> None:
        for descriptor in {*self._open.values(), *self.gone.values()}:
            os.close(descriptor)
        self._open, self.gone = {}, {}

    def descriptor(self, name: str) -> int | None:
        """A descriptor of the namespace, None where there is none: a mere file of that name is a stale leftover."""
        if name not in self._open:
            try:
                descriptor = os.open(path_of(name), os.O_RDONLY | os.O_CLOEXEC)
            except OSError as exc:
                if errors.of_the_system(exc):
                    raise
                return None
            # All namespaces are on one internal file system, whose device number our own shows.
            if os.fstat(descriptor).st_dev != self._device:
                os.close(descriptor)
                return None
            self._open[name] = descriptor
        return self._open[name]

    def names(self) -> list[str]:
        """All named network namespaces of this host."""
        try:
            files = sorted(os.listdir(DIRECTORY))
        except OSError:
            return []
        return [name for name in files if self.descriptor(name) is not None]

    def leftovers(self, owner: str) -> list[str]:
        """The names of files that `make` or `delete` left when it was killed, and that say that they are the owner's."""
        found = []
        for name in sorted(os.listdir(DIRECTORY)) if os.path.isdir(DIRECTORY) else ():
            if self.descriptor(name) is None:
                with suppress(OSError), open(path_of(name), encoding="utf-8", errors="replace") as file:
                    if file.read(200) == owner:
                        found.append(name)
        return found

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Run the body in the namespace."""
        descriptor = self.descriptor(name)
        if descriptor is None:
            raise OSError(2, f"there is no network namespace {name!r}")
        if name:
            _call("setns", descriptor, CLONE_NEWNET)
        try:
            yield
        finally:
            if name:
                _call("setns", self.home, CLONE_NEWNET)

    def read_sysfs(self, netns: str, path: str) -> str | None:
        """A value from the sysfs of a namespace, None where it can't be read."""
        return self.read_sysfs_of({netns: [path]}).get((netns, path))

    def read_sysfs_of(self, wanted: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], str]:
        """Values from the sysfs of namespaces, by (namespace, path); what can't be read is not in it.

        `wanted` has by namespace the paths below /sys. A mounted sysfs shows the devices of one namespace: for
        another one it has to be mounted anew, in a mount namespace of our own. A thread does it, as a thread can
        have one for itself.
        """
        found: dict[tuple[str, str], str] = {}

        def read(netns: str) -> None:
            for path in wanted[netns]:
                with suppress(OSError), open(f"/sys/{path}", encoding="ascii") as file:
                    found[netns, path] = file.read().strip()

        def look() -> None:
            with suppress(OSError):
                _call("unshare", CLONE_NEWNS)
                _mount("", "/", MS_SLAVE | MS_REC)
                for netns in wanted:
                    if netns:
                        _call("setns", self.descriptor(netns), CLONE_NEWNET)
                        _mount("sysfs", "/sys", 0, "sysfs")
                        read(netns)
                        _call("umount2", b"/sys", MNT_DETACH)

        if "" in wanted:
            read("")
        if any(wanted):
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
        return found

    @contextmanager
    def make(self, name: str, owner: str = "") -> Iterator[None]:
        """Make a namespace, run the body in it, and then give it its name, as `ip netns add` does.

        `owner` is left in the file on which it is mounted: who is killed just then leaves a file that tells whose it is.
        """
        self._prepare_directory()
        path = path_of(name)
        _call("unshare", CLONE_NEWNET)
        try:
            # Opened before it has a name: undoing must not fail for want of a descriptor.
            descriptor = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                yield
                put(path, owner)
                _mount_or_remove(path)
            except BaseException:
                os.close(descriptor)
                raise
            self._open[name] = descriptor
        finally:
            _call("setns", self.home, CLONE_NEWNET)

    def delete(self, name: str) -> None:
        """Take the name away. The namespace itself stays, for `restore`, until `close`."""
        descriptor = self.descriptor(name)
        if descriptor is None:
            return
        path = path_of(name)
        _call("umount2", path.encode(), MNT_DETACH)
        while True:
            # Where /run/netns was no shared mount when it was made, it is mounted twice.
            try:
                _call("umount2", path.encode(), MNT_DETACH)
            except OSError:
                break
        os.unlink(path)
        self.gone[name] = self._open.pop(name)

    def restore(self, name: str) -> None:
        """Undo `delete`: the same namespace under its name again."""
        descriptor = self.gone.pop(name)
        path = path_of(name)
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o444))
        _mount(f"/proc/self/fd/{descriptor}", path, MS_BIND)
        self._open[name] = descriptor

    def _prepare_directory(self) -> None:
        """Make /run/netns a shared mount, so that other mount namespaces see what comes and goes there."""
        if self._prepared:
            return
        self._prepared = True
        os.makedirs(DIRECTORY, 0o755, exist_ok=True)
        try:
            _mount("", DIRECTORY, MS_SHARED | MS_REC)
        except OSError:
            _mount(DIRECTORY, DIRECTORY, MS_BIND | MS_REC)
            _mount("", DIRECTORY, MS_SHARED | MS_REC)
