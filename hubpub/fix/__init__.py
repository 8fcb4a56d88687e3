"""ACTIONS on the files of the user: applying fixes."""
