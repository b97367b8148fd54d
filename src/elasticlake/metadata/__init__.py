"""What the system knows: rows, transactions, and the SQL that reads and writes them, on any engine."""
