"""Object bodies: where their bytes are kept and how they are checked."""
