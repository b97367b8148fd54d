"""The S3 protocol: requests verified, parsed, answered."""
