"""What the methods beside the criteria have in common: how they are asked and what they yield."""
