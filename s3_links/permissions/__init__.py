"""What deploying needs, read from what was synthesized."""
