"""Cross-diffusion of two affinities, in every form that pays somewhere."""
