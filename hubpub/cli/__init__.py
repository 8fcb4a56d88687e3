"""argv in, exit code out: one module per verb, each imported only when it is called."""
