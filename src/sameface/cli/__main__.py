"""``python -m sameface.cli`` and the `sameface` script."""

from sameface.cli.app import main

if __name__ == "__main__":
    main()
