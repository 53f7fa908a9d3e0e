"""What vision transformers attend to: attention maps, captured from any library's code."""
