"""The page "Own model": bring a model, see what was found out, correct it, try it, add it."""
