from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine import results
from engine import store as home
from engine.errors import StoreError
from engine.results import Attribution, load_result
from engine.store import Store, default_store
from tests.engine.refusals import expect_refusal
from tests.engine.store_writers import made

ROOT = Path(__file__).parents[2]
SMALL = 1000  # floats: two blocks on the disk


def started(call: str) -> subprocess.Popen[str]:
    code = f"from tests.engine import store_writers as w; {call}"
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def same(found: Any, expected: Attribution) -> bool:
    return (
        isinstance(found, Attribution)
        and found.values.tobytes() == expected.values.tobytes()
        and found.manifest == expected.manifest
    )


def numbers(store: Store) -> list[int]:
    """What is kept, the last used first."""
    return [load_result(e.path).manifest["request"]["number"] for e in store.entries()]


def block_size(floats: int = SMALL) -> int:
    return -(-len(made(0, floats).encoded()) // 4096) * 4096


def test_saved_and_found_again_by_another(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "results"
    Store(folder).put(made(1))
    assert same(Store(folder).get(made(1).key), made(1))
    assert Store(folder).get(made(2).key) is None
    (entry,) = Store(folder).entries()
    assert entry.key == made(1).key
    assert same(load_result(entry.path), made(1))
    assert entry.bytes == block_size(50_000) == Store(folder).size
    assert abs(entry.used - time.time()) < 60
    assert folder.stat().st_mode & 0o077 == 0, "what one looks at is nobody else's business"


def test_nothing_there_yet(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert store.get(made(1).key) is None
    assert (store.entries(), store.size, store.count, store.clear()) == ([], 0, 0, [])
    assert not store.folder.exists()


def test_saving_again_keeps_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _ in range(3):
        store.put(made(1))
    assert store.count == 1


@pytest.mark.parametrize("key", ["", "ab12", "../" * 20 + "etcetc", "G" * 64, "ab" * 32 + "\n"])
def test_what_is_no_key(tmp_path: Path, key: str) -> None:
    with expect_refusal(StoreError, "is not a content key"):
        Store(tmp_path).get(key)
    with expect_refusal(StoreError, "is not a content key"):
        Store(tmp_path).put(Attribution(manifest={"key": key}, values=made(1).values))


def test_a_key_that_is_not_that_of_the_request(tmp_path: Path) -> None:
    manifest = {**made(1).manifest, "request": {"number": 2}}
    with expect_refusal(StoreError, "not the digest of the result's request"):
        Store(tmp_path).put(Attribution(manifest=manifest, values=made(1).values))
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_is_not_finished(tmp_path: Path) -> None:
    manifest = {**made(1).manifest, "outcome": {"partial": True}}
    with expect_refusal(StoreError, "not finished"):
        Store(tmp_path).put(Attribution(manifest=manifest, values=made(1).values))
    assert list(tmp_path.iterdir()) == []


def test_another_engine_under_the_same_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path).put(made(1))
    monkeypatch.setattr(home, "code_digest", lambda: "0123456789ab")
    assert Store(tmp_path).get(made(1).key) is None
    assert Store(tmp_path).count == 1, "it goes when it is the longest unused"


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    store = Store(tmp_path, 10 * block_size())
    for number in range(10):
        store.put(made(number, SMALL))
    assert numbers(store) == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    for number in (0, 3):
        assert store.get(made(number, SMALL).key) is not None
    assert store.count == 10
    store.put(made(10, SMALL))
    assert numbers(store) == [10, 3, 0, 9, 8, 7, 6, 5, 4, 2]
    assert numbers(Store(tmp_path)) == [10, 3, 0, 9, 8, 7, 6, 5, 4, 2]


@pytest.mark.parametrize("blocks", [1, 3, 25])
def test_the_limit_holds_after_every_result(tmp_path: Path, blocks: int) -> None:
    store = Store(tmp_path, blocks * block_size())
    for number in range(3 * blocks):
        store.put(made(number, SMALL))
        assert store.size <= store.limit_bytes
        assert same(store.get(made(number, SMALL).key), made(number, SMALL))
    assert store.count >= 0.85 * blocks


def test_a_lowered_limit_is_met_at_the_next_result(tmp_path: Path) -> None:
    for number in range(20):
        Store(tmp_path).put(made(number, SMALL))
    store = Store(tmp_path, 5 * block_size())
    store.put(made(20, SMALL))
    assert numbers(store) == [20, 19, 18, 17, 16]


def test_larger_than_the_limit(tmp_path: Path) -> None:
    store = Store(tmp_path, 5 * block_size())
    store.put(made(1, SMALL))
    with expect_refusal(StoreError, "of 0.2 MB is not kept", "0.0 MB (HALOSCOPE_CACHE_MB)"):
        store.put(made(2))
    assert numbers(store) == [1], "nothing was removed for what does not fit anyway"


def test_clear_touches_only_what_is_ours(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(made(1))
    store.put(made(2))
    (shard, *_) = (entry.path.parent for entry in store.entries())
    foreign = [tmp_path / "letter.txt", shard / "map.safetensors", tmp_path / "photos" / "a.png"]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    assert {entry.key for entry in store.clear()} == {made(1).key, made(2).key}
    assert store.count == 0
    assert all(path.read_text() == "mine" for path in foreign)


def test_what_a_killed_process_left_is_removed_after_a_while(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(made(1))
    (entry,) = store.entries()
    old, new = (entry.path.with_name(f".{entry.path.name}.{name}") for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 3600,) * 2)
    assert store.count == 1
    Store(tmp_path).put(made(2))
    assert not old.exists()
    assert new.exists(), "somebody may still be writing it"


def damaged(content: bytes) -> list[bytes]:
    """One file's content, damaged in many ways; never the sound one."""
    chance = random.Random(0)
    header = int.from_bytes(content[:8], "little") + 8
    places = [*range(0, header, 3), *(chance.randrange(len(content)) for _ in range(60))]
    flipped = [
        content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]
        for place in places
    ]
    cut = [content[: int(share * len(content))] for share in (0, 0.001, 0.3, 0.999)]
    return [*flipped, *cut, content + b"\0", bytes(len(content)), b"hello"]


def test_a_damaged_file_counts_as_none_and_is_removed(tmp_path: Path) -> None:
    store, result = Store(tmp_path), made(1, SMALL)
    store.put(result)
    (entry,) = store.entries()
    for content in damaged(entry.path.read_bytes()):
        entry.path.write_bytes(content)
        found = store.get(result.key)
        if found is not None:  # a blank, or a letter of the name of the checksum, decides nothing
            assert same(found, result)
        else:
            assert not entry.path.exists()
    store.put(result)
    assert same(store.get(result.key), result)


def test_a_flipped_bit_in_the_values_is_noticed(tmp_path: Path) -> None:
    store, result = Store(tmp_path), made(1, SMALL)
    for place in (-1, -1000, -4 * SMALL):
        store.put(result)
        (entry,) = store.entries()
        content = bytearray(entry.path.read_bytes())
        content[place] ^= 1
        entry.path.write_bytes(content)
        assert store.get(result.key) is None
        assert store.count == 0


def test_the_file_of_another_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(made(1))
    (entry,) = store.entries()
    wrong = store._path(made(2).key)
    wrong.parent.mkdir(exist_ok=True)
    entry.path.rename(wrong)
    assert store.get(made(2).key) is None
    assert not wrong.exists()


def test_a_file_that_cannot_be_read_at_present_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.put(made(1))

    def fails(*_: Any) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr("safetensors.safe_open", fails)
        patched.setattr(Path, "read_bytes", fails)
        assert store.get(made(1).key) is None
    assert same(store.get(made(1).key), made(1))


@pytest.mark.parametrize("broken", ["a file for the folder", "a file above it", "a full disk"])
def test_a_folder_that_cannot_be_written_to(
    tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "above" / "results"
    reason = ""
    if broken == "a full disk":
        reason = "No space left on device"

        def fails(_: int) -> None:
            raise OSError(28, reason)

        monkeypatch.setattr(results.os, "fsync", fails)
    elif broken == "a file above it":
        (tmp_path / "above").write_text("")
    else:
        folder.parent.mkdir()
        folder.write_text("")
    store = Store(folder)
    assert store.get(made(1).key) is None
    with expect_refusal(StoreError, str(folder), reason):
        store.put(made(1))
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size] == []


def test_killed_two_hundred_times(tmp_path: Path) -> None:
    """Nothing that was told as saved is lost; nothing is there that is damaged."""
    folder = tmp_path / "results"
    with started(f"import json; print(json.dumps(w.kill_often({str(folder)!r}, 200)))") as writer:
        told = json.loads(writer.communicate(timeout=120)[0])
    entries = Store(folder).entries()
    found = [load_result(entry.path) for entry in entries]  # a damaged one would raise
    kept = {result.manifest["request"]["number"]: result for result in found}
    assert len(told) > 20, "the writers came to write"
    assert set(told) <= set(kept)
    assert len(kept) - len(told) <= 201, "each was killed at most once before it could tell"
    for entry, result in zip(entries, found, strict=True):
        assert entry.key == result.manifest["key"]
        assert same(result, made(result.manifest["request"]["number"]))
    unfinished = [path for path in folder.rglob(".*") if path.is_file()]
    assert len(unfinished) <= 200
    print(f"{len(told)} told, {len(kept)} kept, {len(unfinished)} unfinished")


def test_two_processes_at_once(tmp_path: Path) -> None:
    limit = 20 * block_size(5000)
    calls = [f"w.write_many({str(tmp_path)!r}, {limit}, {first}, 200)" for first in (0, 17)]
    for writer in [started(call) for call in calls]:
        assert writer.wait(120) == 0
        assert writer.stdout is not None
        writer.stdout.close()
    store = Store(tmp_path, limit)
    found = numbers(store)
    assert len(found) == len(set(found)) >= 10
    assert store.size <= 1.1 * limit
    for entry, number in zip(store.entries(), found, strict=True):
        assert same(load_result(entry.path), made(number, 5000))


def test_the_default_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALOSCOPE_CACHE", str(tmp_path / "mine"))
    assert default_store() is default_store()
    assert default_store().folder == tmp_path / "mine" / "results"
    assert default_store().limit_bytes == 2_000_000_000
    monkeypatch.setenv("HALOSCOPE_CACHE_MB", "1.5")
    assert default_store().limit_bytes == 1_500_000
    monkeypatch.setenv("HALOSCOPE_CACHE", "")
    assert default_store().folder.parts[-2:] == ("haloscope", "results")
    for wrong in ("-1", "much", "inf", "nan"):
        monkeypatch.setenv("HALOSCOPE_CACHE_MB", wrong)
        with expect_refusal(StoreError, f"HALOSCOPE_CACHE_MB={wrong}: expected megabytes"):
            default_store()


def test_tests_do_not_write_into_the_cache_of_the_user() -> None:
    assert "haloscope-tests-" in str(default_store().folder)
