"""Which parts of an input to hide: one class for each way, and the registry."""
