"""Methods that say how much each part of an input speaks for a target: one file each."""
