"""Results on disk by content key.

Each result is one file, written whole: to another name first, brought to the disk, then
renamed. So a process that is killed leaves nothing half-written, any number of processes may
write at once, and there is no index that could disagree with the files. When a result was
last used is its file's own time; beyond the limit the longest unused go first.

A file's name holds the key and the digest of the engine's source: what an engine has computed
is not shown by one that computes differently under the same version.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.errors import ResultError, StoreError
from engine.execution.environment import code_digest
from engine.manifest import key_of
from engine.results import Result, load_result, sync_folder, write_whole

FOLDER = "HALOSCOPE_CACHE"
LIMIT = "HALOSCOPE_CACHE_MB"
DEFAULT_LIMIT_MB = 2000

_KEY = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")
_FILE = re.compile(r"([0-9a-f]{64})\.[0-9a-f]+\.safetensors")
_UNFINISHED = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]+\.safetensors\..+")
# No result takes this long to write: whoever began it was killed.
_ABANDONED_SECONDS = 600.0
_BLOCK = 4096
# Removing goes a little below the limit, and the folder is looked through again after a
# fiftieth of it was written, so that not every result costs a walk over all files.
_KEPT_SHARE = 0.9
_WALK_SHARE = 0.02


@dataclass(frozen=True)
class Entry:
    """A result that is kept.

    Attributes:
        key: its content key.
        path: its file; ``load_result`` reads it.
        bytes: what it takes on the disk, in whole blocks of 4096.
        used: when it was last saved or read, in seconds since 1970.
    """

    key: str
    path: Path
    bytes: int
    used: float


class Store:
    """A folder of results, safe for many threads and processes.

    Args:
        folder: made when the first result is saved; only files of ours in it are touched.
        limit_bytes: what all results together may take. Several processes that write at
            once may exceed it by a fiftieth each.
    """

    def __init__(
        self, folder: str | os.PathLike[str], limit_bytes: int = DEFAULT_LIMIT_MB * 10**6
    ) -> None:
        self.folder = Path(folder)
        self.limit_bytes = limit_bytes
        self._room = 0  # bytes that may be written before the folder is looked through again
        self._lock = threading.Lock()

    def get(self, key: str) -> Result | None:
        """Return the result of a key and mark it as used, or None if there is none.

        A damaged file is removed and counts as none.

        Raises:
            StoreError: the key is none.
        """
        path = self._path(key)
        try:
            result = load_result(path)
        except ResultError:
            _remove_if_readable(path)
            return None
        if result.manifest.get("key") != key:
            _remove([path])
            return None
        _mark_used(path)
        return result

    def put(self, result: Result) -> None:
        """Save a result under its key; on return it is on the disk, and stays over a crash.

        Raises:
            StoreError: its key is not that of its request, it is not finished, it is larger
                than the limit, or the folder cannot be written to.
        """
        key = str(result.manifest.get("key"))
        path = self._path(key)
        if key_of(result.manifest.get("request", {})) != key:
            raise StoreError(f"the key {key[:12]}… is not the digest of the result's request")
        if result.manifest.get("outcome", {}).get("partial"):  # bears the key of the finished one
            raise StoreError("a result that is not finished is not kept")
        content = result.encoded()
        with self._lock:
            self._make_room(_on_disk(len(content)))
            try:
                self._make_folders(path.parent)
                write_whole(path, content)
            except (OSError, ResultError) as error:
                reason = getattr(error, "strerror", None) or error
                raise StoreError(f"results cannot be kept in {self.folder}: {reason}") from None
        _mark_used(path)

    def entries(self) -> list[Entry]:
        """Return all results that are kept, the last used first.

        Raises:
            StoreError: the folder is there but cannot be read.
        """
        found = (self._entry(path) for path in self._files() if _FILE.fullmatch(path.name))
        return sorted(filter(None, found), key=lambda entry: entry.used, reverse=True)

    @property
    def size(self) -> int:
        """Bytes that all results take on the disk."""
        return sum(entry.bytes for entry in self.entries())

    @property
    def count(self) -> int:
        """How many results are kept."""
        return len(self.entries())

    def clear(self) -> list[Entry]:
        """Remove all results, and return what was removed.

        Raises:
            StoreError: the folder cannot be read or written to.
        """
        entries = self.entries()
        self._sweep()
        _remove(entry.path for entry in entries)
        left = [entry for entry in entries if entry.path.exists()]
        if left:
            raise StoreError(f"{len(left)} of {len(entries)} results in {self.folder} are locked")
        return entries

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise StoreError(f"{key!r} is not a content key: 64 digits 0-9 and a-f")
        return self.folder / key[:2] / f"{key}.{code_digest()}.safetensors"

    def _make_room(self, wanted: int) -> None:
        if wanted > self.limit_bytes:
            raise StoreError(
                f"a result of {wanted / 1e6:.1f} MB is not kept: "
                f"the limit of all is {self.limit_bytes / 1e6:.1f} MB ({LIMIT})"
            )
        if self._room < wanted:
            self._sweep()
            free = self._shrink_to(self.limit_bytes, wanted)
            self._room = max(wanted, min(free, int(_WALK_SHARE * self.limit_bytes)))
        self._room -= wanted

    def _shrink_to(self, limit: int, wanted: int) -> int:
        """Remove the longest unused if there is no room for the wanted; return the free bytes."""
        entries = self.entries()
        total = sum(entry.bytes for entry in entries)
        if total + wanted <= limit:
            return limit - total
        keep = min(int(_KEPT_SHARE * limit), limit - wanted)
        while entries and total > keep:
            oldest = entries.pop()
            _remove([oldest.path])
            total -= oldest.bytes
        return limit - total

    def _make_folders(self, shard: Path) -> None:
        if shard.is_dir():
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)  # what one looks at is nobody else's business
        shard.mkdir(exist_ok=True)
        sync_folder(self.folder)
        sync_folder(self.folder.parent)

    def _sweep(self) -> None:
        """Remove what killed processes left unfinished."""
        old = time.time() - _ABANDONED_SECONDS
        for path in self._files():
            with contextlib.suppress(OSError):
                if _UNFINISHED.fullmatch(path.name) and path.stat().st_mtime < old:
                    path.unlink()

    def _files(self) -> Iterator[Path]:
        for shard in _listed(self.folder):
            if _SHARD.fullmatch(shard.name):
                yield from _listed(shard)

    def _entry(self, path: Path) -> Entry | None:
        try:
            told = path.stat()
        except OSError:  # another process has just removed it
            return None
        return Entry(path.name[:64], path, _on_disk(told.st_size), told.st_mtime)


def default_store() -> Store:
    """Return the user's own store, the same one every time.

    It lies where the system keeps such things, or in the folder that HALOSCOPE_CACHE names;
    HALOSCOPE_CACHE_MB is its limit (2000 by default; 0 switches it off).

    Raises:
        StoreError: the limit is not a number.
    """
    from platformdirs import user_cache_path

    named = os.environ.get(FOLDER)
    folder = Path(named).expanduser().absolute() if named else user_cache_path("haloscope", False)
    return _opened(folder / "results", _limit())


@cache
def _opened(folder: Path, limit_bytes: int) -> Store:
    return Store(folder, limit_bytes)


def _limit() -> int:
    text = os.environ.get(LIMIT, "").strip() or str(DEFAULT_LIMIT_MB)
    try:
        megabytes = float(text)
        if not 0 <= megabytes < float("inf"):
            raise ValueError
    except ValueError:
        raise StoreError(f"{LIMIT}={text}: expected megabytes, 0 or more") from None
    return int(megabytes * 10**6)


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _listed(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{folder} cannot be read: {error.strerror or error}") from None


def _mark_used(path: Path) -> None:
    now = time.time_ns()  # the system's own stamp is too coarse to order two quick uses
    with contextlib.suppress(OSError):
        os.utime(path, ns=(now, now))


def _remove_if_readable(path: Path) -> None:
    """Remove a file that is no result; one that cannot be read at present may be sound."""
    try:
        path.read_bytes()
    except OSError:
        return
    _remove([path])


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
