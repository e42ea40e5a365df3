"""What a user writes: one model for each thing, the rules between them, and how errors are told."""
