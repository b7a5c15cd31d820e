"""How large the bars' tests are: small in the suite, full under ``bench/verify_staff.py``."""

import os


def size(name: str, small: int) -> int:
    """Return the full size that the environment names, else `small`."""
    return int(os.environ.get(f"TAWNY_FULL_{name.upper()}", small))
