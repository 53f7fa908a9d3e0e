"""A hub on this machine: serves folders as the Hugging Face hub serves repositories."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

_COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serving(repositories: dict[str, Path]) -> Iterator[tuple[str, list[str]]]:
    """Serve folders by their ids; yields the address, and the files asked for so far."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(body=True)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def answer(self, *, body: bool) -> None:
            path = unquote(urlsplit(self.path).path).strip("/")
            asked.append(path)
            for name, folder in repositories.items():
                if path.startswith(f"api/models/{name}"):
                    return self.send(json.dumps(_listing(name, folder)).encode(), body)
                if path.startswith(f"{name}/resolve/"):
                    file = folder / path.split("/", maxsplit=4)[4]
                    if file.is_file():
                        return self.send(file.read_bytes(), body)
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None

        def send(self, content: bytes, body: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", _COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listing(name: str, folder: Path) -> dict[str, object]:
    files = [{"rfilename": file.name} for file in sorted(folder.iterdir())]
    return {"id": name, "modelId": name, "sha": _COMMIT, "siblings": files, "tags": []}
