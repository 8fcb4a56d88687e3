"""The card as a document: front matter and sections, parse, judge as the Hub would, render, complete. No opinions."""
