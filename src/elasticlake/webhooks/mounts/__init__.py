"""Receivers in web frameworks. Each module imports its framework, and is imported when a receiver is mounted there."""
