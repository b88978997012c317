"""Between the contract's messages and feature serving's values: the catalogue's, and the online ones."""
