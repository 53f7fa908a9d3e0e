"""Read by every Python that tests start: what they share with the tests' own process."""

import torchvision_operators  # noqa: F401
