"""`python -m rgrad`: a tour of the library."""

import sys

from rgrad.tour.command import main

if __name__ == "__main__":
    sys.exit(main())
