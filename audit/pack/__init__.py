"""An audit pack: a bundle of a period, and what an auditor asks about it, answered from it.

What a person reads is written from the same values as what a program reads. Which deployment and
which staff there are is asked of whoever knows (`sources`), because the log knows neither.
"""
