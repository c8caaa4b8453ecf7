import numpy as np
import pytest

from keras_fusion.datasets.columns.reading import column_parts, read_columns

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")
TABLE = "size;note;word\n1.234,5;a,b;x\n?;1,5;y\n-2,5;c 7;z,\n;d;1\nn.a.;e;w\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(TABLE)
    return path


def in_parts(path):
    found = list(column_parts(path, 2))
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


@pytest.mark.parametrize("read", [read_columns, in_parts])
def test_commas_become_points_in_columns_of_numbers_and_of_marks_for_gaps(read, file):
    found = {name: list(x) for name, x in read(file).items()}
    assert found["size"] == ["1234.5", "?", "-2.5", None, "n.a."]
    assert found["note"] == ["a,b", "1,5", "c 7", "d", "e"]  # a text has commas, too
    assert found["word"] == ["x", "y", "z,", "1", "w"]
