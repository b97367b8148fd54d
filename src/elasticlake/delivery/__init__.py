"""Webhook delivery: from the event log to the receivers."""
