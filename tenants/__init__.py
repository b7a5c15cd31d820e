"""Customers: who they are, what opens their scope, which keys seal their rows."""
