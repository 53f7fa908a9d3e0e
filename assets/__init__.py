"""Data that ships with Haloscope: class names, fonts, pictures, weights, bibliography."""
