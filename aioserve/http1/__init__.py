"""How HTTP/1.1 looks on the wire (RFC 9112): bytes to requests and answers to bytes, without I/O."""
