"""Whether a host can be reached: found out in seconds, before a library begins to retry."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from engine.errors import ModelError

_PATIENCE = 3.0
_REMEMBERED = 20.0
_PORTS = {"http": 80, "socks5": 1080, "socks5h": 1080}

# Of the memory below and of the switch: held for a moment, never while a host is dialled or a
# model is read.
_lock = threading.Lock()
_known: dict[str, tuple[float, bool]] = {}


def is_reachable(address: str, *, all_proxy: bool = True) -> bool:
    """Return whether the host of an address (or the proxy before it) takes a connection.

    Asked again after 20 seconds at the earliest.

    Args:
        address: with its scheme.
        all_proxy: whether whoever fetches goes by ``ALL_PROXY``: the hub's client does, Python's
            own does not.
    """
    host, port = _endpoint(address, all_proxy)
    key = f"{host}:{port}"
    with _lock:
        asked, answer = _known.get(key, (float("-inf"), False))
    if time.monotonic() - asked <= _REMEMBERED:
        return answer
    answer = _connects(host, port)  # two who ask at once both dial: better than one who waits
    with _lock:
        _known[key] = (time.monotonic(), answer)
    return answer


def _endpoint(address: str, all_proxy: bool) -> tuple[str, int]:
    parts = urlsplit(address)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or (proxies.get("all") if all_proxy else None)
    if proxy and not proxy_bypass(parts.hostname or ""):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)


def _connects(host: str, port: int) -> bool:
    """Try it on a thread of its own: looking a name up can outlast any timeout."""
    answer: list[bool] = []

    def ask() -> None:
        try:
            socket.create_connection((host, port), timeout=_PATIENCE).close()
            answer.append(True)
        except OSError:
            answer.append(False)

    thread = threading.Thread(target=ask, name="haloscope-network", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return bool(answer and answer[0])


def hub_address() -> str:
    """Return the address of the Hugging Face hub, or of the mirror that the user has set."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co")


class _Offline:
    """Stands in for the client's one switch for all threads: each load has its own answer.

    A switch that is turned for all would be wrong either way: a load that cannot reach the hub
    would break the download of another that has begun before, and one that can reach it would
    find it turned off. The client asks only whether the switch is true, each time before it
    dials, in the thread that loads; so no load has to wait for another, however long its download
    hangs. A thread that the client itself starts goes by what the user has set.
    """

    def __init__(self, for_all: bool) -> None:
        self.for_all = for_all  # what the user has set

    def __bool__(self) -> bool:
        return self.for_all or _unreachable.get()

    def __repr__(self) -> str:
        return repr(bool(self))


_unreachable: ContextVar[bool] = ContextVar("unreachable", default=False)


def _switch(constants: Any) -> _Offline:
    """Return the client's switch, put in place once."""
    with _lock:
        if not isinstance(constants.HF_HUB_OFFLINE, _Offline):
            constants.HF_HUB_OFFLINE = _Offline(bool(constants.HF_HUB_OFFLINE))
        found: _Offline = constants.HF_HUB_OFFLINE
    return found


@contextmanager
def hub_online_or_not(missing: str) -> Iterator[None]:
    """Keep the hub's client from retrying where the hub cannot be reached.

    Args:
        missing: what to say if something is not here: "hf:owner/name is not on this machine".

    Raises:
        ModelError: the hub is needed and not reachable, told at once.
    """
    from huggingface_hub import constants, errors

    offline = _switch(constants).for_all or not is_reachable(hub_address())
    token = _unreachable.set(offline)
    try:
        yield
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError) as error:
        if offline and _says_not_cached(error):
            host = urlsplit(hub_address()).hostname
            raise ModelError(
                f"{missing}, and {host} cannot be reached; "
                "save it in a folder and name that, or try again with a network"
            ) from None
        raise
    finally:
        _unreachable.reset(token)


def _says_not_cached(error: BaseException) -> bool:
    kinds = ("LocalEntryNotFoundError", "OfflineModeIsEnabled")
    text = str(error).lower()
    words = ("offline", "couldn't connect", "cannot find the requested", "cached files")
    return type(error).__name__ in kinds or any(word in text for word in words)
