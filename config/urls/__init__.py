"""Which routes a deployment serves."""
