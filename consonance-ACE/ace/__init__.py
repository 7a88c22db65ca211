"""Tonearm's own implementation of consonance-ACE, a network that hears chords."""
