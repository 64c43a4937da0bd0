"""The words on the wire between station and platform, one package a major version."""
