"""The pages that tell what is at hand: models and methods."""
