# Copyright: (c) the linuxnet.vnet authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One throwaway host: a set of namespaces that a sleeping process, its pid 1, holds open.

The process that asks (the parent) forks a builder, which enters or makes the namespaces and forks the holder.
The holder furnishes the host and becomes ``sleep``; ending it ends every process and every mount of the host.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import signal
import socket
import struct
from pathlib import Path
from typing import NoReturn, Optional

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

# A new network namespace copies these from the machine (net.core.devconf_inherit_init_net), so one that forwards
# would make hosts that forward. What is not listed starts at 0 (inet_init_net and the two devconf tables of
# net/ipv4/devinet.c). IPv6 starts at its own defaults unless that sysctl is 1.
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


def spawn(name: str, *, new_user: bool, join_user: Optional[int], etc: Path, python: str) -> int:
    """Create a host called ``name`` and return the pid of its holder.

    ``new_user`` gives it a user namespace of its own; ``join_user`` is the pid of a process whose user namespace it
    shares instead. ``etc`` is what its /etc starts from. ``python`` must be runnable inside. Raises ThrowawayError;
    nothing is left then.
    """
    sleep = find_tool("sleep")
    reader, writer = os.pipe()
    builder = os.fork()
    if builder == 0:
        _guarded(writer, lambda: _build(name, new_user, join_user, etc, python, sleep, writer))
    os.close(writer)
    with os.fdopen(reader, "r", encoding="utf-8") as reports:
        # The holder's end closes by itself when it becomes `sleep`: the end of the file means that the host stands.
        lines = reports.read().splitlines()
    os.waitpid(builder, 0)
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


def tun_problem() -> Optional[str]:
    """Return a sentence saying why tun and tap devices can't be made in a host, None if they can."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        remedy = {
            errno.EACCES: "run as root, or make it world-writable as desktop distributions do (chmod 0666)",
            errno.EPERM: "run as root, or make it world-writable as desktop distributions do (chmod 0666)",
        }.get(error.errno or 0, "load the module tun (modprobe tun)")
        return f"tun and tap devices won't work, as /dev/net/tun can't be opened ({error.strerror}): {remedy}."
    return None


def copy_tree(source: Path, target: Path) -> None:
    """Copy what can be read of the directory ``source``, owned by the caller, with symbolic links as they are."""
    target.mkdir(exist_ok=True)
    for entry in os.scandir(source):
        copy = target / entry.name
        try:
            if entry.is_symlink():
                copy.symlink_to(os.readlink(entry.path))
            elif entry.is_dir():
                copy_tree(Path(entry.path), copy)
            elif entry.is_file():
                shutil.copyfile(entry.path, copy)
                copy.chmod(entry.stat().st_mode & 0o777 | 0o600)
        except PermissionError:
            continue


def _reap(pid: int) -> None:
    """Make sure that a holder which failed is gone; it may have ended by itself already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _guarded(writer: int, action: object) -> NoReturn:
    """Run a forked child's part, report what it raises, and end the child without the parent's clean-up code."""
    try:
        assert callable(action)
        action()
    except ThrowawayError as error:
        os.write(writer, f"error {error}\n".encode())
    except Exception as error:  # whatever it is, the parent has to hear of it
        os.write(writer, f"error {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(1)


def _build(
    name: str, new_user: bool, join_user: Optional[int], etc: Path, python: str, sleep: str, writer: int
) -> NoReturn:
    if join_user is not None:
        _join_user_namespace(join_user)
    elif new_user:
        _make_user_namespace()
    if _libc.unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWPID):
        raise ThrowawayError(_refusal("namespaces are refused"))
    holder = os.fork()
    if holder == 0:
        _guarded(writer, lambda: _hold(name, etc, python, sleep, writer, new_user or join_user is not None))
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


def _refusal(what: str, code: Optional[int] = None) -> str:
    """Say what the kernel refused, and which setting is likely to be behind it."""
    reason = os.strerror(code or ctypes.get_errno())
    for key, bad, good in (
        ("kernel/unprivileged_userns_clone", "0", "1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user/max_user_namespaces", "0", "10000"),
    ):
        try:
            value = Path("/proc/sys", key).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == bad and os.geteuid() != 0:
            dotted = key.replace("/", ".")
            return f"{what} ({reason}) since {dotted} is {bad}: run as root, or sysctl -w {dotted}={good}"
    return f"{what} ({reason}): run as root, in a container as a privileged one"


def _hold(name: str, etc: Path, python: str, sleep: str, writer: int, in_user_namespace: bool) -> None:
    """Furnish the host and become its pid 1. Runs inside the new namespaces."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, writer)
    os.closerange(writer + 1, os.sysconf("SC_OPEN_MAX"))
    os.umask(0o022)

    _mount("", "/", "", MS_REC | MS_PRIVATE)
    _mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _mount_sysfs()
    for directory, mode in ((PRIVATE, 0o700), (HOME, 0o700), (Path("/run/lock"), 0o1777), (Path("/run/netns"), 0o755)):
        directory.mkdir()
        directory.chmod(mode)
    _cover(etc, "/etc", 0o755, in_user_namespace)
    _cover(Path("/tmp"), "/tmp", 0o1777, in_user_namespace)
    _cover(Path("/var/tmp"), "/var/tmp", 0o1777, in_user_namespace)
    # Without this, the first `ip netns add` would bind the directory onto itself and mount every earlier name twice.
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
    os.execve(sleep, [sleep, "infinity"], {"PATH": PATH})


def _mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    if _libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()):
        raise ThrowawayError(_refusal(f"{kind or 'a change of the mount'} on {target} is refused"))


def _mount_sysfs() -> None:
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    try:
        _mount("sysfs", "/sys", "sysfs", flags)
    except ThrowawayError:
        # In a user namespace the kernel allows no more than the machine's own /sys does; in containers that is reading.
        _mount("sysfs", "/sys", "sysfs", flags | MS_RDONLY)


def _cover(lower: Path, target: str, mode: int, in_user_namespace: bool) -> None:
    """Make ``target`` show the contents of ``lower``, with all writes kept inside the host."""
    base = PRIVATE / target.strip("/").replace("/", "-")
    upper, work = base / "upper", base / "work"
    for directory in (base, upper, work):
        directory.mkdir()
    upper.chmod(mode)
    # The lower directory goes by the working directory, as a comma or colon in its path would end the option.
    os.chdir(lower)
    data = f"lowerdir=.,upperdir={upper},workdir={work}"
    if in_user_namespace:
        data += ",userxattr"  # trusted.* attributes, overlayfs's usual notes, are the machine root's
    try:
        _mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV, data)
    except ThrowawayError:
        # Kernels before 5.11 have no overlayfs in user namespaces. An empty /tmp does; an empty /etc does not.
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
