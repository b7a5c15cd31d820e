"""The pages of an Analytics Engine's console."""
