"""``python -m tawny`` is the ``tawny`` command."""

from tawny.cli import main

main()
