"""When a run against a real TensorFlow Serving is kept."""

import types

import pytest

from tests.serving import conftest

ALL = {f"tests/serving/{name}::test_it[rest-real]": True for name in conftest.ASKING}


@pytest.fixture
def end(tmp_path, monkeypatch):
    """Ends a run of these reports; whether it was kept."""

    def end(reports, exitstatus=0, args=("tests/serving",), left_out=()):
        file = tmp_path / "results.json"
        for name, value in {
            "RESULTS": file,
            "reports": reports,
            "left_out": list(left_out),
        }.items():
            monkeypatch.setattr(conftest, name, value)
        config = types.SimpleNamespace(args=list(args))
        session = types.SimpleNamespace(config=config)
        conftest.pytest_sessionfinish(session, exitstatus)
        return file.exists()

    return end


def test_a_whole_run_is_kept(end):
    assert end(ALL)


def test_nothing_else_is(end):
    some = dict(list(ALL.items())[1:])
    assert not end({})
    assert not end(some)
    assert not end(ALL, exitstatus=1)
    assert not end(ALL, args=[next(iter(ALL))])
    assert not end(ALL, left_out=["tests/serving/test_rest.py::test_that[real]"])


def test_every_file_that_asks_is_known(request):
    items = [i for i in request.session.items if conftest.is_real(i.nodeid)]
    assert {item.path.name for item in items} <= conftest.ASKING
