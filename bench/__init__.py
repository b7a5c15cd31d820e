"""Measurements of the product: run by hand and by ``make verify``, never part of a service."""
