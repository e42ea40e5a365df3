"""The one reader of what is really there, in live accounts: read-only calls, nothing is changed.

It yields the same world as the reader of synthesized stacks does. A call that fails is kept with
its reason, and what it would have read counts as something that cannot be read.
"""
