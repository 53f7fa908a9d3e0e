"""What a user brings: images (and later image sets and tables), validated and digested."""
