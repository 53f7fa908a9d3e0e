"""Feature interactions over a Rashomon set: search for masks, effects, halos and clouds."""
