"""The composition root: which adapters stand behind which services, in which processes."""
