"""The one client of the local API and the API's message models."""
