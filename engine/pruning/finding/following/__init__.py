"""Following channels through one pass of a network: which go together, and who reads them."""
