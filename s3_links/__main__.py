"""``python -m s3_links``: the command ``s3-links``."""

from .cli import main

main()
