"""The options of each command. They import neither Keras nor a backend."""
