"""Cross-account S3 access, both halves of every permission from one declaration.

Import from the modules: ``direct_access`` and ``assume_role`` are the patterns, ``account``,
``bucket``, ``role``, ``network`` and ``instance`` their building blocks. ``actions`` and
``policy`` are plain values and need no Node.js, which is why nothing of that is imported here. What
stands in a module's ``__all__`` is meant for others; the rest may change.
"""

from .successor import use_successor

use_successor()  # before any import of cdktf
