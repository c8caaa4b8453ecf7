import pytest

from benchmarks.zoo_pages import with_index
from keras_fusion.zoo import published

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def test_the_index_is_that_of_the_results():
    """After new results: python -m benchmarks.zoo_pages."""
    page = (published.folder() / "README.md").read_text()
    assert with_index(page, published.folder()) == page
    results = published.folder().glob("*/results.json")
    assert all(path.parent.name.replace("_", "\\_") in page for path in results)
