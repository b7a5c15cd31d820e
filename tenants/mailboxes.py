"""E-mail addresses as they are compared: pure."""

import re
import unicodedata

import idna

MAILBOX_LIMIT = 254
"""Characters of an address that a mail server takes (RFC 5321, 4.5.3.1.3)."""
_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}")


def normalised(text: str) -> str | None:
    """Return an address as it is compared, mailed to and hashed; None for what is no address.

    NFC, lower case, the domain as A-labels. Servers that tell the case of the local part apart are
    none that we know; people who type their own address in two cases are many.
    """
    text = unicodedata.normalize("NFC", text.strip()).lower()
    local, at, domain = text.rpartition("@")
    if not at or len(text) > MAILBOX_LIMIT or not _LOCAL.fullmatch(local):
        return None
    if any(unicodedata.category(letter).startswith(("C", "Z")) for letter in local):
        return None
    try:
        encoded = idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None
    if "." not in encoded:
        return None
    address = f"{local}@{encoded}"
    return address if len(address) <= MAILBOX_LIMIT else None
