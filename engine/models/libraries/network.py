"""Whether a host can be reached: found out in seconds, before a library begins to retry."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from engine.errors import ModelError

_PATIENCE = 3.0
_REMEMBERED = 20.0

_lock = threading.RLock()
_known: dict[str, tuple[float, bool]] = {}


def is_reachable(address: str) -> bool:
    """Return whether the host of an address (or the proxy before it) takes a connection.

    Asked again after 20 seconds at the earliest.
    """
    host, port = _endpoint(address)
    key = f"{host}:{port}"
    with _lock:
        asked, answer = _known.get(key, (float("-inf"), False))
        if time.monotonic() - asked > _REMEMBERED:
            answer = _connects(host, port)
            _known[key] = (time.monotonic(), answer)
    return answer


def _endpoint(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.hostname or ""):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return parts.hostname or "", port


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


@contextmanager
def hub_online_or_not(missing: str) -> Iterator[None]:
    """Keep the hub's client from retrying where the hub cannot be reached.

    Args:
        missing: what to say if something is not here: "hf:owner/name is not on this machine".

    Raises:
        ModelError: the hub is needed and not reachable, told at once.
    """
    from huggingface_hub import constants, errors

    offline = constants.HF_HUB_OFFLINE or not is_reachable(hub_address())
    with _lock:
        before = constants.HF_HUB_OFFLINE
        constants.HF_HUB_OFFLINE = offline
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
            constants.HF_HUB_OFFLINE = before


def _says_not_cached(error: BaseException) -> bool:
    kinds = ("LocalEntryNotFoundError", "OfflineModeIsEnabled")
    text = str(error).lower()
    words = ("offline", "couldn't connect", "cannot find the requested", "cached files")
    return type(error).__name__ in kinds or any(word in text for word in words)
