"""Is it right? A day judged from the journal alone: rates, energy, orders and settlements, differences to handle."""
