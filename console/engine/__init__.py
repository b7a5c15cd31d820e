"""The pages of an Analytics Engine's console: tenants, work, the audit log.

Nothing here knows Wisdom or feeds: the engine ships without them.
"""
