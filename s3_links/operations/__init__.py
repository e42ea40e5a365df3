"""What a workstation and a pipeline do with the synthesized stacks."""
