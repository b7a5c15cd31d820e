"""The Analytics Engine: takes telemetry, keeps it sealed, finds what matters in it."""
