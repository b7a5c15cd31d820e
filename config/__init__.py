"""The composition root: it imports everything, and nothing imports it."""
