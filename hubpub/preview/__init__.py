"""`hubpub preview`: the card as the Hub shows it, with what the linter says beside the lines it is about."""
