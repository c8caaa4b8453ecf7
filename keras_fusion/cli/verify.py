"""`keras-fusion verify`."""

from keras_fusion import export
from keras_fusion.cli.console import console


def run(options) -> None:
    """Says of each exported version that every bit of it is as it was written."""
    for folder, manifest in export.verified_versions(options.path).items():
        count = len(manifest["files"])
        console.print(f"{folder}: {count} files, each as it was exported")
