"""The rows of tests/semantics on aioserve and on two other servers of files, over real sockets."""
