"""What people look at: pure renderers from plain data to SVG and HTML. No scripts, no fonts, nothing to load."""
