"""The choices at the left: model, picture, class, method. Built from what each says of itself."""
