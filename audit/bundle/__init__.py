"""The log as files for somebody who does not trust us, and the program that checks them.

``verify.py`` is copied into each bundle. It is self-contained, imports nothing of ours, and is not
imported here.
"""
