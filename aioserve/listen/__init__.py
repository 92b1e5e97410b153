"""Where the server can be reached: addresses and the sockets bound to them."""
