"""Statistics over evaluations."""
