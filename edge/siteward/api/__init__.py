"""The local API of core: HTTP and JSON on one Unix socket per caller."""
