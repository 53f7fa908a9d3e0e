from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from engine.execution import environment as home
from engine.execution.environment import code_digest, environment


def test_what_is_told() -> None:
    told = environment(torch.device("cpu"))
    assert set(told) == {"device", "threads", "instructions", "code"}
    assert told["threads"] == torch.get_num_threads()
    assert told["device"].startswith("CPU, ")
    assert told["code"] == code_digest()


@pytest.mark.parametrize("change", ["edit", "add", "rename", "remove"])
def test_the_digest_changes_with_the_source(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "engine"
    for name in ("a.py", "deep/b.py", "deep/notes.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(f"name = {name!r}")
    monkeypatch.setattr(home, "_ENGINE", source)
    before = code_digest.__wrapped__()
    shutil.copytree(source, tmp_path / "elsewhere")
    monkeypatch.setattr(home, "_ENGINE", tmp_path / "elsewhere")
    assert code_digest.__wrapped__() == before, "where it is installed does not matter"
    (tmp_path / "elsewhere" / "deep" / "notes.txt").unlink()
    assert code_digest.__wrapped__() == before
    changed = tmp_path / "elsewhere" / "deep" / "b.py"
    if change == "edit":
        changed.write_text("name = 'c'")
    elif change == "add":
        changed.with_name("c.py").touch()
    elif change == "rename":
        changed.rename(changed.with_name("c.py"))
    else:
        changed.unlink()
    assert code_digest.__wrapped__() != before
