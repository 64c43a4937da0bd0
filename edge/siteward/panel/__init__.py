"""The local web panel: pages, logins, live view and forms that become requests."""
