"""Names and usual values of the page's widgets; light, for they are read before the engine is."""

PREFIX = "i."
SHARE, NUMBER = "share", "number"  # how a good model's loss is told
RATE, EPSILON, REPEATS, REGIONS = 10.0, 0.01, 100, 12
MOST_REGIONS = 64
MOST_RATE = 1000.0  # percent
