"""Presets: TOML files read by `training.config`."""
