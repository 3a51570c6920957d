"""What agents said, collected and written in batches."""
