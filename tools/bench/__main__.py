"""Measure what is promised of speed: ``python -m tools.bench [compare] [growth] [prove] [plan]``.

Each part can be named to run it alone. Prints medians and ratios, and fails where one misses what
is promised or the outputs differ.
"""

from __future__ import annotations

import sys

from .compare import compare
from .growth import growth
from .plans import plan
from .proofs import prove

PARTS = {"compare": compare, "growth": growth, "prove": prove, "plan": plan}

if unknown := set(sys.argv[1:]) - PARTS.keys():
    sys.exit(f"{', '.join(sorted(unknown))}: name {', '.join(PARTS)}, or nothing for all of them")
kept = [PARTS[name]() for name in sys.argv[1:] or PARTS]
if not all(kept):
    sys.exit("not everything that is promised was kept")
