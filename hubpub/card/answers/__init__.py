"""What people tell of a model because no file can."""
