"""Walls around a child process that runs what nobody has read, made of Linux namespaces: no daemon, no rights needed.

Behind them there is no network but one loopback port, whose listening socket is handed to the parent; nothing can be
written outside one directory, and directories that are private to the user are empty; other processes can be neither
seen nor ended, and whatever was started ends with the first process. What a kernel does not allow raises OSError.

https://man7.org/linux/man-pages/man7/namespaces.7.html, user_namespaces.7, mount_setattr.2, open_tree.2
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWUSER = 0x00020000, 0x08000000, 0x10000000
_CLONE_NEWPID, _CLONE_NEWNET = 0x20000000, 0x40000000
# The generic numbers, which every architecture but Alpha has for calls this new.
_SYS_OPEN_TREE, _SYS_MOVE_MOUNT, _SYS_MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC, _MOVE_MOUNT_F_EMPTY_PATH = 1, 0o2000000, 4
_MOUNT_ATTR_RDONLY = 1
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_CAPABILITY_VERSION_3 = 0x20080522
_HIGHEST_CAPABILITY = 63


def enter_namespaces(port: int) -> socket.socket:
    """Leave the namespaces of this process for new ones; the socket listens on `port` of the new loopback interface.

    Children that are forked from now on are in a process namespace of their own, the first of them as its init.

    Raises:
        OSError: the kernel, or a policy of the machine, does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    libc = _libc()
    flags = _CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWNET | _CLONE_NEWIPC
    _check(libc.unshare(flags), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        _bring_up(control, b"lo")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener


def close_files(home: Path, hidden: Sequence[Path], shown: Sequence[Path]) -> None:
    """Make everything read-only but `home`; `hidden` directories are empty but for what of `shown` is in them.

    Raises:
        OSError: the kernel does not allow it, or has no such call (before Linux 5.12).
    """
    libc = _libc()
    _mount(libc, None, "/", None, _MS_REC | _MS_PRIVATE)
    trees = [(path, _open_tree(libc, path)) for path in (*shown, home) if _is_below_any(path, hidden)]
    if not _is_below_any(home, hidden):
        _mount(libc, str(home), str(home), None, _MS_BIND)
    for path in hidden:
        if path.is_dir():
            _mount(libc, "tmpfs", str(path), "tmpfs", _MS_NOSUID | _MS_NODEV)
    for path, tree in sorted(trees):
        if not path.exists():
            path.mkdir(parents=True) if _is_directory(tree) else _empty_file(path)
        moved = libc.syscall(_SYS_MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(path), _MOVE_MOUNT_F_EMPTY_PATH)
        _check(moved, "move_mount")
        os.close(tree)
    _set_read_only(libc, Path("/"), read_only=True, recursive=True)
    _set_read_only(libc, home, read_only=False, recursive=False)
    if Path("/dev/shm").is_dir():  # noqa: S108 -- shared memory, of this process alone
        _mount(libc, "tmpfs", "/dev/shm", "tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)  # noqa: S108
    if os.getpid() == 1:
        # Containers forbid it; the old one shows other processes, and opens none of their files.
        with contextlib.suppress(OSError):
            _mount(libc, "proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)


def drop_capabilities() -> None:
    """Give up every right that the new namespaces gave, for good."""
    libc = _libc()
    for capability in range(_HIGHEST_CAPABILITY + 1):
        if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
            break
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(libc.capset(header, struct.pack("6I", *[0] * 6)), "capset")


def die_with_parent() -> None:
    """End this process when its parent ends."""
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def refuse_tracing() -> None:
    """Let no process of the same user read or steer this one."""
    _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _bring_up(control: socket.socket, name: bytes) -> None:
    from fcntl import ioctl

    request = struct.pack("16sH14x", name, 0)
    flags = struct.unpack("16sH14x", ioctl(control, _SIOCGIFFLAGS, request))[1]
    ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", name, flags | _IFF_UP))


def _mount(libc: ctypes.CDLL, source: str | None, target: str, kind: str | None, flags: int) -> None:
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _check(libc.mount(*encoded, ctypes.c_ulong(flags), None), f"mount {target}")


def _open_tree(libc: ctypes.CDLL, path: Path) -> int:
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE
    return _check(libc.syscall(_SYS_OPEN_TREE, _AT_FDCWD, os.fsencode(path), flags), f"open_tree {path}")


def _set_read_only(libc: ctypes.CDLL, path: Path, *, read_only: bool, recursive: bool) -> None:
    to_set, to_clear = (_MOUNT_ATTR_RDONLY, 0) if read_only else (0, _MOUNT_ATTR_RDONLY)
    attributes = struct.pack("4Q", to_set, to_clear, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    done = libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, attributes, len(attributes))
    _check(done, f"mount_setattr {path}")


def _is_below_any(path: Path, directories: Sequence[Path]) -> bool:
    return any(path.is_relative_to(directory) for directory in directories)


def _is_directory(descriptor: int) -> bool:
    from stat import S_ISDIR

    return S_ISDIR(os.fstat(descriptor).st_mode)


def _empty_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
