"""What is chosen on a page, and how it travels in a link."""
