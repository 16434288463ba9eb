"""``python -m sameface``."""

from sameface.cli.__main__ import main

if __name__ == "__main__":
    main()
