"""Who may do what: users, organisations, tokens, and the questions that every route asks about them."""
