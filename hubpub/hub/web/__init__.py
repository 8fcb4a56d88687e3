"""HTTP itself: requests and answers, routing, transfer, metrics, faults on demand."""
