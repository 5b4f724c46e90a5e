# Copyright (c) 2026, the linuxnet.vnet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One throwaway host: a set of namespaces that a sleeping process, its pid 1, holds open.

The process that asks (the parent) starts a builder, which enters or makes the namespaces and forks the holder.
The holder furnishes the host and becomes ``sleep``; ending it ends all processes and mounts of the host.

Private to a host are its network, name, processes, /run, /etc, /tmp, /var/tmp and HOME. The rest of the file
system, /dev included, is the machine's own: what root writes elsewhere stays.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_RDONLY = 0x1
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SHARED = 0x100000

SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1

# Everything private to a host lives on its own tmpfs over /run, so that it goes with the mount namespace.
PRIVATE = Path("/run/throwaway")
HOME = Path("/run/home")

# A user's own PATH often lacks the sbin directories, where ip and nft are.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A new network namespace copies these from the machine (net.core.devconf_inherit_init_net), so that one which
# forwards would make hosts that forward. What is not listed starts at 0 (the devconf tables of the kernel's
# net/ipv4/devinet.c). IPv6 starts at its own defaults, unless that sysctl is 1.
IPV4_DEFAULTS = {
    "accept_redirects": "1",
    "arp_evict_nocarrier": "1",
    "igmpv2_unsolicited_report_interval": "10000",
    "igmpv3_unsolicited_report_interval": "1000",
    "secure_redirects": "1",
    "send_redirects": "1",
    "shared_media": "1",
}
IPV4_DEFAULTS_BY_DEVICE = {
    "all": {},
    "default": {"accept_source_route": "1"},
    "lo": {"accept_source_route": "1", "disable_policy": "1", "disable_xfrm": "1"},
}

_libc = ctypes.CDLL(None, use_errno=True)


class ThrowawayError(Exception):
    """What went wrong and what to do about it, in one sentence."""


def spawn(name: str, *, user_namespace: int | Literal["new"] | None, etc: Path, python: str) -> int:
    """Create a host called ``name`` and return the pid of its holder.

    ``user_namespace`` is the pid of a process that has the one to stand in, "new" to make one, or None for
    the caller's own. ``etc`` is what the host's /etc starts from. ``python`` must be runnable inside. Raises
    ThrowawayError, and then nothing is left.
    """
    find_tool("sleep")
    reader, writer = os.pipe()
    asked = json.dumps({"name": name, "user_namespace": user_namespace, "etc": str(etc), "python": python})
    # An interpreter of its own: what is forked off one with threads waits for ever for a lock that another thread had.
    builder = subprocess.Popen([sys.executable, "-I", __file__, str(writer), asked], pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader, "r", encoding="utf-8") as reports:
        # The holder's end closes by itself when it becomes `sleep`: end of file means that the host stands.
        lines = reports.read().splitlines()
    builder.wait()
    pid = next((int(line[4:]) for line in lines if line.startswith("pid ")), None)
    error = next((line[6:] for line in lines if line.startswith("error ")), None)
    if error is None and pid is not None:
        return pid
    if pid is not None:
        _reap(pid)
    raise ThrowawayError(f"Host {name} could not be created: {error or 'its process ended early'}.")


def find_tool(tool: str) -> str:
    """Return the absolute path of a program, or raise ThrowawayError."""
    path = shutil.which(tool, path=PATH)
    if path is None:
        package = {"ip": "iproute2", "nsenter": "util-linux", "sleep": "coreutils"}.get(tool, tool)
        raise ThrowawayError(f"The program {tool} is missing; install the package {package}.")
    return path


def tun_problem() -> str | None:
    """Return a sentence saying why tun and tap devices can't be made in a host, None if they can."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC))
    except PermissionError:
        remedy = "run as root, or make it world-writable (chmod 0666), as desktop distributions do"
    except OSError:
        remedy = "load the module tun (modprobe tun); a container must be given the device"
    else:
        return None
    return f"Hosts will have no tun and tap devices, as /dev/net/tun can't be opened: {remedy}."


def copy_tree(source: Path, target: Path) -> None:
    """Copy what can be read under ``source``, to be owned by the caller; symbolic links stay as they are."""
    target.mkdir(exist_ok=True)
    for entry in os.scandir(source):
        copy = target / entry.name
        try:
            if entry.is_symlink():
                copy.symlink_to(Path(entry.path).readlink())
            elif entry.is_dir():
                copy_tree(Path(entry.path), copy)
            elif entry.is_file():
                shutil.copyfile(entry.path, copy)
                copy.chmod(entry.stat().st_mode & 0o777 | 0o600)
        except PermissionError:
            continue


def _reap(pid: int) -> None:
    """Make sure that a holder which failed is gone; it may have ended by itself already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _guarded(writer: int, action: Callable[[], object]) -> NoReturn:
    """Run a forked child's part, report what it raises, and end the child without the parent's clean-up."""
    try:
        action()
    except ThrowawayError as error:
        os.write(writer, f"error {error}\n".encode())
    except Exception as error:  # noqa: BLE001 (whatever it is, the parent has to hear of it, in one line)
        os.write(writer, " ".join(f"error {type(error).__name__}: {error}".split()).encode() + b"\n")
    finally:
        os._exit(1)


def _builder(writer: int, name: str, user_namespace: int | Literal["new"] | None, etc: str, python: str) -> NoReturn:
    """What `spawn` starts: it reports by lines on `writer`."""
    sleep = find_tool("sleep")
    os.set_inheritable(writer, False)

    def hold() -> None:
        _furnish(name, Path(etc), python, writer, in_user_namespace=user_namespace is not None)
        os.execve(sleep, [sleep, "infinity"], {"PATH": PATH})

    _guarded(writer, lambda: _build(user_namespace, hold, writer))


def _build(user_namespace: int | Literal["new"] | None, hold: Callable[[], None], writer: int) -> NoReturn:
    """Make the namespaces and fork the holder into them; end by leaving the holder to the machine's init."""
    if user_namespace == "new":
        _make_user_namespace()
    elif user_namespace is not None:
        _join_user_namespace(user_namespace)
    if _libc.unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWPID):
        raise ThrowawayError(_refusal("namespaces are refused"))
    holder = os.fork()
    if holder == 0:
        _guarded(writer, hold)
    os.write(writer, f"pid {holder}\n".encode())
    os._exit(0)


def _join_user_namespace(pid: int) -> None:
    namespace = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    if _libc.setns(namespace, CLONE_NEWUSER):
        raise ThrowawayError(_refusal("the lab's user namespace can't be entered"))
    os.close(namespace)


def _make_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWUSER):
        raise ThrowawayError(_refusal("user namespaces are refused"))
    try:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")
    except OSError as error:
        raise ThrowawayError(_refusal("root can't be mapped in a user namespace", error.errno)) from None


def _refusal(what: str, code: int | None = None) -> str:
    """Say what the kernel refused, and which setting is likely to be behind it."""
    reason = os.strerror(code or ctypes.get_errno())
    # In a user namespace one is root as well; the machine's own root has every id.
    is_root = os.geteuid() == 0 and Path("/proc/self/uid_map").read_text(encoding="ascii").split()[2] == "4294967295"
    if is_root:
        return f"{what} ({reason}): run with CAP_SYS_ADMIN, in a container as a privileged one"
    for key, bad, good in (
        ("kernel/unprivileged_userns_clone", "0", "1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user/max_user_namespaces", "0", "10000"),
    ):
        try:
            value = Path("/proc/sys", key).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == bad:
            dotted = key.replace("/", ".")
            return f"{what} ({reason}) since {dotted} is {bad}: run as root, or sysctl -w {dotted}={good}"
    return f"{what} ({reason}): run as root"


def _furnish(name: str, etc: Path, python: str, writer: int, *, in_user_namespace: bool) -> None:
    """Make a host of the new namespaces that this process, their pid 1, stands in."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor not in (0, 1, 2, writer):
            with contextlib.suppress(OSError):  # the one that listed the directory
                os.close(descriptor)
    os.umask(0o022)

    _mount("", "/", "", MS_REC | MS_PRIVATE)
    _mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _mount_sysfs()
    for path, mode in (
        (PRIVATE, 0o700),
        (HOME, 0o700),
        (Path("/run/lock"), 0o1777),
        (Path("/run/netns"), 0o755),
    ):
        path.mkdir()
        path.chmod(mode)
    # trusted.* attributes, overlayfs's usual notes, are the machine root's.
    options = ",userxattr" if in_user_namespace else ""
    _cover(etc, "/etc", 0o755, options)
    _cover(Path("/tmp"), "/tmp", 0o1777, options)
    _cover(Path("/var/tmp"), "/var/tmp", 0o1777, options)
    # Else a module's bind, followed by an `ip netns add` that shares the directory, would mount twice, and
    # deleting the namespace would fail as busy.
    _mount("/run/netns", "/run/netns", "", MS_BIND | MS_REC)
    _mount("", "/run/netns", "", MS_REC | MS_SHARED)

    os.chdir("/")
    if not os.access(python, os.X_OK):
        raise ThrowawayError(f"the interpreter {python} can't be run inside it")
    socket.sethostname(name)
    _loopback_up()
    _reset_ipv4()

    # Children that end are reaped by the kernel, as an ignored SIGCHLD stays ignored across exec.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    if _libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()):
        raise ThrowawayError(_refusal(f"{kind or 'a change of the mount'} on {target} is refused"))


def _mount_sysfs() -> None:
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    try:
        _mount("sysfs", "/sys", "sysfs", flags)
    except ThrowawayError:
        # In a user namespace the kernel allows no more than /sys outside does: in containers, reading.
        _mount("sysfs", "/sys", "sysfs", flags | MS_RDONLY)


def _cover(lower: Path, target: str, mode: int, options: str) -> None:
    """Make ``target`` show the contents of ``lower``, with all writes kept inside the host."""
    base = PRIVATE / target.strip("/").replace("/", "-")
    upper, work = base / "upper", base / "work"
    for directory in (base, upper, work):
        directory.mkdir()
    upper.chmod(mode)
    # The lower directory is named by ".", as a comma or colon in its path would end the option.
    os.chdir(lower)
    data = f"lowerdir=.,upperdir={upper},workdir={work}{options}"
    try:
        _mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV, data)
    except ThrowawayError:
        # Kernels before 5.11 have no overlayfs in user namespaces. An empty /tmp will do there.
        if target == "/etc":
            copy_tree(lower, upper)
        _mount(str(upper), target, "", MS_BIND)


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def _reset_ipv4() -> None:
    """Give the network namespace the kernel's own IPv4 settings in place of copies of the machine's."""
    ipv4 = Path("/proc/sys/net/ipv4")
    # First, since a change of ip_forward writes others.
    _write_if_different(ipv4 / "ip_forward", "0")
    for device, own in IPV4_DEFAULTS_BY_DEVICE.items():
        for key in (ipv4 / "conf" / device).iterdir():
            _write_if_different(key, own.get(key.name, IPV4_DEFAULTS.get(key.name, "0")))


def _write_if_different(key: Path, value: str) -> None:
    try:
        if key.read_text(encoding="ascii").strip() != value:
            key.write_text(value, encoding="ascii")
    except PermissionError:
        return  # not a setting of the namespace, hence nothing that was copied into it


if __name__ == "__main__":
    _builder(int(sys.argv[1]), **json.loads(sys.argv[2]))
