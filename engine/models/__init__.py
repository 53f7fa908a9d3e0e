"""What a model is to Haloscope: bundled ones, loaders, what is found out about each, its lock."""
