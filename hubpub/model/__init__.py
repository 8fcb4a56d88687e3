"""Facts about a saved model folder: no opinions, and nothing in the folder is executed or unpickled."""
