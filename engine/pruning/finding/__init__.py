"""Which units a network has, and which of them only go together."""
