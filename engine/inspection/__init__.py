"""A model's card as found out: what it is, how that is known, and a test that it works."""
