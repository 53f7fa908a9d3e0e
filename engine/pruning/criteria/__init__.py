"""The criteria by which units go, one in each file."""
