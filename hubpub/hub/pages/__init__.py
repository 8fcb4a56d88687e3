"""The pages for people: a list of models, a model with its card, files, tags and commits."""
