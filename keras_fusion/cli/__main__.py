"""`python -m keras_fusion.cli`."""

import sys

from keras_fusion.cli.main import main

sys.exit(main())
