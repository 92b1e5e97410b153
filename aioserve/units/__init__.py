"""Units of systemd for the command as it was typed."""
