"""Who did what, so that a third party can check it without trusting us.

A deed writes one row to ``audit_stage`` in its own transaction (`audit.record`). One sequencer
takes committed rows in commit order into ``audit_log``, the leaves of an RFC 6962 tree, and signs
its head (`audit.sequencer`). `audit.verify` needs the leaves, the signed heads and the public key,
and neither our database nor our good will. Tenants are opaque identifiers here.
"""
