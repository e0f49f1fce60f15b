"""Training engines and the journal of finished evaluations."""
