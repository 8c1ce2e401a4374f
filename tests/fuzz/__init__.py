"""Damaged files of every kind that is read: each must be read, or refused in one line."""
