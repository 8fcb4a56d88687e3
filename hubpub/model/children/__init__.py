"""What runs in a child process, because it is heavy, or is driven by what a model folder holds."""
