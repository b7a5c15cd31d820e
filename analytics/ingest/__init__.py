"""From bytes that clients send to canonical columns. Pure: no framework, clock or key custody."""
