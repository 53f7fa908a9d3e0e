"""The page "Tables": why this row, and which columns matter."""
