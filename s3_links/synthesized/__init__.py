"""The one reader of what was synthesized, planned or deployed.

Blocks, provider aliases and references; policies as the library's ``Statement``; all of it together
as the world that is evaluated. What cannot be expressed is kept as what cannot be read.
"""
