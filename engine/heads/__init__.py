"""Which attention heads matter: switched off exactly, or judged by cheaper signs."""
