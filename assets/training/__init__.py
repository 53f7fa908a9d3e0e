"""How the bundled networks and pictures were made; run by hand, never by the dashboard."""
