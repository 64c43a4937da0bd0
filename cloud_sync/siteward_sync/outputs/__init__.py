"""Alarms on their way to people: by e-mail and by webhook, grouped, tried again, never in the way of anything."""
