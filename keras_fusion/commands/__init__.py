"""What each command of `keras-fusion` does, one module each with a function `run`."""

import importlib

import keras


def run(options) -> None:
    """Runs the command that was parsed into `options`."""
    keras.config.disable_traceback_filtering()  # errors in their own words
    importlib.import_module(f"{__name__}.{options.command}").run(options)
