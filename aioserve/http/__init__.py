"""What HTTP messages mean (RFC 9110): pure functions and values, without I/O and without a clock."""
