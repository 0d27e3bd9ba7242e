"""``python -m dashboard PORT``: the app on this computer."""

import sys

from dashboard.server import serve
from dashboard.services.home import NMEError

if __name__ == "__main__":
    try:
        serve(int(sys.argv[1]))
    except NMEError as error:
        sys.exit(str(error))
