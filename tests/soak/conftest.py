"""Writes what came of the soak tests to `benchmarks/results/soak.json`.

A session that runs some of them leaves what is written of the others.
"""

import re
from pathlib import Path

from keras_fusion.common.files import read_json, write_json
from keras_fusion.common.provenance import provenance

HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / "benchmarks" / "results" / "soak.json"
reports = {}


def pytest_runtest_logreport(report):
    path, _, name = report.nodeid.partition("::")
    if not path.startswith("tests/soak/") or report.skipped:
        return
    test = reports.setdefault(name, {"name": name, "passed": True, "seconds": 0.0})
    test["passed"] &= report.passed
    test["seconds"] = round(test["seconds"] + report.duration, 1)
    test |= dict(report.user_properties)


def pytest_sessionfinish(session):
    if reports:
        before = read_json(RESULTS) if RESULTS.is_file() else {"tests": []}
        found = {name: test | provenance() for name, test in reports.items()}
        write_json(RESULTS, merged(before, found))


def merged(before, found):
    """What was written before of tests that are still there, with what was found."""
    there = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", there))
    of_all = {key: x for key, x in before.items() if key != "tests"}
    kept = {
        test["name"]: of_all | test
        for test in before["tests"]
        if test["name"].partition("[")[0] in there
    }
    return {"tests": list((kept | found).values())}
