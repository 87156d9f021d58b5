"""Is a file on another machine's disk? SQLite's WAL needs memory shared by all its processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# File systems whose files another machine may have open; the names are Linux's and macOS's.
_SHARED = frozenset(
    {
        "9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.ceph", "fuse.davfs2",
        "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs",
        "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs",
        "vmhgfs", "webdav",
    }
)  # fmt: skip
_MOUNTS = Path("/proc/self/mounts")
_DRIVE_REMOTE = 4


def on_network_disk(path: Path) -> bool:
    """Whether the folder of this file is shared with other machines; False when nobody knows."""
    folder = os.path.realpath(path.parent)
    if sys.platform == "win32":
        import ctypes

        drive = os.path.splitdrive(folder)[0]
        if drive.startswith("\\\\"):
            return True
        return bool(ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == _DRIVE_REMOTE)
    return _mounted_as(folder) in _SHARED


def _mounted_as(folder: str) -> str:
    """The type of the file system with the longest mount point above the folder."""
    best, kind = "", ""
    for point, type_ in _mounts():
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        # a later mount hides an earlier one at the same place
        if inside and len(point) >= len(best):
            best, kind = point, type_
    return kind


def _mounts() -> list[tuple[str, str]]:
    try:
        table = _MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        import psutil

        try:
            return [(each.mountpoint, each.fstype) for each in psutil.disk_partitions(all=True)]
        except (OSError, psutil.Error):
            return []
    fields = (line.split(" ") for line in table.splitlines())
    return [(_unescaped(each[1]), each[2]) for each in fields if len(each) > 2]


def _unescaped(point: str) -> str:
    """A mount point as the kernel writes it, with blanks as octal escapes."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point
