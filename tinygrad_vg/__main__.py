"""``python -m tinygrad_vg`` is ``tinygrad-vg``."""

from tinygrad_vg.cli import main

if __name__ == "__main__":
    main()
