"""``python -m penchant``: the shell."""

from penchant.cli import main

if __name__ == "__main__":
    main()
