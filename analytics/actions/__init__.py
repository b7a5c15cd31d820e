"""Deeds of the engine: accept, take effect, evaluate, tell, retain."""
