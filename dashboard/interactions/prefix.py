"""What the keys of the page's widgets begin with."""

PREFIX = "i."
