"""What `sessile inspect` finds out, and how it shows it: as tables, as JSON, as a page."""
