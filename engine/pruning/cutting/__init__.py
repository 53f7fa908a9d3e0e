"""Taking units away: switched off in place, or sliced out."""
