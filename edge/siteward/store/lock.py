"""One core per database: a file lock that the kernel releases with the process, however it dies."""

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from siteward.model.errors import ConfigError, StoreError


class InstanceLock:
    """Held from construction to close. Raises ConfigError when another process holds it, StoreError without a disk.

    The number inside the file is only for people: a leftover file without a living holder locks nobody out (fault 65).
    """

    def __init__(self, path: Path) -> None:
        self._fd = _open(path)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            holder = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            text = f"{path.parent}: another siteward core works here (process {holder}); stop it first"
            raise ConfigError(text) from taken
        self._sign()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go; twice does no harm."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _sign(self) -> None:
        """Write our process number, where the disk allows it: the lock holds without."""
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, str(os.getpid()).encode(), 0)
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EBADF, errno.EINVAL, errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise StoreError(f"the instance lock cannot be written: {error}") from error


def _open(path: Path) -> int:
    """Open for writing, or only for reading where the disk has turned read-only: flock needs no more."""
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        if error.errno != errno.EROFS or not path.exists():
            raise StoreError(f"{path}: cannot open the instance lock: {error}") from error
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
