"""What the metadata of a card says: its YAML as both readers read it, edits of it, and what the Hub accepts."""
