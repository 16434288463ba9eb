"""Protocols, thresholds and reports: how often an encoder errs, on whose photos, and within what interval."""
