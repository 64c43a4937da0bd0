"""site.toml: its schema, its loader with errors that name file, line and key, and its exported JSON Schema."""
