"""Presets: TOML files read by `training.run.config`."""
