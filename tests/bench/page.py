"""What the page costs when nothing has to be computed: CPU and bytes of six cached maps."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import engine
from components import heatmap, views, words
from dashboard.explore import drawing

REPEATS = 20
CASES = (
    ("grad-cam", {}),
    ("grad-cam", {"layer": "blocks"}),
    ("gradient", {}),
    ("integrated-gradients", {"steps": 8}),
    ("integrated-gradients", {"steps": 8, "baseline": "black"}),
    ("occlusion", {"window": 64, "stride": 32}),
)


def main() -> None:
    """Print the figures."""
    model = engine.load_model("imagenet-cnn", device="cpu")
    picture = engine.load_sample("chelsea")
    photo_key = drawing.photo_key(model, picture)
    photo = drawing.photo(photo_key, model, picture)
    maps = [engine.explain(model, picture, name, **more) for name, more in CASES]

    def rerun() -> list[int]:
        sizes = []
        for attribution in maps:
            view = views.look_at(attribution, attribution.manifest["display"]["view"])
            key = f"{attribution.key}{view.kind}{view.limit}{photo_key}"
            sizes.append(len(drawing.overlay_file(key, 0.8, False, photo, view, None)))
            words.caption(attribution)
        return sizes

    sizes = rerun()  # draws and keeps
    spent = [_cpu(rerun) for _ in range(REPEATS)]
    print("page (imagenet-cnn, 224 × 224)")
    print(f"  six cached maps on a rerun: {1000 * statistics.median(spent):.1f} ms of CPU")
    print(f"  overview picture of a map: {max(sizes) / 1000:.0f} kB at most")
    looked_at = [
        len(heatmap.figure(views.look_at(a, a.manifest["display"]["view"])).to_json()) for a in maps
    ]
    figure = [_cpu(lambda a=a: heatmap.figure(views.look_at(a, "signed")).to_json()) for a in maps]
    print(f"  the map looked at: {max(looked_at) / 1000:.0f} kB at most, float32")
    print(f"  making its figure: {1000 * statistics.median(figure):.1f} ms of CPU")


def _cpu(work) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
