import pytest

from keras_fusion.tuning import judging
from keras_fusion.tuning.search_file import Search, changed

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.mark.parametrize(
    "key, value", [("trials", 7), ("minutes", 5), ("tuner", "random")]
)
def test_two_searches_are_compared_by_the_same_budget(key, value):
    search = Search(name="s", dataset="d")
    other = changed(search, **{key: value})
    judging.check_comparable(search, search)
    with pytest.raises(ValueError, match="compared by the same budget"):
        judging.check_comparable(search, other)
