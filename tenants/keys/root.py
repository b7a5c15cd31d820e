"""Where the root key's file lies, when it does."""

from pathlib import Path

from django.conf import settings

from tenants.keys.files import KEY_BYTES, read_key_file
from tenants.keys.providers.file import FileProvider

__all__ = ["KEY_BYTES", "read_key_file", "root_file"]


def root_file() -> str:
    """Return the oldest version of the root key's file that is there, or where the first would be.

    Empty where a key service holds the root and no file is left.
    """
    first = Path(settings.ROOT_KEY_FILE)
    if not settings.ROOT_KEY_FILE or first.exists() or not first.parent.is_dir():
        return str(settings.ROOT_KEY_FILE)
    held = FileProvider(str(first))
    return str(next((held.path(each) for each in held.versions()), first))
