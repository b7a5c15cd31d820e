"""Detectors: pure functions from a pair's arrays to explained findings.

Each module has `detect(day, *, direction, key, ...)` for one pair's columns (`PairDay`) and
`find(pair, ...)` for contacts that are grouped already; `evaluate.pairs` runs those that
need nothing but the events over many pairs. A finding is a function of the set of the
pair's events, and grows only as events are added in time order.
"""
