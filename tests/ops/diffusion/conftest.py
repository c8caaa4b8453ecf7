import pytest

from keras_fusion.ops.diffusion import blocks


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of at most four rows, so that 11 tokens take three, the last one short."""
    monkeypatch.setattr(blocks, "block_bytes", lambda: 4 * 2 * 4 * 11)
