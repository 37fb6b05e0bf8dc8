"""Brings alerts from the topic to Slack and Discord."""
