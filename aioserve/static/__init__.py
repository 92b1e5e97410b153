"""A folder of files as answers: may touch the disk, never the event loop."""
