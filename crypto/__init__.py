"""Primitives: authenticated encryption, envelopes, key derivation, message authentication.

Pure: bytes in, bytes out. No framework, no key custody, no clock. Every use of a cryptographic
library in the product is in this package; who holds which key is decided in ``tenants.keys``.
"""
