"""What can be said of a network, or done to it, with its weights frozen; one in each file."""
