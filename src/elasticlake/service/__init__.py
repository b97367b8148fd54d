"""What the system does: the operations on buckets, objects, accounts and webhooks, whatever the protocol they are asked
in."""
