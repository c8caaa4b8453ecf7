"""Writes what came of the soak tests to `benchmarks/results/soak.json`."""

from pathlib import Path

from keras_fusion.files import write_json
from keras_fusion.provenance import provenance

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "soak.json"
reports = {}


def pytest_runtest_logreport(report):
    path, _, name = report.nodeid.partition("::")
    if not path.startswith("tests/soak/") or report.skipped:
        return
    test = reports.setdefault(name, {"name": name, "passed": True, "seconds": 0.0})
    test["passed"] &= report.passed
    test["seconds"] = round(test["seconds"] + report.duration, 1)


def pytest_sessionfinish(session):
    if reports:
        write_json(RESULTS, {"tests": list(reports.values()), **provenance()})
