"""Opinions: one module per rule family, each rule a small function from facts to problems."""
