"""Methods that train before they prune: masks, scales or weights; one in each file."""
