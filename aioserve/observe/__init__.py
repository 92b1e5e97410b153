"""What the server says about itself: access log, messages, and what a terminal shows."""
