"""``python -m nme_core`` is the command ``nme``."""

from nme_core.cli import main

if __name__ == "__main__":
    main()
