"""The code in a card: which language it is in, what it loads, and what libraries have no longer."""
