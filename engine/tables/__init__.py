"""Tables: which columns matter to a model, and to the data."""
