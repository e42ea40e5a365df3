"""The stacks: each composes the library's constructs into one deployment."""
