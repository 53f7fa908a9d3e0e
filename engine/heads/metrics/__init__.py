"""The metrics of heads, one in each file."""
