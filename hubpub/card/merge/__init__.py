"""Bringing a card up to date: what hubpub wrote follows the files, what people wrote stays."""
