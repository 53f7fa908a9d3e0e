"""How much each unit matters, and which units go for a ratio."""
