"""The product around the library of constructs."""
