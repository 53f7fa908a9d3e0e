"""The command ``haloscope``: opens the dashboard, or does one thing and exits."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from dashboard.command import (
    cache,
    columns,
    explain,
    heads,
    interact,
    listing,
    mask,
    prune,
    replay,
    study,
    test,
)
from engine import __version__
from engine.errors import Cancelled, HaloscopeError, nearest
from engine.models.device_names import check_device_name

_EPILOG = """\
examples:
  haloscope                                   open the dashboard in a browser
  haloscope --model 'file:w.safetensors?arch=mynet:build'
                                              … with your own network in the list
  haloscope models                            which models are there
  haloscope models --inspect torchvision:resnet18
                                              what a model is, and whether it works here
  haloscope methods                           which methods there are, and their parameters
  haloscope explain --model imagenet-cnn --image cat.jpg --method grad-cam \\
      --out cat.safetensors --png cat.png
  haloscope test --model scenes-resnet --images scenes
                                              how often it is right on a set of pictures
  haloscope columns --model cancer-mlp --table cancer --measure permutation
                                              which columns of a table matter to it
  haloscope heads --model scenes-vit --images scenes --metric gradient
                                              which attention heads matter to it
  haloscope mask --model imagenet-cnn --image cat.jpg --hidden 0.5 --png hidden.png
                                              what it says with half the picture hidden
  haloscope study --model scenes-resnet --images scenes --fills grey,blur,layer-masking
                                              what hiding parts does to its answers
  haloscope interact --model compas-logistic --table compas
                                              which columns interact, for all good models
  haloscope prune --model scenes-resnet --images scenes
                                              what it keeps and loses when parts of it go
  haloscope prune --model scenes-resnet --images scenes --ratio 0.5 --physical --out small
                                              a smaller network, and what it keeps
  haloscope replay cat.safetensors            compute it again and compare
  haloscope cache --clear                     remove the results kept on disk
"""

_COMMANDS = (
    "models", "methods", "explain", "test", "columns", "heads", "mask", "study", "interact",
    "prune", "replay", "cache",
)  # fmt: skip


_LAST_PORT = 65535


class _Parser(argparse.ArgumentParser):
    """Answers a mistake with one line."""

    def error(self, message: str) -> NoReturn:
        if "invalid choice" in message and (given := _between(message, "'", "'")):
            message = f"no command {given!r}; {nearest(given, _COMMANDS)}"
        print(f"haloscope: {message}", file=sys.stderr)
        raise SystemExit(2)


def _between(text: str, start: str, stop: str) -> str:
    return text.partition(start)[2].partition(stop)[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0; 1 after an error, told in one line, or if a replay came out different; 2 for a
        wrong call; 130 if interrupted.
    """
    # Without this, two threads that wait for each other burn the cores others need.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    options = _parser().parse_args(arguments)
    from engine.execution.memory import keep_freed_memory

    keep_freed_memory()
    here = str(Path.cwd())
    if here not in sys.path:  # a module named in a reference may lie in this folder
        sys.path.insert(0, here)
    try:
        return options.run(options)
    except Cancelled:
        return _stopped()
    except KeyboardInterrupt:
        return _stopped()
    except HaloscopeError as error:
        print(f"haloscope: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _stopped() -> int:
    print("haloscope: stopped; nothing was written", file=sys.stderr)
    return 130


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="haloscope",
        description="See what a vision or tabular model relies on. "
        "Without a command, opens the dashboard.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"haloscope {__version__}")
    parser.add_argument(
        "--port", type=int, default=8501, help="port of the dashboard; the next free one is taken"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="serve the dashboard, but open no browser"
    )
    parser.add_argument(
        "--model", action="append", default=[], metavar="REF", dest="models",
        help="a model of your own for the dashboard; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--allow-module", action="append", default=[], metavar="MODULE", dest="modules",
        help="a module of which the page “Own model” may call every builder; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--device", default="auto", help="where models run: auto, cpu, cuda or mps (default auto)"
    )
    parser.set_defaults(run=_dashboard)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    listing.add_to(commands)
    explain.add_to(commands)
    test.add_to(commands)
    columns.add_to(commands)
    heads.add_to(commands)
    mask.add_to(commands)
    study.add_to(commands)
    interact.add_to(commands)
    prune.add_to(commands)
    replay.add_to(commands)
    cache.add_to(commands)
    return parser


def _dashboard(options: argparse.Namespace) -> int:
    from dashboard import server
    from dashboard.command.references import check_model, check_module
    from dashboard.running.allowed import EXTRA_MODELS, MODULES
    from dashboard.running.models import DEVICE

    if not 0 <= options.port <= _LAST_PORT:
        raise HaloscopeError(f"--port {options.port}: a port lies between 0 and {_LAST_PORT}")
    check_device_name(options.device)
    for ref in options.models:
        check_model(ref)
    for module in options.modules:
        check_module(module)
    port = server.free_port(min(options.port, _LAST_PORT - server.TRIES))
    if port is None:
        raise HaloscopeError(f"no free port from {options.port} on; name another with --port")
    os.environ[EXTRA_MODELS] = "\n".join(options.models)
    os.environ[MODULES] = ",".join([os.environ.get(MODULES, ""), *options.modules])
    os.environ[DEVICE] = options.device
    print(f"Haloscope is at http://localhost:{port} (Ctrl-C stops it)", flush=True)
    server.serve(port, open_browser=not options.no_browser)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
