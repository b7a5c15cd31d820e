"""Small files that are complete or absent, and readable by their owner only."""

import os
from pathlib import Path


def make_private_folder(path: Path) -> Path:
    """Create `path`, and parents it lacks, for its owner only; an existing one is left as it is."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by `content` in one step that survives a crash; `mode` applies throughout."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
