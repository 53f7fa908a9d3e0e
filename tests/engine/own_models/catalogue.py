"""All networks of the table, in its order."""

from __future__ import annotations

from tests.engine.own_models.from_files import FILES
from tests.engine.own_models.from_hub import HUB
from tests.engine.own_models.from_libraries import TIMM, TORCHVISION
from tests.engine.own_models.in_hand import IN_HAND
from tests.engine.own_models.own import Own

CATALOGUE: dict[str, Own] = {own.name: own for own in (*HUB, *TORCHVISION, *TIMM, *FILES, *IN_HAND)}
