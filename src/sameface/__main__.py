"""``python -m sameface``."""

from sameface.cli.app import main

if __name__ == "__main__":
    main()
