"""What the files of a model tell, as a card says it, each value with its place."""
