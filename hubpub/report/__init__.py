"""One module per output format; each turns a report, a plan or a receipt into text."""
