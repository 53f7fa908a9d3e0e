"""``haloscope cache``: what is kept on disk."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import Any

from engine.errors import ResultError
from engine.results import load_result
from engine.store import LIMIT, Entry, Store, default_store


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("cache", help="show or remove the results kept on disk")
    parser.add_argument("--clear", action="store_true", help="remove them all, without asking")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show what is kept, or remove it."""
    store = default_store()
    removed = store.clear() if options.clear else []
    if options.json:
        print(json.dumps(_told(store, removed), sort_keys=True))
    elif options.clear:
        print(f"Removed {_amount(removed)} from {store.folder}")
    else:
        _show(store)
    return 0


def _told(store: Store, removed: list[Entry]) -> dict[str, Any]:
    entries = store.entries()
    return {
        "folder": str(store.folder),
        "results": len(entries),
        "bytes": _bytes(entries),
        "limit_bytes": store.limit_bytes,
        "last_used": _moment(entries[0]).isoformat() if entries else None,
        "last_key": entries[0].key if entries else None,
        "removed": len(removed),
        "removed_bytes": _bytes(removed),
    }


def _show(store: Store) -> None:
    entries = store.entries()
    print(f"Folder:    {store.folder}")
    print(f"Kept:      {_amount(entries)}")
    off = "" if store.limit_bytes else ": nothing is kept"
    print(f"Limit:     {_told_bytes(store.limit_bytes)} ({LIMIT}){off}")
    if entries:
        moment = _moment(entries[0]).strftime("%Y-%m-%d %H:%M")
        print(f"Last used: {moment}, {_title(entries[0])}")


def _title(entry: Entry) -> str:
    try:
        source = load_result(entry.path).manifest["source"]
        return f"{source['method_title']} of {source['input']} ({source['model_title']})"
    except (ResultError, KeyError):
        return entry.key[:12]


def _moment(entry: Entry) -> datetime:
    return datetime.fromtimestamp(entry.used).astimezone()


def _amount(entries: list[Entry]) -> str:
    many = "" if len(entries) == 1 else "s"
    return f"{len(entries)} result{many}, {_told_bytes(_bytes(entries))}"


def _bytes(entries: list[Entry]) -> int:
    return sum(entry.bytes for entry in entries)


def _told_bytes(size: int) -> str:
    return f"{size / 1e3:.0f} kB" if 0 < size < 1e6 else f"{size / 1e6:.4g} MB"
