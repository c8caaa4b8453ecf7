import pytest

from keras_fusion.experiments.compilation import keep_compiled


@pytest.fixture
def config():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    yield jax.config
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.mark.only_on("jax", reason="JAX alone keeps what it compiled")
def test_what_is_compiled_is_kept(config, tmp_path):
    keep_compiled(tmp_path / "here")
    assert config.jax_compilation_cache_dir == str(tmp_path / "here")


@pytest.mark.only_on("jax", reason="JAX alone keeps what it compiled")
def test_the_users_own_folder_stays(config, tmp_path):
    config.update("jax_compilation_cache_dir", str(tmp_path / "own"))
    keep_compiled(tmp_path / "here")
    assert config.jax_compilation_cache_dir == str(tmp_path / "own")
