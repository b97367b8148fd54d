"""What an operator sets: options, credentials, and the master key."""
