"""What stands where an input is hidden: one class for each way, and the registry."""
