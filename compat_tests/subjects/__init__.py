"""Adapters: each puts a case into the words of one implementation."""
