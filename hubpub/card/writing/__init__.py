"""From facts to the text of a card: templates, snippets, metadata, files of results."""
