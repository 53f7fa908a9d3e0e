"""Networks of transformers, torchvision and timm: built, and asked what they know of themselves."""
