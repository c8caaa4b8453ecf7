"""AutoGluon beside the searches of `benchmarks.search`: the same rows and minutes.

    KERAS_FUSION_DATA=FOLDER python -m benchmarks.beside_autogluon PYTHON --minutes 4

PYTHON is that of an environment of its own, which has
`autogluon.tabular[lightgbm,xgboost,catboost,fastai]` and torch. Its accuracy on the
test rows is kept in the results of `benchmarks.search`, in each cell that is there.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from benchmarks import defaults_data, search, study

FIT = Path(__file__).with_name("fit_autogluon.py")


def main():
    parser = study.parser(__doc__, search.RESULTS)
    parser.add_argument("python")
    parser.add_argument("--minutes", type=float, default=5)
    options = parser.parse_args()
    found = study.read(options.results)
    for key, cell in found.items():
        data, _, minutes = key.rpartition(", ")
        if minutes != f"{options.minutes:g} min":
            continue
        for split, row in cell.items():
            if search.AUTOGLUON not in row:
                row |= fitted(options.python, data, int(split), options.minutes)
                study.keep(options.results, found, f"{key}, split {split}: {row}")


def fitted(python: str, data: str, split: int, minutes: float) -> dict:
    """Accuracy on the test rows, and how many models were fitted."""
    case = defaults_data.CASES[data]
    with tempfile.TemporaryDirectory() as folder:
        rows, answer = Path(folder) / "rows.npz", Path(folder) / "accuracy.json"
        search.write(rows, defaults_data.split(case, case.read(), split))
        subprocess.run([python, FIT, rows, str(minutes), answer], check=True)
        return json.loads(answer.read_text())


if __name__ == "__main__":
    main()
