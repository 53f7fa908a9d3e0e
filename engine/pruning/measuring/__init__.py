"""What a network costs, and what pruning does to its answers and explanations."""
