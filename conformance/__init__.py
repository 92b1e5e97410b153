"""The rows of tests/conformance on aioserve and on other servers, over real sockets."""
