"""The page "Gallery": an image set, what a model says of it, and one click to explain it."""
