"""Two emulated AWS accounts on this machine, and what runs in them."""
