"""What the network says of the addresses and ids in a card."""
