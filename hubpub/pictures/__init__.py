"""Pictures for a model card: curves of the training run, a confusion matrix, bars of scores."""
