"""``python -m aioserve`` is the command ``aioserve``."""

from aioserve.cli import main

if __name__ == "__main__":
    main()
