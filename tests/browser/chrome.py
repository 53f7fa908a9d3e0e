"""Finds a Chrome or Chromium, else installs one where it can, else says what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOW = (
    "no Chrome or Chromium found: install one (Debian: apt install chromium; macOS: brew install "
    "--cask chromium), or name one in HALOSCOPE_CHROME"
)


def find() -> str | None:
    """Return the path of a browser, or None."""
    named = os.environ.get("HALOSCOPE_CHROME")
    if named:
        return named if Path(named).exists() else None
    for name in NAMES:
        if found := shutil.which(name):
            return found
    for place in (*PLACES, *_playwrights_own()):
        if Path(place).exists():
            return str(place)
    return None


def _playwrights_own() -> list[Path]:
    home = Path.home() / ".cache/ms-playwright"
    return sorted(home.glob("chromium-*/chrome-linux*/chrome"))


def install() -> None:
    """Try the ways that need no questions answered."""
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "chromium"],
        ):
            subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)
    if find() is None:
        download = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(
            download, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=600
        )


def main() -> int:
    """Make sure that there is a browser."""
    if find() is None:
        print("Installing a browser for the tests …")
        install()
    if find() is None:
        print(HOW, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
