"""Draws the cockpit for the CloudWatch dashboard."""
