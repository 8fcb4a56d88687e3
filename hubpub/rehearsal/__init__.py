"""Rehearsing a release: publish to a throw-away hub, then load the model and run its card's snippets from there."""
