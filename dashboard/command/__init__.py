"""``haloscope``: what the pages do, without a browser."""
