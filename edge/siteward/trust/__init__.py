"""Keys and certificates: who may be believed."""
