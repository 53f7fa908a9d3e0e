"""The tables that are shipped and the networks for them: how they are made."""
