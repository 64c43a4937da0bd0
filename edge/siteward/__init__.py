"""siteward: the controller of one EV charging site."""

__version__ = "0.1.0"
