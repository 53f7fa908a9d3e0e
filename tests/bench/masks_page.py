"""How long the server works when the slider of a map as the mask moves: nothing runs the model.

Seconds of the processor, over all threads, so that a crowded machine does not count.
"""

from __future__ import annotations

import statistics
import time

from components import mask_curve, mask_picture, mask_words
from dashboard.explore import drawing
from dashboard.running import masks as running
from engine.attribution.explain import explain
from engine.inputs.samples import load_sample
from engine.missingness.sweep import mask_sweep
from engine.models.loading import load_model

_MODELS = {"imagenet-cnn": "chelsea", "scenes-resnet": "scenes/circle-04"}
_FILLS = ("mean", "blur", "layer-masking")


def main() -> None:
    """Print the medians over twenty positions."""
    for ref, sample in _MODELS.items():
        model, picture = load_model(ref), load_sample(sample)
        found = explain(model, picture, "grad-cam")
        sweep = mask_sweep(model, picture, found, levels=20)
        photo = drawing.photo(drawing.photo_key(model, picture), model, picture)
        for fill in _FILLS:
            took = []
            for step in range(20):
                share = step / 20
                started = time.process_time()
                mask_curve.figure(sweep, 0, share, remove=True).to_json()
                mask_words.sweep_sentence(sweep, 0, share, remove=True)
                keep = sweep.keep(share, remove=True)
                given = running.given_to_network(model, picture, keep, fill, 0)
                shown = (
                    mask_picture.hatched(photo, keep)
                    if given is None
                    else mask_picture.seen(given, photo.size)
                )
                mask_picture.uri(shown)
                took.append(1000 * (time.process_time() - started))
            middle, worst = statistics.median(took), max(took)
            print(f"{ref:14} {fill:14} median {middle:5.0f} ms, longest {worst:5.0f} ms")


if __name__ == "__main__":
    main()
